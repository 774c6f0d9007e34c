"""Disparity and registered depth messages as observations of metric inverse depth."""

import torch

from ..camera import PinholeCamera
from ..errors import CalibrationError, ImageError
from ..stereo import StereoObservation, observe_depth, observe_disparity, require_same_view
from .depth import image_to_depth
from .fields import DisparityFields, ImageFields


def observation_from_depth(msg: ImageFields, camera: PinholeCamera | None) -> StereoObservation:
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
    return observe_depth(torch.from_numpy(image_to_depth(msg)))


def observation_from_disparity(
    msg: DisparityFields, camera: PinholeCamera | None
) -> StereoObservation:
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
    return observe_disparity(
        torch.from_numpy(image_to_depth(msg.image)),
        msg.f,
        msg.t,
        min_disparity=msg.min_disparity,
        max_disparity=msg.max_disparity,
    )
