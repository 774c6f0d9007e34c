"""The embedded network: small, convolutional, in canonical inverse depth.

The encoder is EfficientNet-Lite0 (Tan and Le, 2019; the Lite form has neither gates nor swish)
without its last stage, with attention over all of the image at a 32nd of its size; the decoder
adds the levels up (Lin et al., feature pyramid networks, 2017).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from .preprocessing import Sampling

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
)
"""Of the encoder: blocks, kernel, stride, expansion and channels of each stage."""
_STEM = 32
_MERGED = 64
_FINE = 32
_LATTICE = 8  # phases of the sines of a position

Convolution = Callable[[int, int, int, int, int], nn.Module]
"""Makes a convolution of inputs, outputs, kernel, stride and groups."""


def plain_convolution(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int
) -> nn.Module:
    """Return a convolution as it is used."""
    kind = nn.Conv2d if stride == 1 else HalvingConvolution
    return kind(inputs, outputs, kernel, stride, kernel // 2, groups=groups)


class HalvingConvolution(nn.Conv2d):
    """A convolution of stride 2 whose padding has a row and a column more at the end (TensorFlow).

    A row and a column of zeros before the kernel, and equal padding on all sides, give the same
    numbers without a padded copy of the map: 9 % less time of the network in ONNX Runtime
    (benchmarks/results/backends.md).
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, C, H / 2, W / 2) from (B, C, H, W), H and W even."""
        kernel = padded_kernel(self.weight)
        return F.conv2d(x, kernel, self.bias, self.stride, self.padding, groups=self.groups)


def padded_kernel(kernel: torch.Tensor) -> torch.Tensor:
    """Return a kernel (C, D, K, K) with a row and a column of zeros before it."""
    # Not F.pad, after which an exporter does not know the size of the kernel.
    kernel = torch.cat((torch.zeros_like(kernel[:, :, :1]), kernel), 2)
    return torch.cat((torch.zeros_like(kernel[..., :1]), kernel), 3)


class CompactDepth(nn.Module):
    """The network from normalized image to canonical inverse depth.

    Args:
        is_metric: Whether meters are wanted of it, for which the focal length must be known.
        convolution: Makes its convolutions; in training others, followed by batch normalization.

    Attributes:
        input_size: Shorter side the weights were trained for [px].
        sampling: How an image becomes the input.
        max_depth: None, since nothing saturates.
        needs_camera: As `is_metric`.
    """

    input_size = 192
    sampling = Sampling(32, 'cubic', False, (127 / 255,) * 3, (128 / 255,) * 3)
    max_depth: float | None = None

    def __init__(
        self, is_metric: bool = False, convolution: Convolution = plain_convolution
    ) -> None:
        super().__init__()
        self.is_metric = self.needs_camera = is_metric
        self.encoder = Encoder(convolution)
        widths = self.encoder.widths
        self.attention = nn.ModuleList(GlobalAttention(widths[-1]) for _ in range(2))
        self.laterals = nn.ModuleList(convolution(w, _MERGED, 1, 1, 1) for w in widths[1:])
        self.merges = nn.ModuleList(
            InvertedResidual(convolution, _MERGED, _MERGED, 3, 1, 3, F.relu_) for _ in widths[1:]
        )
        self.to_fine = convolution(_MERGED, _FINE, 1, 1, 1)
        self.fine = convolution(widths[0], _FINE, 1, 1, 1)
        self.last = InvertedResidual(convolution, _FINE, _FINE, 3, 1, 3, F.relu_)
        self.head = nn.Conv2d(_FINE, 1, 3, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return focal length over the shorter side of the image over depth, (B, H, W), positive.

        It does not change when the image is resized; with the focal length known it is metric.

        Args:
            image: (B, 3, H, W) normalized RGB, H and W multiples of 32.
        """
        fine, *coarse = self.encoder(image)
        coarse[-1] = self._attended(coarse[-1])
        x = self.merges[-1](self.laterals[-1](coarse[-1]))
        finer = list(zip(self.merges, self.laterals, coarse, strict=True))[-2::-1]
        for merge, lateral, level in finer:
            x = merge(_enlarged(x, level).add_(lateral(level)))
        x = self.last(_enlarged(self.to_fine(x), fine).add_(self.fine(fine)))
        out: torch.Tensor = _enlarged(self.head(x), image)[:, 0]
        return 0.5 * F.softplus(out)

    def _attended(self, level: torch.Tensor) -> torch.Tensor:
        height, width = level.shape[-2:]
        tokens = level.flatten(2).transpose(1, 2)
        tokens = tokens + position_sines(height, width, tokens)
        for block in self.attention:
            tokens = block(tokens)
        return tokens.transpose(1, 2).reshape(level.shape)


class Encoder(nn.Module):
    """EfficientNet-Lite0 up to its last level but one; returns the levels, from fine to coarse.

    Attributes:
        widths: Channels of the levels.
    """

    def __init__(self, convolution: Convolution) -> None:
        super().__init__()
        self.stem = convolution(3, _STEM, 3, 2, 1)
        self.blocks = nn.ModuleList()
        inputs, widths = _STEM, []
        for count, kernel, stride, expansion, outputs in STAGES:
            if stride == 2:
                widths.append(inputs)
            for number in range(count):
                step = 1 if number else stride
                sizes = inputs, outputs, kernel, step, expansion
                self.blocks.append(InvertedResidual(convolution, *sizes, relu6_))
                inputs = outputs
        self.widths = (*widths, inputs)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return (B, C, H / 2, W / 2) to (B, C, H / 32, W / 32)."""
        x = relu6_(self.stem(image))
        levels = []
        for block in self.blocks:
            if block.stride == 2:
                levels.append(x)
            x = block(x)
        return [*levels, x]


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow again (Sandler et al., MobileNetV2, 2018)."""

    def __init__(
        self,
        convolution: Convolution,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        expansion: int,
        activation: Callable[[torch.Tensor], torch.Tensor],
    ) -> None:
        super().__init__()
        hidden = expansion * inputs
        self.widen = convolution(inputs, hidden, 1, 1, 1) if expansion > 1 else None
        self.filter = convolution(hidden, hidden, kernel, stride, hidden)
        self.narrow = convolution(hidden, outputs, 1, 1, 1)
        self.stride, self.activation = stride, activation
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, outputs, H / stride, W / stride)."""
        y = x if self.widen is None else self.activation(self.widen(x))
        narrowed: torch.Tensor = self.narrow(self.activation(self.filter(y)))
        return narrowed.add_(x) if self.is_residual else narrowed


class GlobalAttention(nn.Module):
    """A transformer block (Vaswani et al., 2017) over all places of a map."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.before = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.between = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.ReLU(), nn.Linear(2 * channels, channels)
        )
        self.heads = heads

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (B, N, C) from (B, N, C)."""
        batch, count, channels = tokens.shape
        qkv = self.qkv(self.before(tokens))
        q, k, v = qkv.view(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        tokens = tokens + self.out(mixed.reshape(batch, count, channels))
        added: torch.Tensor = self.mlp(self.between(tokens))
        return tokens + added


def position_sines(height: int, width: int, like: torch.Tensor) -> torch.Tensor:
    """Return (height * width, C) for tokens (B, N, C): sines of the place in the image.

    The edges of the image are at 0 and 1, whatever its size.
    """
    channels = like.shape[-1]
    v = (torch.arange(height, device=like.device, dtype=torch.float32) + 0.5) / height
    u = (torch.arange(width, device=like.device, dtype=torch.float32) + 0.5) / width
    octaves = channels // 4 // _LATTICE
    rates = torch.pi * 2.0 ** torch.arange(octaves, device=like.device)
    phases = torch.arange(_LATTICE, device=like.device) / _LATTICE
    rates, phases = rates.repeat_interleave(_LATTICE), phases.repeat(octaves)
    row, column = v[:, None] * rates + phases, u[:, None] * rates + phases
    rows = torch.cat((row.sin(), row.cos()), 1)[:, None].expand(-1, width, -1)
    columns = torch.cat((column.sin(), column.cos()), 1)[None].expand(height, -1, -1)
    return torch.cat((rows, columns), 2).reshape(height * width, channels).to(like.dtype)


def relu6_(x: torch.Tensor) -> torch.Tensor:
    """Limit to 0..6 in place; what the encoder's weights were trained with."""
    return F.relu6(x, inplace=True)


def _enlarged(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, like.shape[-2:], mode='bilinear', align_corners=False)
