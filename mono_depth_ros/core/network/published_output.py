"""Whether a network computes what the published one does, shown on a photograph."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ..errors import CheckpointError
from .checkpoints.download import sha256_of
from .checkpoints.output_statistics import Statistics
from .checkpoints.published_outputs import (
    CORNER_IMAGE_MEANS,
    CORNER_IMAGE_SIZE,
    CORNER_SIZE,
    CORNERS,
    STATISTICS,
)
from .checkpoints.table import resolve_variant
from .estimator import Estimator, EstimatorSettings, load_estimator

_CORNER_TOLERANCE = 0.02
"""Relative; resizing in 8 bits differs from Pillow's by one level here and there."""
_MEAN_TOLERANCE = 3
"""Levels of 255."""

Pair = tuple[str, str]


class Acceptance:
    """A network on the CPU in fp32, so that nothing but the weights is judged.

    Args:
        encoder: Of the network.
        variant: Of the network.
        checkpoint: A local file in place of the published one, '' for none.

    Raises:
        MonoDepthError: The network is not here, or is another one.
    """

    def __init__(self, encoder: str, variant: str, checkpoint: str = '') -> None:
        self._pair = encoder, resolve_variant(encoder, variant)
        # A license binds use, and a check of the file is none.
        settings = EstimatorSettings(encoder, variant, checkpoint, True, 'cpu', 'fp32')
        self._estimator = load_estimator(settings)

    def check(self, photograph: Path, own: Mapping[str, Statistics] | None = None) -> str:
        """Return a sentence about the output for a photograph, which is the expected one.

        Args:
            photograph: Its file.
            own: Statistics to use in place of the published ones, by the photograph's sha256.

        Raises:
            CheckpointError: The output is another one, nothing is known about this photograph, or
                it cannot be read.
        """
        sha256 = sha256_of(photograph)
        rgb = _read(photograph)
        statistics = STATISTICS.get(self._pair, {}) if own is None else own
        if sha256 in statistics:
            return self._check_statistics(photograph, rgb, statistics[sha256])
        if own is None and self._pair in CORNERS and _is_corner_image(rgb):
            return self._check_corner(photograph, rgb)
        raise CheckpointError(
            f'{photograph} (sha256 {sha256[:12]}): nothing is known about what '
            f'{" ".join(self._pair)} puts out for it; {_known(self._pair, own)}'
        )

    def _check_statistics(self, path: Path, rgb: torch.Tensor, expected: Statistics) -> str:
        height, width = rgb.shape[:2]
        found = Statistics.of(self._estimator.predict(rgb, (height, width)))
        if not expected.agrees(found):
            raise CheckpointError(
                f'{path}: the output has {found}; that of the published network has {expected}'
            )
        return f'{path}: output as published, {found}'

    def _check_corner(self, path: Path, rgb: torch.Tensor) -> str:
        expected = np.array(CORNERS[self._pair])
        found = corner_of(self._estimator, rgb).numpy()
        worst = float(np.abs(found / expected - 1).max())
        if not worst <= _CORNER_TOLERANCE:
            raise CheckpointError(
                f"{path}: the output's corner is {found.round(3).tolist()}; that of the published "
                f'network is {expected.tolist()}'
            )
        return f'{path}: output as published, its corner within {worst:.2%}'


def corner_of(estimator: Estimator, rgb: torch.Tensor) -> torch.Tensor:
    """Return (3, 3): the upper left output for an image (H, W, 3) uint8 resized as Pillow does."""
    planes = rgb.permute(2, 0, 1)[None]
    # Antialiased, torch resizes as Pillow does, rounded to 8 bits; a network's own input size is
    # not resized again.
    resized = F.interpolate(planes, CORNER_SIZE, mode='bicubic', antialias=True)
    return estimator.predict(resized[0].permute(1, 2, 0).contiguous(), CORNER_SIZE)[:3, :3]


def _read(path: Path) -> torch.Tensor:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise CheckpointError(f'{path} is no picture that can be read')
    return torch.from_numpy(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def _is_corner_image(rgb: torch.Tensor) -> bool:
    if tuple(rgb.shape[:2]) != CORNER_IMAGE_SIZE:
        return False
    quarters = cv2.resize(rgb.numpy(), (2, 2), interpolation=cv2.INTER_AREA).astype(int)
    return bool(np.abs(quarters - CORNER_IMAGE_MEANS).max() <= _MEAN_TOLERANCE)


def _known(pair: Pair, own: Mapping[str, Statistics] | None) -> str:
    if own is not None:
        return f'the statistics given are of {len(own)} others'
    known = []
    if pair in STATISTICS:
        known.append('demo01.jpg to demo10.jpg of the repository Depth-Anything-V2')
    if pair in CORNERS:
        known.append("COCO's 000000039769.jpg")
    return f'known are {" and ".join(known)}' if known else 'give --statistics of your own'
