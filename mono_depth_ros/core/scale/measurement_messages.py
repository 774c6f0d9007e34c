"""Disparity and registered depth messages as observations of metric inverse depth."""

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import CalibrationError, ImageError
from ..files.depth_messages import image_to_depth
from ..files.message_protocols import DisparityFields, ImageFields
from .depth_measurement import (
    DepthMeasurement,
    measure_depth,
    measure_disparity,
    require_same_view,
)


def depth_message_measurement(msg: ImageFields, camera: PinholeCamera | None) -> DepthMeasurement:
    """Return what depth registered to the image of a camera says (32FC1 m, 16UC1 mm, 0 unknown).

    Args:
        msg: May have another resolution than the image.
        camera: Of the rectified image, None if not known.

    Raises:
        ImageError: Size, step, encoding or buffer do not fit each other.
        CalibrationError: Another camera made it.
    """
    if camera is not None:
        require_same_view(msg.width, msg.height, 0.0, camera, 'registered depth')
    return measure_depth(torch.from_numpy(image_to_depth(msg)))


def disparity_message_measurement(
    msg: DisparityFields, camera: PinholeCamera | None
) -> DepthMeasurement:
    """Return what a disparity says about the image of a camera.

    `valid_window` is ignored: stereo_image_proc fills it before the size is known.

    Args:
        msg: May have another resolution than the image.
        camera: Of the rectified image, None if not known.

    Raises:
        ImageError: Size, step, encoding or buffer do not fit each other.
        CalibrationError: f or t is not positive, or another camera made it.
    """
    if msg.image.encoding != '32FC1':
        raise ImageError(f'disparity has encoding {msg.image.encoding!r}; it must be 32FC1 [px]')
    for name, value in (('f', msg.f), ('t', msg.t)):
        if not 0 < value < float('inf'):
            raise CalibrationError(f'disparity has {name} = {value}; it must be positive')
    if camera is not None:
        require_same_view(msg.image.width, msg.image.height, msg.f, camera, 'disparity')
    return measure_disparity(
        torch.from_numpy(image_to_depth(msg.image)),
        msg.f,
        msg.t,
        min_disparity=msg.min_disparity,
        max_disparity=msg.max_disparity,
    )
