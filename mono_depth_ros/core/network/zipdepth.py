"""ZipDepth (Tosi et al., ECCV 2026), the form for inference: no branches, no normalization.

A convolutional network of 6 million parameters: five scales from half to a 32nd of the image, a
few gates that let every place know of the whole image, and a decoder that weighs coarse against
fine. What training keeps apart (three branches of a convolution, batch normalization) is one
convolution here: `checkpoints/zipdepth_layout.py` adds it up.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .preprocessing import Sampling

CHANNELS = (48, 96, 192, 384)
"""Of the levels, from a quarter of the image's size to a 32nd."""
BLOCKS = (2, 2, 6, 2)
"""Convolutions of each level that keep its size."""
MERGED = (288, 192, 144, 96, 32)
"""Channels of the decoder, from coarse to fine; the last is at half the image's size."""
_HALF = CHANNELS[0] // 2
_GROUPS = 4
_POOL = 5  # px
_HIDDEN = 8  # channels before the weights of the last enlargement


class ZipDepth(nn.Module):
    """The network from normalized image to relative inverse depth.

    Attributes:
        input_size: Shorter side the weights were trained for [px].
        sampling: How an image becomes the input.
        max_depth: None, as for every relative network.
        is_metric: False.
        needs_camera: False.
    """

    input_size = 384
    sampling = Sampling(multiple=32, interpolation='linear')
    max_depth: float | None = None
    is_metric = False
    needs_camera = False

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.ModuleList((_convolution(3, _HALF, 2), _convolution(_HALF, CHANNELS[0], 2)))
        before = (CHANNELS[0], *CHANNELS[:-1])
        self.levels = nn.ModuleList(
            nn.ModuleList(_convolution(width, width) for _ in range(count))
            for width, count in zip(CHANNELS, BLOCKS, strict=True)
        )
        self.down = nn.ModuleList(
            _convolution(*widths, 2) for widths in zip(before[1:], CHANNELS[1:], strict=True)
        )
        self.gates = nn.ModuleList(
            (nn.Identity(), StripGate(CHANNELS[1]), SceneGate(CHANNELS[2]), Pyramid(CHANNELS[3]))
        )
        self.exchange = Exchange(CHANNELS[2], CHANNELS[3])
        self.top = nn.Conv2d(CHANNELS[3], MERGED[0], 1)
        finer = (*CHANNELS[2::-1], _HALF)
        self.merges = nn.ModuleList(
            Merge(*widths) for widths in zip(finer, MERGED[:-1], MERGED[1:], strict=True)
        )
        self.head = nn.Conv2d(MERGED[-1], 1, 3, padding=1)
        self.enlarge = ConvexEnlargement(MERGED[-1])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return relative inverse depth (B, H, W), not negative.

        Args:
            image: (B, 3, H, W) ImageNet-normalized RGB, H and W multiples of 32.
        """
        half = F.relu_(self.stem[0](image))
        x = F.relu_(self.stem[1](half))
        features = []
        for number, (blocks, gate) in enumerate(zip(self.levels, self.gates, strict=True)):
            if number:
                x = F.relu_(self.down[number - 1](x))
            for block in blocks:  # type: ignore[attr-defined]
                x = F.relu_(block(x))
            x = gate(x)
            features.append(x)
        third, fourth = self.exchange(*features[2:])
        x = F.relu_(self.top(fourth))
        for merge, finer in zip(self.merges, (third, *features[1::-1], half), strict=True):
            x = merge(finer, x)
        enlarged: torch.Tensor = self.enlarge(x, self.head(x))
        return F.relu_(enlarged)[:, 0]


class StripGate(nn.Module):
    """What lies around at two distances, gated by the means of its row and of its column."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.far = nn.Conv2d(
            channels, channels, 3, padding=2, dilation=2, groups=channels, bias=False
        )
        self.gate = nn.Conv2d(channels, channels, 1, groups=channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply it to (B, C, h, w)."""
        x = self.near(x).add_(self.far(x)).add_(x)
        strips = x.mean(3, keepdim=True) + x.mean(2, keepdim=True)
        gate: torch.Tensor = self.gate(strips)
        return x * gate.sigmoid_()


class SceneGate(nn.Module):
    """Channels gated by their means; then what the most telling places say, to every place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.expand = nn.Conv2d(channels // 8, channels, 1, bias=False)
        self.telling = nn.Conv2d(channels, 1, 1)
        self.hidden = nn.Conv2d(channels, channels // 4, 1)
        self.context = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply it to (B, C, h, w)."""
        mean = x.mean((2, 3), keepdim=True)
        x = x * self.expand(F.relu_(self.squeeze(mean))).sigmoid_()
        share = self.telling(x).flatten(2).softmax(2)
        context = (x.flatten(2) @ share.transpose(1, 2))[..., None]
        out: torch.Tensor = self.context(F.relu_(self.hidden(context)))
        return out + x


class Pyramid(nn.Module):
    """The greatest values in windows of 1, 5, 9 and 13 pixels, joined (SPPF of YOLOv5)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(channels, channels // 4, 1)
        self.join = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply it to (B, C, h, w)."""
        windows = [F.relu_(self.narrow(x))]
        for _ in range(3):
            windows.append(F.max_pool2d(windows[-1], _POOL, 1, _POOL // 2))
        return F.relu_(self.join(torch.cat(windows, 1)))


class Exchange(nn.Module):
    """Each of two levels added to the other; the coarser has half the size."""

    def __init__(self, finer: int, coarser: int) -> None:
        super().__init__()
        self.up = nn.Conv2d(coarser, finer, 1, groups=_GROUPS, bias=False)
        self.down = nn.Conv2d(finer, coarser, 1, groups=_GROUPS, bias=False)

    def forward(
        self, finer: torch.Tensor, coarser: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both; a 1x1 convolution and the mean of blocks may change places."""
        up = F.interpolate(self.up(coarser), scale_factor=2, mode='nearest')
        return finer + up, coarser + self.down(F.avg_pool2d(finer, 2))


class Merge(nn.Module):
    """A level and the coarser result, which is enlarged to twice its size."""

    def __init__(self, finer: int, coarser: int, merged: int) -> None:
        super().__init__()
        self.finer = nn.Conv2d(finer, merged, 1, groups=_GROUPS)
        self.coarser = nn.Conv2d(coarser, merged, 1, groups=_GROUPS, bias=False)

    def forward(self, finer: torch.Tensor, coarser: torch.Tensor) -> torch.Tensor:
        """Return (B, merged, h, w) of the finer level's size.

        A 1x1 convolution and bilinear enlargement are linear and may change places; it runs
        before, on a quarter of the pixels.
        """
        enlarged = F.interpolate(self.coarser(coarser), scale_factor=2, mode='bilinear')
        return F.relu_(enlarged.add_(self.finer(finer)))


class ConvexEnlargement(nn.Module):
    """Twice the size; each pixel is a weighted mean of 3x3 (Teed and Deng, RAFT, 2020)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(channels, _HIDDEN, 3, padding=1)
        self.weights = nn.Conv2d(_HIDDEN, 9 * 4, 1)

    def forward(self, features: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
        """Return (B, 1, 2h, 2w) from features (B, C, h, w) and depth (B, 1, h, w)."""
        height, width = depth.size(-2), depth.size(-1)
        weights = self.weights(F.relu_(self.hidden(features)))
        weights = weights.unflatten(1, (9, 4)).softmax(1)
        padded = F.pad(depth, (1, 1, 1, 1), mode='replicate')
        neighbors = [
            padded[..., row : row + height, column : column + width]
            for row in range(3)
            for column in range(3)
        ]
        enlarged = weights[:, 0] * neighbors[0]
        for k in range(1, 9):
            enlarged = torch.addcmul(enlarged, weights[:, k], neighbors[k])
        return F.pixel_shuffle(enlarged, 2)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1)
