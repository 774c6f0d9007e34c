"""From a network's prediction to the frame that an alignment is applied to."""

from dataclasses import dataclass

import torch

from ..camera.image_preparation import PreparedImage
from ..camera.pinhole import PinholeCamera
from ..types import PredictionKind
from .estimator import Estimator
from .network_settings import PredictionSettings


@dataclass(frozen=True, eq=False)
class PredictedFrame:
    """An image and its prediction, at the size of the outputs.

    Attributes:
        values: (h, w) float32, relative inverse depth, or the inverse depth [1/m] of a metric
            network; NaN where the network says nothing.
        color: (h, w, 3) uint8 RGB of the same pixels, rectified.
        camera: Of both, None if unknown.
        kernel_radius: Output pixels that a pixel of the network covers, at least 1: a depth edge
            is spread over so many.
        reason_unknown: Why it cannot become depth, '' if it can.
        spread: (h, w) float32, one standard deviation of depth as a share of it, by the network
            itself; None if it states none.
    """

    values: torch.Tensor
    color: torch.Tensor
    camera: PinholeCamera | None
    is_relative: bool
    kernel_radius: int
    reason_unknown: str
    spread: torch.Tensor | None = None


def predict_frame(
    estimator: Estimator, image: PreparedImage, settings: PredictionSettings
) -> PredictedFrame:
    """Return what a network says about an image, at the size of the outputs."""
    camera = told_camera(estimator, image, settings)
    (prediction,) = estimator.predict([image.image], image.size, [camera])
    inverted = prediction.inverted()
    values = inverted.values
    if image.valid is not None:
        values = values.masked_fill(~image.valid, torch.nan)
    unknown = image.reason_unknown or prediction.reason_unknown
    if settings.focal_correction and image.camera is None:
        unknown = unknown or (
            'focal_correction needs the focal length of the camera: no usable camera_info came, '
            'and fov_deg is not set'
        )
    network_size = estimator.network_size(*image.image.shape[:2])
    kernel_radius = max(1, round(image.size[0] / network_size[0]))
    is_relative = inverted.kind is PredictionKind.RELATIVE_INVERSE_DEPTH
    kept = values, image.color, image.camera, is_relative, kernel_radius, unknown
    return PredictedFrame(*kept, prediction.spread)


def told_camera(
    estimator: Estimator, image: PreparedImage, settings: PredictionSettings
) -> PinholeCamera | None:
    """Return the camera that a network is told: the one it needs, or is corrected for."""
    return image.camera if estimator.needs_camera or settings.focal_correction else None
