"""Estimators: networks that turn an image into a prediction."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F

from ..devices import find_device, find_precision, one_thread
from ..errors import CheckpointError, DeviceError, ImageError, SettingsError
from ..types import PredictionKind
from .checkpoints import table
from .checkpoints.checkpoint_file import State
from .checkpoints.state import load_state
from .checkpoints.store import Origin, obtain
from .depth_anything import PRESETS, DepthAnything
from .network_settings import EstimatorSettings, prediction_kind
from .preprocessing import network_input, network_size

_SELF_TEST_TOLERANCE = 0.05  # mean relative; half precision that works stays below 0.01
_FLOOR_CORRELATION = 0.85
"""Of nearness with the row, over the floor of the test image, at the network's own input size. The
embedded weights reach 0.960; random ones at most 0.781, by 174 seeds of tiny and 17 of vits."""
_HORIZON, _FLOOR = 120, 130


class Estimator(Protocol):
    """A network that turns an image into depth or relative inverse depth.

    Attributes:
        max_depth: Depth [m] at which a metric prediction saturates; None if it does not.
        training_focal_px: Focal length of the images that a metric network was trained on, at
            its input [px]; None for a relative one.
        device: Device it runs on, and of its images and predictions.
    """

    kind: PredictionKind
    max_depth: float | None
    training_focal_px: float | None
    device: torch.device

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """Return (height, width) [px] at which the network sees an image of that size."""

    def predict(self, rgb: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Return the prediction for an image (H, W, 3) uint8 on the device.

        It is (*size) float32 of a (height, width) [px]: depth [m] or relative inverse depth.

        Raises:
            ImageError: The sides of the image differ more than 16 times.
        """


class BatchEstimator(Estimator, Protocol):
    """A network that takes several images of one shape at once."""

    def predict_batch(self, images: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Return predictions (N, *size) float32 for N images (H, W, 3) uint8 on the device."""


class DepthAnythingEstimator:
    """Depth Anything on one device; see `Estimator` for attributes and methods.

    The network comes with its weights, on the CPU. `input_size` is the shorter side of its input
    [px]; 0 is that of the preset.
    """

    def __init__(
        self,
        network: DepthAnything,
        device: torch.device,
        precision: torch.dtype = torch.float32,
        input_size: int = 0,
        training_focal_px: float | None = None,
    ) -> None:
        self.device = device
        self.precision = precision
        self.input_size = input_size or network.preset.input_size
        self.max_depth = network.max_depth
        self.training_focal_px = training_focal_px
        self.kind = prediction_kind(network.max_depth)
        self._network = network.eval().requires_grad_(False).to(device, precision)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of its input."""
        return network_size(height, width, self.input_size)

    def predict(self, rgb: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Return the prediction of one image."""
        return self.predict_batch([rgb], size)[0]

    @torch.inference_mode()
    def predict_batch(self, images: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Return the predictions of images of one shape."""
        height, width = images[0].shape[:2]
        if max(height, width) > 16 * min(height, width):
            why = 'its sides differ more than 16 times, which the network was never trained for'
            raise ImageError(f'image is {width}x{height} px; {why}')
        network_px = self.network_size(height, width)
        with one_thread():
            batch = torch.cat([network_input(rgb, network_px) for rgb in images])
        prediction = self._network(batch.to(self.precision))[:, None].float()
        # Aligned corners, as in the reference implementation.
        with one_thread():
            return F.interpolate(prediction, size, mode='bilinear', align_corners=True)[:, 0]


def load_estimator(
    settings: EstimatorSettings, progress: Callable[[int, int], None] | None = None
) -> DepthAnythingEstimator:
    """Return an estimator after warm-up; missing weights are downloaded.

    Half precision is compared with fp32 once; if it differs, `precision: auto` falls back to fp32
    with a warning.

    Raises:
        SettingsError: The encoder has no such variant.
        DeviceError: The device is missing, or the set precision computes wrong results.
        CheckpointError: The weights are missing, damaged, of another network or not licensed.
    """
    device = find_device(settings.device)
    precision = find_precision(settings.precision, device)
    asked = settings.encoder, settings.variant, settings.checkpoint
    checkpoint = obtain(*asked, settings.accept_noncommercial, progress)
    own = table.max_depth(table.resolve_variant(settings.encoder, settings.variant))
    if checkpoint.origin is Origin.PUBLISHED and settings.network_max_depth != own:
        raise SettingsError(
            f'checkpoint_max_depth is {settings.checkpoint_max_depth} m, and {checkpoint.path} is '
            f'a published file, trained to {own} m',
            'set it to 0.0',
        )
    state = load_state(checkpoint.path, settings.encoder)
    chosen = _build(settings, state, device, precision)
    result = self_test_image(chosen)
    if precision == torch.float32:
        _require_trained(chosen, result, settings, checkpoint.path)
        return chosen
    exact = _build(settings, state, device, torch.float32)
    expected = self_test_image(exact)
    difference = (result - expected).abs().mean() / expected.abs().mean()
    error = float(difference.nan_to_num(torch.inf))
    limit = f'at most {_SELF_TEST_TOLERANCE:.0%} is accepted'
    message = f'precision {precision} differs from fp32 by {error:.0%} on {device} ({limit})'
    is_wrong = error > _SELF_TEST_TOLERANCE
    if is_wrong and settings.precision != 'auto':
        raise DeviceError(f'{message}; set precision to fp32')
    _require_trained(exact, expected, settings, checkpoint.path)
    if not is_wrong:
        return chosen
    warnings.warn(f'{message}; running in fp32', RuntimeWarning, stacklevel=2)
    return exact


def _build(
    settings: EstimatorSettings, state: State, device: torch.device, precision: torch.dtype
) -> DepthAnythingEstimator:
    variant = table.resolve_variant(settings.encoder, settings.variant)
    preset, is_v1 = PRESETS[settings.encoder], variant == 'relative_v1'
    with torch.device('meta'):
        network = DepthAnything(preset, v1=is_v1, max_depth=settings.network_max_depth)
    network.to_empty(device='cpu').load_state_dict(state)
    focal_px = table.TRAINING_FOCAL_PX.get(variant)
    return DepthAnythingEstimator(network, device, precision, settings.input_size, focal_px)


def self_test_image(estimator: Estimator) -> torch.Tensor:
    """Return the prediction for a synthetic image of a floor and a wall; warms up the device."""
    v, u = torch.meshgrid(torch.arange(240), torch.arange(320), indexing='ij')
    floor = (v > _HORIZON) * (v - _HORIZON)
    rgb = torch.stack((60 + floor, 80 + (u // 16 + v // 16) % 2 * 90, 200 - floor), dim=-1)
    return estimator.predict(rgb.to(torch.uint8).to(estimator.device), (240, 320))


def _require_trained(
    estimator: DepthAnythingEstimator, seen: torch.Tensor, settings: EstimatorSettings, path: Path
) -> None:
    """Judge weights at the input size they were trained for; `seen` is of that of the settings."""
    own = PRESETS[settings.encoder].input_size
    if estimator.input_size != own:
        estimator.input_size, asked = own, estimator.input_size
        seen = self_test_image(estimator)
        estimator.input_size = asked
    require_trained(seen, estimator.kind, str(path))


def require_trained(prediction: torch.Tensor, kind: PredictionKind, path: str) -> None:
    """Judge weights by their prediction (H, W) for the test image; warn if they seem untrained.

    Raises:
        CheckpointError: It is not finite everywhere, or the same everywhere.
    """
    spread = float(prediction.std())
    if not torch.isfinite(prediction).all() or spread <= 1e-6 * float(prediction.abs().mean()):
        low, high = float(prediction.min()), float(prediction.max())
        raise CheckpointError(
            f'the network of {path} gives {low:g} to {high:g} for a picture of a room, which is '
            'no depth: its weights are zero, damaged or of another network',
            'fetch the file again',
        )
    floor = prediction[_FLOOR:].float()
    rows = torch.arange(len(floor), device=floor.device)[:, None].expand_as(floor)
    found = float(torch.corrcoef(torch.stack((floor, rows)).flatten(1))[0, 1])
    nearness = -found if kind is PredictionKind.DEPTH else found
    if nearness < _FLOOR_CORRELATION:
        warnings.warn(
            f'the network of {path} does not see the floor of a test picture come nearer towards '
            f'its lower edge (correlation {nearness:.2f}, trained ones have over '
            f'{_FLOOR_CORRELATION}): are these weights trained?',
            RuntimeWarning,
            stacklevel=2,
        )
