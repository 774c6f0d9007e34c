"""Views of picture files: stereo pairs, and a picture with a few distances measured by hand."""

import argparse
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...core.camera.pinhole import PinholeCamera
from ...core.errors import AlignmentError, CalibrationError, MonoDepthError
from ...core.network.prediction import Prediction
from ...core.scale.correspondences import Correspondences
from ...offline.images import ImageFrame
from ...offline.input_files import InputFile
from ...offline.picture_measurements import Measuring
from .view_predictor import ViewPredictor

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


def pair_points(
    inputs: Sequence[InputFile],
    measuring: Measuring,
    predictor: ViewPredictor,
    max_side: int,
    fail: Callable[[str, str], None],
) -> dict[str, Correspondences]:
    """Return the measured points of the left pictures of rectified pairs, by their names.

    `fail` is called with the name of each picture that cannot be used and the reason.
    """
    found = {}
    for entry in inputs:
        try:
            frame = _only_frame(entry, max_side)
            seen = predictor.predict(frame)
            if seen.camera is None:
                raise AlignmentError('no calibration is known: --focal or --calibration')
            if predictor.rectified:
                raise AlignmentError(
                    'disparity lives in the rectified image, and the calibration says that this '
                    'one is not; rectify both pictures first, or give --no-rectify if they are '
                    'rectified already'
                )
            observation = measuring.observe(entry.path, frame, seen.camera)
            found[entry.stem] = predictor.points(seen, observation, matched=True)
        except MonoDepthError as error:
            fail(entry.stem, str(error))
    return found


def tape_samples(
    entry: InputFile,
    tapes: Sequence[Tape],
    is_straight: bool,
    predictor: ViewPredictor,
    max_side: int,
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return prediction and depth [m] by place, and warnings; see `sampled`.

    Places are those of the picture as it is, so it is not rectified.

    Raises:
        MonoDepthError: The picture cannot be used, or a place of it.
    """
    frame = _only_frame(entry, max_side)
    calibration = predictor.camera.of(frame)
    if predictor.camera.rectify and calibration is not None and not calibration.is_rectified:
        raise AlignmentError(
            f'{entry.path} is not rectified, by its calibration, and places in it would move: '
            'rectify it first, or --no-rectify'
        )
    seen = predictor.predict(frame)
    camera = require_camera(seen.camera) if is_straight else None
    return sampled(seen, tapes, frame.reduction, camera)


def sampled(
    seen: Prediction, tapes: Sequence[Tape], reduction: float, camera: PinholeCamera | None
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return prediction and depth [m] of each measurement by its name, and warnings.

    `reduction` is the size of what was seen as a share of the picture's; `camera` makes depth of
    straight distances, None if they are depth already.

    Raises:
        AlignmentError: A place is outside of the picture, or the network says nothing there.
    """
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


def require_camera(camera: PinholeCamera | None) -> PinholeCamera:
    """Return the camera that straight distances need.

    Raises:
        CalibrationError: There is none.
    """
    if camera is None:
        raise CalibrationError(
            'straight distances become depth by the direction of a pixel: give --fov, --focal or '
            '--calibration, or measure along the optical axis and leave --straight away'
        )
    return camera


def _only_frame(entry: InputFile, max_side: int) -> ImageFrame:
    """Return a picture, with a stamp of its own."""
    if entry.kind != 'picture':
        raise AlignmentError(f'{entry.path} is no picture')
    (item,) = entry.open(max_side).items()
    return replace(item.load(), stamp_ns=1)


def _stretch(camera: PinholeCamera, u: float, v: float) -> float:
    """Return the straight distance per depth along the ray of a pixel."""
    return math.hypot((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0)
