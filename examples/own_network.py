"""Run a network of your own: export it to ONNX, write its card, ask it for depth.

    python examples/own_network.py photo.jpg -o out

Needs onnx and onnxruntime, and torch 2.5 or newer. docs/networks.md says what a card may hold.
"""

import argparse
from pathlib import Path

import cv2
import torch

from mono_depth_ros import MonoDepth, write_npy

CARD = """\
model: own.onnx
license: MIT
input: {name: image, order: rgb, scale: 1/255, mean: [0, 0, 0], std: [1, 1, 1]}
size: {fixed: [240, 320], fit: stretch}
output: {name: nearness, kind: relative_inverse_depth}
meters: {rule: fit}
"""


class OwnNetwork(torch.nn.Module):
    """In place of yours: what is lower in the picture is nearer, and what is dark a little."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return (1, H, W) relative inverse depth of (1, 3, H, W) RGB, 0 to 1."""
        rows = torch.linspace(0, 1, image.shape[2])[None, :, None]
        return rows + 0.1 * (1 - image.mean(1))


def main() -> None:
    """Write `own.onnx`, its card, and the depth of a picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('picture', type=Path)
    parser.add_argument('-o', '--output', type=Path, default=Path('own_network'))
    args = parser.parse_args()
    args.output.mkdir(exist_ok=True)
    torch.onnx.export(
        OwnNetwork(),
        (torch.zeros(1, 3, 240, 320),),
        str(args.output / 'own.onnx'),
        input_names=['image'],
        output_names=['nearness'],
        dynamo=False,
    )
    card = args.output / 'own.yaml'
    card.write_text(CARD)
    mono = MonoDepth(network=str(card), scale=0.5, shift=0.1)  # or a measurement, see docs
    depth = mono(cv2.imread(str(args.picture))[..., ::-1], fov_deg=70)
    write_npy(args.output / 'depth.npy', depth.depth)
    depth.write_ply(args.output / 'cloud.ply')


if __name__ == '__main__':
    main()
