"""Our network beside the usual eager one: python -m benchmarks.network --encoder vits [--onnx].

The usual one is ours put back: attention as two products with the whole matrix of weights between
them, tensors in contiguous format, each 1x1 convolution of the head after the enlargement that it
commutes with, nothing in place. With --onnx ours, exported for that size, in ONNX Runtime on the
CPU as well. All have the same random weights and must agree.
"""

import argparse
import copy
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import nn

from mono_depth_ros.core.devices import find_device
from mono_depth_ros.core.network.cards.onnx_session import OnnxSession
from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything
from mono_depth_ros.core.network.dinov2 import PATCH_PX, Attention
from mono_depth_ros.core.network.dpt import DptHead, FusionBlock, ResidualConvUnit
from mono_depth_ros.core.network.onnx_writer import ExportedForm, write_model

from .measuring import in_turns, machine, size

TOLERANCE = 1e-4


class EagerAttention(Attention):
    """Attention with its (B, heads, N, N) weights in memory."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer."""
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        weights = (q * (dim // self.heads) ** -0.5) @ k.transpose(-2, -1)
        attended = weights.softmax(dim=-1) @ v
        out: torch.Tensor = self.proj(attended.transpose(1, 2).reshape(batch, tokens, dim))
        return out


class EagerResidualConvUnit(ResidualConvUnit):
    """The unit with a new tensor for every result."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the unit."""
        out: torch.Tensor = self.conv2(F.relu(self.conv1(F.relu(x))))
        return x + out


class EagerFusionBlock(FusionBlock):
    """The block with its 1x1 convolution on the enlarged path."""

    def forward(
        self, level: torch.Tensor, coarser: torch.Tensor | None, size: tuple[int, int]
    ) -> torch.Tensor:
        """Return (B, F, *size)."""
        merged = level if coarser is None else coarser + self.resConfUnit1(level)
        path = self.resConfUnit2(merged)
        path = F.interpolate(path, size, mode='bilinear', align_corners=True)
        out: torch.Tensor = self.out_conv(path)
        return out


class EagerDptHead(DptHead):
    """The head in contiguous format."""

    def forward(self, tokens: list[torch.Tensor]) -> torch.Tensor:
        """Return (B, 1, 14 rows, 14 cols) from four (B, C, rows, cols)."""
        rows, cols = tokens[0].shape[-2:]
        levels = [
            resize(project(x.contiguous()))
            for x, project, resize in zip(tokens, self.projects, self.resize_layers, strict=True)
        ]
        out: torch.Tensor = self.scratch(levels, (PATCH_PX * rows, PATCH_PX * cols))
        return out


EAGER = {
    Attention: EagerAttention,
    ResidualConvUnit: EagerResidualConvUnit,
    FusionBlock: EagerFusionBlock,
    DptHead: EagerDptHead,
}


def made_eager(network: nn.Module) -> nn.Module:
    """Return a copy with every layer that has an eager form replaced by it."""
    eager = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    for module in eager.modules():
        # Same parameters, another forward.
        module.__class__ = EAGER.get(type(module), type(module))
    return eager


def in_onnx_runtime(network: DepthAnything, image: torch.Tensor) -> Callable[[], torch.Tensor]:
    """Return what runs the exported network on an image, on the CPU."""
    height, width = image.shape[2:]
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'network.onnx'
        write_model(network, ExportedForm((height, width)), path)
        session = OnnxSession(path, 'cpu')
    return lambda: session.run({'image': image}, ['depth'])[0]


def main() -> int:
    """Compare outputs and times; return 1 if the outputs differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--encoder', choices=PRESETS, default='vits')
    parser.add_argument('--size', type=size, default=(686, 518), help='multiples of 14')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--device', default='auto')
    parser.add_argument('--onnx', action='store_true', help='with ONNX Runtime, on the CPU')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = find_device(arguments.device)
    torch.manual_seed(0)
    network = DepthAnything(PRESETS[arguments.encoder], max_depth=20.0).eval().to(device)
    eager = made_eager(network)
    ours = network.to(memory_format=torch.channels_last)
    width, height = arguments.size
    image = torch.randn((1, 3, height, width), device=device)

    with torch.inference_mode():
        expected = eager(image)
        candidates = {'eager': lambda: eager(image), 'ours': lambda: ours(image)}
        if arguments.onnx:
            candidates['ONNX Runtime'] = in_onnx_runtime(network, image)
        difference = max(
            float(((made() - expected) / expected).abs().max()) for made in candidates.values()
        )
        times = in_turns(candidates, arguments.rounds, device)

    table = Table(
        title=f'{arguments.encoder} {width}x{height} fp32, {arguments.rounds} rounds in turns',
        caption=machine(device),
    )
    table.add_column('network')
    for column in ('median [s]', 'least', 'CPU time, median [s]', 'least'):
        table.add_column(column, justify='right')
    figures = {
        name: np.array([np.median(t.wall), t.wall.min(), np.median(t.cpu), t.cpu.min()])
        for name, t in times.items()
    }
    for name, row in figures.items():
        table.add_row(name, *(f'{figure:.3f}' for figure in row))
    for name in list(figures)[1:]:
        ratios = figures['eager'] / figures[name]
        table.add_row(f'{name}, times as fast', *(f'{n:.2f}' for n in ratios), style='bold')
    console = Console()
    console.print(table)
    console.print(f'largest relative difference of the outputs: {difference:.1e} (<= {TOLERANCE})')
    return int(not difference <= TOLERANCE)


if __name__ == '__main__':
    sys.exit(main())
