"""The estimator of a model of transformers."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ...camera.pinhole import PinholeCamera
from ...devices import one_thread
from ...errors import CheckpointError
from ..cards.output_kind import CONVERSIONS, known
from ..cards.placement import Placement, Size
from ..prediction import Prediction
from ..preprocessing import require_aspect
from .hub_card import HubCard


class HubEstimator:
    """A model of transformers with its description; see `Estimator` for attributes and methods."""

    backend = 'torch'

    def __init__(
        self, card: HubCard, model: torch.nn.Module, device: torch.device, precision: torch.dtype
    ) -> None:
        self.card = card
        self.kind = card.kind
        self.needs_camera = card.needs_camera
        self.device = device
        self.precision = precision
        self.model = model.eval().requires_grad_(False).to(device, precision)
        self._output_share: tuple[float, ...] = (1.0, 1.0)

    def network_size(self, height: int, width: int) -> Size:
        """Return the size at which the network sees the image; see `Placement.seen`."""
        seen = self.card.processor.place(height, width).seen(self._output_share)
        border = self.card.processor.border(height, width)
        rows, columns = (
            max(1, round(n * length / (length + 2 * edge)))
            for n, length, edge in zip(seen, (height, width), border, strict=True)
        )
        return rows, columns

    @torch.inference_mode()
    def predict(
        self, images: Sequence[torch.Tensor], size: Size, cameras: Sequence[PinholeCamera | None]
    ) -> list[Prediction]:
        """Return the predictions of images of one shape."""
        height, width = images[0].shape[:2]
        require_aspect(height, width)
        # One by one: ZoeDepth chooses between indoors and outdoors for a whole batch.
        pairs = zip(images, cameras, strict=True)
        return [self._predicted(rgb, size, camera) for rgb, camera in pairs]

    def _predicted(
        self, rgb: torch.Tensor, size: Size, camera: PinholeCamera | None
    ) -> Prediction:
        height, width = rgb.shape[:2]
        placement = self.card.place(height, width)
        with one_thread():
            batch = self.card.processor.inputs(rgb)
        outputs = self._run(batch)
        shape = outputs.predicted_depth.shape[-2:]
        self._output_share = placement.share(shape)
        with one_thread():
            values = outputs.predicted_depth.float().reshape(shape)
            if camera is None and self.card.estimates_focal:
                camera = _camera(float(outputs.field_of_view), shape)
            return self._prediction(values, (height, width), size, camera)

    def _run(self, batch: torch.Tensor) -> Any:
        try:
            return self.model(pixel_values=batch.to(self.precision))
        except torch.cuda.OutOfMemoryError:
            raise
        # Whatever a model raises that does not take an input of this shape.
        except Exception as error:
            height, width = batch.shape[-2:]
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise CheckpointError(
                f'{self.card.model} fails on an input of {width}x{height} px: {reason}',
                'its preprocessor_config.json is probably of another model',
            ) from error

    def _prediction(
        self, values: torch.Tensor, image: Size, size: Size, camera: PinholeCamera | None
    ) -> Prediction:
        """Return the prediction of an image (height, width) from the output (h, w) for it."""
        card = self.card
        unscaled = card.meters.explain_camera(camera, self.needs_camera)
        if unscaled and not card.is_scaled_by_camera:
            unknown = torch.full(size, torch.nan, device=self.device)
            return Prediction(unknown, self.kind, reason_unknown=unscaled)
        placement = card.processor.place(*image)
        border = card.processor.border(*image)
        values = placement.merged(_resized(values, placement.network)[None])
        kind, convert, _ = CONVERSIONS[card.output_kind]
        values = convert(
            values, card.meters, camera and _seen_by(camera, image, border, placement)
        )
        values = _resized(_cut(values, image, border), size)
        valid = known(values, kind, None if unscaled else card.depth_range)
        return Prediction(values, kind, valid, reason_unscaled=unscaled)


def _seen_by(
    camera: PinholeCamera, image: Size, border: Size, placement: Placement
) -> PinholeCamera:
    """Return the camera of the image with its border, as it is resized."""
    (height, width), (rows, columns) = image, border
    own = camera.resized(width, height)
    padded = PinholeCamera(
        width + 2 * columns, height + 2 * rows, own.fx, own.fy, own.cx + columns, own.cy + rows
    )
    return padded.resized(placement.resized[1], placement.resized[0])


def _cut(values: torch.Tensor, image: Size, border: Size) -> torch.Tensor:
    """Return (h, w) of the image alone from (h, w) of it with its border."""
    (height, width), (rows, columns) = image, border
    if not rows and not columns:
        return values
    whole = _resized(values, (height + 2 * rows, width + 2 * columns))
    return whole[rows : rows + height, columns : columns + width]


def _resized(values: torch.Tensor, size: Size) -> torch.Tensor:
    """Return (*size) of (h, w)."""
    if values.shape == size:
        return values
    return F.interpolate(values[None, None], size, mode='bilinear', align_corners=False)[0, 0]


def _camera(fov_deg: float, size: Size) -> PinholeCamera | None:
    """Return the camera of an output of that size and horizontal field of view, None if none."""
    height, width = size
    return PinholeCamera.from_fov(width, height, fov_deg) if 0 < fov_deg < 180 else None
