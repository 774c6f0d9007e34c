"""From a network's prediction to the frame that an alignment is applied to."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch

from ..camera.image_preparation import PreparedImage
from ..camera.pinhole import PinholeCamera
from ..devices import Download, device_time, seconds_between
from ..types import PredictionKind
from .estimator import Estimator
from .network_settings import PredictionSettings
from .prediction import Prediction

Answer = TypeVar('Answer')


@dataclass(frozen=True, eq=False)
class PredictedFrame:
    """An image and its prediction, at the size of the outputs.

    Attributes:
        values: (h, w) float32, of that `kind`; NaN where the network says nothing.
        color: (h, w, 3) uint8 RGB of the same pixels, rectified.
        camera: Of both, None if unknown.
        kind: Relative inverse depth, relative depth, or the inverse depth [1/m] of a metric
            network.
        kernel_radius: Output pixels that a pixel of the network covers, at least 1: a depth edge
            is spread over so many.
        reason_unknown: Why it cannot become depth, '' if it can.
        reason_unscaled: Why it has no meters but those of a measurement; see `Prediction`.
        spread: (h, w) float32, one standard deviation of depth as a share of it, by the network
            itself; None if it states none.
        times: Of the device before and after the network, see `device_time`.
    """

    values: torch.Tensor
    color: torch.Tensor
    camera: PinholeCamera | None
    kind: PredictionKind
    kernel_radius: int
    reason_unknown: str
    reason_unscaled: str = ''
    spread: torch.Tensor | None = None
    times: tuple[Any, Any] = (0.0, 0.0)

    @property
    def relative_inverse_depth(self) -> torch.Tensor | None:
        """(h, w) float32, larger = nearer; None for a network with meters of its own.

        Of relative depth its inverse where it is positive, as if it had no shift.
        """
        if not self.kind.is_relative:
            return None
        if self.kind is PredictionKind.RELATIVE_DEPTH:
            return self.values.reciprocal().where(self.values > 0, torch.nan)
        return self.values

    @property
    def nbytes(self) -> int:
        """What it takes up in memory."""
        return self.values.nbytes + self.color.nbytes

    @property
    def inference_s(self) -> float:
        """Time in the network, of all images that were predicted at once; waits for the device."""
        return seconds_between(*self.times)


class PredictionRequest(NamedTuple):
    """An image that a network is to predict."""

    estimator: Estimator
    image: PreparedImage
    settings: PredictionSettings


Predicting = Generator[PredictionRequest | Download[Any], Any, Answer]
"""Work that yields what it wants predicted, and goes on when it is sent the `PredictedFrame`.

So several cameras share one run of the network: see `run_together`. It may yield a download that
is on its way, too, and goes on when all earlier work has ended: see `Overlap`."""


def predict_frames(requests: Sequence[PredictionRequest]) -> list[PredictedFrame]:
    """Return what a network says about images of one shape, at the size of the outputs.

    Args:
        requests: Of one network, with one shape of images and one size of outputs.
    """
    estimator, size = requests[0].estimator, requests[0].image.size
    began = device_time(estimator.device)
    cameras = [told_camera(*request) for request in requests]
    images = [request.image.image for request in requests]
    predictions = estimator.predict(images, size, cameras)
    times = began, device_time(estimator.device)
    pairs = zip(requests, predictions, strict=True)
    return [_frame(request, prediction, times) for request, prediction in pairs]


def _frame(
    request: PredictionRequest, prediction: Prediction, times: tuple[Any, Any]
) -> PredictedFrame:
    """Return the frame of an image, unknown where it does not show the scene."""
    estimator, image, settings = request
    inverted = prediction.inverted()
    values = inverted.values
    if image.valid is not None:
        values = values.masked_fill(~image.valid, torch.nan)
    unknown = image.reason_unknown or prediction.reason_unknown
    unscaled = prediction.reason_unscaled
    if settings.focal_correction and image.camera is None:
        unscaled = unscaled or (
            'focal_correction needs the focal length of the camera: no usable camera_info came, '
            'and fov_deg is not set'
        )
    network_size = estimator.network_size(*image.image.shape[:2])
    kernel_radius = max(1, round(image.size[0] / network_size[0]))
    kept = values, image.color, image.camera, inverted.kind, kernel_radius, unknown
    return PredictedFrame(*kept, unscaled, prediction.spread, times)


def told_camera(
    estimator: Estimator, image: PreparedImage, settings: PredictionSettings
) -> PinholeCamera | None:
    """Return the camera that a network is told: the one it needs, or is corrected for."""
    return image.camera if estimator.needs_camera or settings.focal_correction else None
