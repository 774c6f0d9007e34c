"""From a network's output to the prediction that an alignment is applied to."""

import math
from dataclasses import dataclass

import torch

from ..camera.image_preparation import PreparedImage
from ..camera.pinhole import PinholeCamera
from ..types import PredictionKind
from .estimator import Estimator
from .network_settings import PredictionSettings

_SATURATED = 0.98  # share of a metric head's maximum from which its depth only says "far"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says about an image, at the size of the outputs.

    Attributes:
        values: (h, w) float32, relative inverse depth, or the inverse depth [1/m] of a metric
            network; NaN where the network says nothing.
        color: (h, w, 3) uint8 RGB of the same pixels, rectified.
        camera: Of both, None if unknown.
        kernel_radius: Output pixels that a pixel of the network covers, at least 1: a depth edge
            is spread over so many.
        reason_unknown: Why it cannot become depth, '' if it can.
    """

    values: torch.Tensor
    color: torch.Tensor
    camera: PinholeCamera | None
    is_relative: bool
    kernel_radius: int
    reason_unknown: str


def predict(
    estimator: Estimator, image: PreparedImage, settings: PredictionSettings
) -> Prediction:
    """Return what a network says about an image, at the size of the outputs."""
    camera = image.camera
    values = estimator.predict(image.image, image.size)
    network_size = estimator.network_size(*image.image.shape[:2])
    if estimator.max_depth is not None:
        saturated = values > _SATURATED * estimator.max_depth
        values = values.masked_fill(saturated, torch.nan)
    if image.valid is not None:
        values = values.masked_fill(~image.valid, torch.nan)
    unknown = image.reason_unknown
    if settings.focal_correction and camera is None:
        unknown = unknown or (
            'focal_correction needs the focal length of the camera: no usable camera_info came, '
            'and fov_deg is not set'
        )
    is_relative = estimator.kind is PredictionKind.RELATIVE_INVERSE_DEPTH
    if not is_relative:
        focal_px = estimator.training_focal_px
        if settings.focal_correction and camera is not None and focal_px is not None:
            values = values * focal_factor(camera, network_size, focal_px)
        values = values.reciprocal()
    kernel_radius = max(1, round(image.size[0] / network_size[0]))
    return Prediction(values, image.color, camera, is_relative, kernel_radius, unknown)


def focal_factor(
    camera: PinholeCamera, network_size: tuple[int, int], training_focal_px: float
) -> float:
    """Return the factor on the depth of a metric network: f_network / f_training.

    An object of size S at depth Z covers s = f S / Z pixels. A network trained with one focal
    length predicts Z = f_training S / s; the true depth is f_network S / s (Yin et al., Metric3D,
    2023, equation 2 and their transformation of labels). This assumes that the network infers
    depth from the size of objects, not from perspective. The camera of the image, at any size, is
    resized to the (height, width) of the network's input [px], where both focal lengths hold.
    """
    height, width = network_size
    resized = camera.resized(width, height)
    return math.sqrt(resized.fx * resized.fy) / training_focal_px
