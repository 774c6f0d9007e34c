"""The estimator of a network that a card describes, run by ONNX Runtime or OpenVINO."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from ...camera.pinhole import PinholeCamera
from ...devices import one_thread
from ...errors import CheckpointError
from ...types import PredictionKind
from ..prediction import Prediction
from ..preprocessing import require_aspect, resized
from .network_card import NetworkCard
from .output_kind import CONVERSIONS, known
from .placement import Placement, Size
from .session import Session


class _Maps(NamedTuple):
    """Outputs for one image at the size that it was resized to, None where there is none."""

    values: torch.Tensor
    invalid: torch.Tensor | None
    spread: torch.Tensor | None


class CardEstimator:
    """A network with its card; see `Estimator` for attributes and methods.

    Attributes:
        precision: In which the model takes its image.
        output_size: (height, width) of its latest output [px].
    """

    def __init__(self, card: NetworkCard, session: Session, device: torch.device) -> None:
        self.card = card
        self.device = device
        self.kind = card.kind
        self.needs_camera = card.needs_camera
        self._session = session
        self._type = session.inputs[card.input.name].dtype
        self.backend = session.backend
        is_half = self._type == torch.float16
        self.precision = torch.float16 if is_half else torch.float32
        self.output_size: tuple[int, ...] | None = None
        self._output_share: tuple[float, ...] = (1.0, 1.0)

    def network_size(self, height: int, width: int) -> Size:
        """Return the size at which the network sees the image; see `Placement.seen`."""
        return self.card.size.place(height, width).seen(self._output_share)

    @torch.inference_mode()
    def predict(
        self, images: Sequence[torch.Tensor], size: Size, cameras: Sequence[PinholeCamera | None]
    ) -> list[Prediction]:
        """Return the predictions of images of one shape."""
        height, width = images[0].shape[:2]
        require_aspect(height, width)
        placement = self.card.size.place(height, width)
        pairs = zip(images, cameras, strict=True)
        return [self._predicted(rgb, size, camera, placement) for rgb, camera in pairs]

    def _predicted(
        self, rgb: torch.Tensor, size: Size, camera: PinholeCamera | None, placement: Placement
    ) -> Prediction:
        card = self.card
        unscaled = card.meters.explain_camera(camera, self.needs_camera)
        if unscaled and not card.is_scaled_by_camera:
            unknown = torch.full(size, torch.nan, device=self.device)
            return Prediction(unknown, self.kind, reason_unknown=unscaled)
        rows, columns = placement.resized
        seen_by = camera and camera.resized(columns, rows)
        maps = self._maps(rgb, placement, seen_by)
        with one_thread():
            return self._prediction(maps, seen_by, size, unscaled)

    def _maps(
        self, rgb: torch.Tensor, placement: Placement, camera: PinholeCamera | None
    ) -> _Maps:
        """Return the outputs of the model for one image."""
        card = self.card
        with one_thread():
            windows = self._windows(rgb, placement)
        runs = []
        for window, offset in zip(windows, placement.offsets, strict=True):
            feeds = {card.input.name: window}
            if card.camera is not None and camera is not None:
                feeds[card.camera.name] = self._camera(camera, placement.network, offset)
            runs.append(self._session.run(feeds, card.outputs))
        with one_thread():
            named = dict(zip(card.outputs, zip(*runs, strict=True), strict=True))
            self.output_size = plane(named[card.output][0], card.path).shape
            self._output_share = placement.share(self.output_size)
            return _Maps(
                self._merged(named[card.output], placement),
                self._merged(named[card.invalid.name], placement) if card.invalid else None,
                self._merged(named[card.spread.name], placement) if card.spread else None,
            )

    def _windows(self, rgb: torch.Tensor, placement: Placement) -> torch.Tensor:
        """Return what the model is given, (N, 1, 3, H, W) or (N, 1, H, W, 3)."""
        rule = self.card.input
        image = resized(rgb, placement.resized, rule.interpolation)
        color = torch.tensor(self.card.size.color, device=image.device)
        pixels = torch.cat((image.reshape(-1, 3), color[None]))
        if rule.order == 'bgr':
            pixels = pixels.flip(-1)
        mean, std = (torch.tensor(row, device=image.device) for row in (rule.mean, rule.std))
        pixels = (pixels * rule.scale - mean) / std
        planes = pixels[:-1].reshape(image.shape).permute(2, 0, 1)
        windows = placement.inputs(planes, pixels[-1])
        if rule.layout == 'nhwc':
            windows = windows.permute(0, 2, 3, 1)
        if self._type is not None and not self._type.is_floating_point:
            windows = windows.round().clamp(0, 255)  # cubic resizing overshoots at edges
        return windows.to(self._type).contiguous()[:, None]

    def _camera(
        self, camera: PinholeCamera, network: Size, offset: tuple[int, int]
    ) -> torch.Tensor:
        """Return the camera of an input in the form that the model takes."""
        assert self.card.camera is not None
        form, info = self.card.camera.form, self._session.inputs[self.card.camera.name]
        height, width = network
        cx, cy = camera.cx + offset[1], camera.cy + offset[0]
        there = PinholeCamera(width, height, camera.fx, camera.fy, cx, cy)
        k = np.array([[there.fx, 0, cx], [0, there.fy, cy], [0, 0, 1]])
        if form == 'K3x3':
            made = k
        elif form == 'P3x4':
            made = np.hstack((k, np.zeros((3, 1))))
        elif form == 'rays':
            x, y = there.rays().numpy()
            rays = np.stack((x, y, np.ones_like(x)))
            made = rays / np.linalg.norm(rays, axis=0)
        else:
            is_focal = form == 'focal_px'
            # Of the image, not of what it was padded to.
            fov_deg = 2 * np.degrees(np.arctan(camera.width / (2 * camera.fx)))
            made = np.array(camera.fx if is_focal else fov_deg)
        shape = (1,) * (len(info.shape) - made.ndim) + made.shape
        return torch.from_numpy(made).to(self.device, info.dtype).reshape(shape)

    def _merged(self, outputs: Sequence[torch.Tensor], placement: Placement) -> torch.Tensor:
        """Return (*resized) float32 of the outputs of all windows."""
        maps = [plane(output, self.card.path) for output in outputs]
        stacked = torch.stack(maps).to(self.device, torch.float32)
        return placement.merged(self._resized(stacked, placement.network))

    def _resized(self, maps: torch.Tensor, size: Size) -> torch.Tensor:
        """Return (N, *size) of (N, h, w)."""
        if maps.shape[1:] == size:
            return maps
        corners = self.card.align_corners
        return F.interpolate(maps[:, None], size, mode='bilinear', align_corners=corners)[:, 0]

    def _prediction(
        self, maps: _Maps, camera: PinholeCamera | None, size: Size, unscaled: str
    ) -> Prediction:
        """Return the prediction at the size asked for."""
        card = self.card
        kind, convert, _ = CONVERSIONS[card.output_kind]
        values = convert(maps.values, card.meters, camera)
        if maps.invalid is not None and card.invalid is not None:
            threshold, invalid = card.invalid.threshold, maps.invalid
            marked = invalid > threshold if card.invalid.is_above else invalid < threshold
            values = values.masked_fill(marked | invalid.isnan(), torch.nan)
        spread = maps.spread
        if spread is not None and card.spread is not None and card.spread.unit == 'meters':
            depth = values if kind is PredictionKind.DEPTH else values.reciprocal()
            spread = spread * card.meters.factor(camera) / depth
        values = self._resized(values[None], size)[0]
        valid = known(values, kind, None if unscaled else card.depth_range)
        if spread is not None:
            spread = self._resized(spread[None], size)[0]
            spread = spread.where(spread >= 0, torch.inf)
        return Prediction(values, kind, valid, spread, reason_unscaled=unscaled)


def plane(output: torch.Tensor, path: Path) -> torch.Tensor:
    """Return (h, w) of an output with axes of length 1 around it.

    Raises:
        CheckpointError: It has not exactly two others.
    """
    sides = [n for n in output.shape if n > 1]
    if len(sides) != 2:
        shape = tuple(output.shape)
        what = f'the model of {path} gives an output of shape {shape}, not one map'
        raise CheckpointError(what, 'name another output, or export the model with one map')
    return output.reshape(sides)
