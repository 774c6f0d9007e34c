"""Disparity and registered depth messages as observations of metric inverse depth."""

import numpy as np
import torch
from sensor_msgs.msg import Image
from stereo_msgs.msg import DisparityImage

from ..core.camera import PinholeCamera
from ..core.errors import CalibrationError, ImageError
from ..core.stereo import (
    StereoObservation,
    observe_depth,
    observe_disparity,
    require_same_view,
)

Measurement = DisparityImage | Image

_METRES = {'32FC1': ('f4', 1.0), '16UC1': ('u2', 0.001), 'mono16': ('u2', 0.001)}
"""Type and unit [m] of each depth encoding (REP-118)."""


def observation_from(
    measurement: DisparityImage | Image, camera: PinholeCamera | None
) -> StereoObservation:
    """Return what a message says about the image of a camera.

    `valid_window` of a disparity is ignored: stereo_image_proc fills it before the size is known.

    Args:
        measurement: Disparity, or depth registered to the image (32FC1 m, 16UC1 mm, 0 unknown).
        camera: Of the rectified image, None if not known; the measurement may have another
            resolution.

    Raises:
        ImageError: Size, step, encoding or buffer do not fit each other.
        CalibrationError: f or t is not positive, or another camera made it.
    """
    if isinstance(measurement, DisparityImage):
        return _from_disparity(measurement, camera)
    if camera is not None:
        require_same_view(measurement.width, measurement.height, 0.0, camera, 'registered depth')
    return observe_depth(_values(measurement))


def _from_disparity(msg: DisparityImage, camera: PinholeCamera | None) -> StereoObservation:
    if msg.image.encoding != '32FC1':
        raise ImageError(f'disparity has encoding {msg.image.encoding!r}; it must be 32FC1 [px]')
    for name, value in (('f', msg.f), ('t', msg.t)):
        if not 0 < value < float('inf'):
            raise CalibrationError(f'disparity has {name} = {value}; it must be positive')
    if camera is not None:
        require_same_view(msg.image.width, msg.image.height, msg.f, camera, 'disparity')
    return observe_disparity(
        _values(msg.image),
        msg.f,
        msg.t,
        min_disparity=msg.min_disparity,
        max_disparity=msg.max_disparity,
    )


def _values(msg: Image) -> torch.Tensor:
    """Return (h, w) float32 in metres (or pixels) of a one-channel image message."""
    if msg.encoding not in _METRES:
        raise ImageError(
            f'depth has encoding {msg.encoding!r}; it must be one of {", ".join(_METRES)}'
        )
    code, unit = _METRES[msg.encoding]
    kind = np.dtype(('>' if msg.is_bigendian else '<') + code)
    row_bytes = msg.width * kind.itemsize
    if msg.step < row_bytes or msg.step % kind.itemsize or len(msg.data) != msg.step * msg.height:
        raise ImageError(
            f'{msg.encoding} image of {msg.width}x{msg.height} px has step {msg.step} and '
            f'{len(msg.data)} bytes; that does not fit'
        )
    samples = np.frombuffer(msg.data, kind).reshape(msg.height, -1)[:, : msg.width]
    values = samples.astype(np.float32)
    return torch.from_numpy(values if unit == 1.0 else values * np.float32(unit))
