"""A picture with a few distances measured by hand."""

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.camera.pinhole import PinholeCamera
from ...core.errors import AlignmentError, CalibrationError
from ...core.network.predicted_frame import PredictedFrame

_RADIUS_PX = 2
_STEEP = 0.2
_NUMBER = r'\s*([0-9.]+)\s*'


@dataclass(frozen=True)
class Tape:
    """Depth along the optical axis, or distance straight from the lens [m], at a pixel (u, v)."""

    u: float
    v: float
    meters: float

    @classmethod
    def parse(cls, text: str) -> 'Tape':
        """Return the measurement in a text such as 320,240=1.85."""
        match = re.fullmatch(f'{_NUMBER},{_NUMBER}={_NUMBER}', text)
        try:
            numbers = [float(group) for group in match.groups()] if match else []
        except ValueError:
            numbers = []
        if not numbers or not 0 < numbers[2] < math.inf:
            raise argparse.ArgumentTypeError(f'{text!r} is not u,v=meters, such as 320,240=1.85')
        return cls(*numbers)

    @property
    def name(self) -> str:
        """Its name in tables."""
        return f'({self.u:g}, {self.v:g})'


def tape_samples(
    seen: PredictedFrame, tapes: Sequence[Tape], reduction: float, is_straight: bool
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return prediction and depth [m] of each measurement by its name, and warnings.

    `reduction` is the size of what was seen as a share of the picture's. Straight distances
    become depth by the camera; others are depth already.
    """
    if is_straight and seen.camera is None:
        raise CalibrationError(
            'straight distances become depth by the direction of a pixel: give --fov, --focal or '
            '--calibration, or measure along the optical axis and leave --straight away'
        )
    camera = seen.camera if is_straight else None
    prediction = seen.values.cpu().numpy()
    height, width = prediction.shape
    found: dict[str, tuple[float, float]] = {}
    warnings = []
    for tape in tapes:
        u, v = ((c + 0.5) * reduction - 0.5 for c in (tape.u, tape.v))
        column, row = round(u), round(v)
        if not (0 <= column < width and 0 <= row < height):
            raise AlignmentError(
                f'{tape.name} is outside of the picture, {width / reduction:.0f}x'
                f'{height / reduction:.0f} px'
            )
        if tape.name in found:
            raise AlignmentError(f'{tape.name} is named twice')
        rows = slice(max(0, row - _RADIUS_PX), row + _RADIUS_PX + 1)
        around = prediction[rows, max(0, column - _RADIUS_PX) : column + _RADIUS_PX + 1]
        around = around[np.isfinite(around)]
        if not len(around):
            raise AlignmentError(f'the network says nothing about {tape.name}')
        value = float(np.median(around))
        if np.ptp(around) > _STEEP * abs(value):
            warnings.append(
                f'depth changes by {np.ptp(around) / abs(value):.0%} around {tape.name}: take a '
                'place amid a surface, away from edges'
            )
        found[tape.name] = value, tape.meters / (_stretch(camera, u, v) if camera else 1.0)
    return found, warnings


def _stretch(camera: PinholeCamera, u: float, v: float) -> float:
    """Return the straight distance per depth along the ray of a pixel."""
    return math.hypot((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0)
