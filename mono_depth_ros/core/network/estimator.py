"""Estimators: networks that turn an image into a prediction."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F

from ..devices import PRECISIONS, find_device, find_precision, one_thread
from ..errors import DeviceError, ImageError, SettingsError
from ..settings import Settings, setting
from ..types import PredictionKind
from . import PRESETS, DepthAnything
from .checkpoints.state import load_state
from .checkpoints.store import Origin, obtain
from .checkpoints.table import ENCODERS, VARIANTS, max_depth, resolve_variant
from .focal_length import TRAINING_FOCAL_PX
from .preprocessing import network_input, network_size

_SELF_TEST_TOLERANCE = 0.05
"""Mean relative difference; half precision that works stays below 0.01."""


@dataclass(frozen=True)
class EstimatorSettings(Settings):
    """Settings of the network."""

    encoder: str = setting(
        'vits', 'Network size; tiny ships with the package.', choices=ENCODERS, reload=True
    )
    variant: str = setting(
        'auto',
        'Training of the weights; auto selects metric_indoor, or relative for tiny and vitg.',
        choices=VARIANTS,
        reload=True,
    )
    checkpoint: str = setting(
        '', 'Local .pth or .safetensors file to use instead of the published weights.', reload=True
    )
    accept_noncommercial: bool = setting(
        False, 'Accept weights whose license forbids commercial use (CC-BY-NC-4.0).', reload=True
    )
    device: str = setting(
        'auto',
        'auto, cuda, cuda:N, mps or cpu; auto selects the first one available.',
        reload=True,
    )
    precision: str = setting(
        'auto',
        'Floating-point type of the network; auto selects fp16 on CUDA, fp32 elsewhere.',
        choices=('auto', *PRECISIONS),
        reload=True,
    )
    input_size: int = setting(
        0,
        "Shorter side of the network input; 0 selects the encoder's default (518, tiny: 126).",
        unit='px',
        minimum=0,
        maximum=2044,
        reload=True,
    )
    checkpoint_max_depth: float = setting(
        0.0,
        'Depth at which the metric network in checkpoint saturates, as it was trained; 0 = that '
        'of the variant (metric_indoor 20, metric_outdoor 80). Raise max_depth with it.',
        unit='m',
        minimum=0.0,
        maximum=10000.0,
        reload=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.checkpoint_max_depth and not self.checkpoint:
            raise SettingsError(
                f'checkpoint_max_depth is {self.checkpoint_max_depth} m without a checkpoint',
                'published weights have their own: set it to 0.0, or set checkpoint',
            )

    @property
    def kind(self) -> PredictionKind:
        """Kind of its predictions.

        Raises:
            SettingsError: See `network_max_depth`.
        """
        is_relative = self.network_max_depth is None
        return PredictionKind.RELATIVE_INVERSE_DEPTH if is_relative else PredictionKind.DEPTH

    @property
    def network_max_depth(self) -> float | None:
        """Depth at which a metric network saturates [m], None for a relative one.

        Raises:
            SettingsError: The encoder has no such variant, or a relative one is given a maximum.
        """
        variant = resolve_variant(self.encoder, self.variant)
        own = max_depth(variant)
        if own is None and self.checkpoint_max_depth:
            raise SettingsError(
                f'checkpoint_max_depth is {self.checkpoint_max_depth} m, and variant {variant} is '
                'relative',
                'set it to 0.0, or variant to metric_indoor or metric_outdoor',
            )
        return self.checkpoint_max_depth or own


class Estimator(Protocol):
    """A network that turns an image into depth or relative inverse depth.

    Attributes:
        kind: Kind of its predictions.
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
        """Return the prediction (*size) float32 for an image (H, W, 3) uint8 on the device."""


class BatchEstimator(Estimator, Protocol):
    """A network that takes several images of one shape at once."""

    def predict_batch(self, images: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Return predictions (N, *size) float32 for N images (H, W, 3) uint8 on the device."""


class DepthAnythingEstimator:
    """Depth Anything on one device; see `Estimator` for its attributes.

    Args:
        network: Network with its weights, on the CPU.
        device: Device to run it on.
        precision: Number type to run it in.
        input_size: Shorter side of its input [px]; 0 is that of the preset.
        training_focal_px: See `Estimator`.
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
        self.kind = (
            PredictionKind.RELATIVE_INVERSE_DEPTH
            if network.max_depth is None
            else PredictionKind.DEPTH
        )
        self._network = network.eval().requires_grad_(False).to(device, precision)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """Return (height, width) [px] at which the network sees an image of that size."""
        return network_size(height, width, self.input_size)

    def predict(self, rgb: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Return the prediction (*size) float32: depth [m] or relative inverse depth.

        Args:
            rgb: (H, W, 3) uint8 on the estimator's device.
            size: (height, width) [px] of the result, which is resized bilinearly with aligned
                corners, as the reference implementation does.

        Raises:
            ImageError: The sides of the image differ more than 16 times.
        """
        return self.predict_batch([rgb], size)[0]

    @torch.inference_mode()
    def predict_batch(self, images: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Return predictions (N, *size) float32 of images of one shape; see `predict`.

        Raises:
            ImageError: See `predict`.
        """
        height, width = images[0].shape[:2]
        if max(height, width) > 16 * min(height, width):
            raise ImageError(
                f'image is {width}x{height} px; its sides differ more than 16 times, which the '
                'network was never trained for'
            )
        with one_thread():
            network_px = self.network_size(height, width)
            batch = torch.cat([network_input(rgb, network_px) for rgb in images])
        prediction = self._network(batch.to(self.precision))[:, None].float()
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
    checkpoint = obtain(
        settings.encoder,
        settings.variant,
        settings.checkpoint,
        settings.accept_noncommercial,
        progress,
    )
    own = max_depth(resolve_variant(settings.encoder, settings.variant))
    if checkpoint.origin is Origin.PUBLISHED and settings.network_max_depth != own:
        raise SettingsError(
            f'checkpoint_max_depth is {settings.checkpoint_max_depth} m, and {checkpoint.path} is '
            f'a published file, trained to {own} m; set it to 0.0'
        )
    state = load_state(checkpoint.path, settings.encoder)
    chosen = _build(settings, state, device, precision)
    result = self_test_image(chosen)
    if precision == torch.float32:
        return chosen
    exact = _build(settings, state, device, torch.float32)
    error = _relative_difference(result, self_test_image(exact))
    if error <= _SELF_TEST_TOLERANCE:
        return chosen
    message = (
        f'precision {precision} differs from fp32 by {error:.0%} on {device} (at most '
        f'{_SELF_TEST_TOLERANCE:.0%} is accepted)'
    )
    if settings.precision != 'auto':
        raise DeviceError(f'{message}; set precision to fp32')
    warnings.warn(f'{message}; running in fp32', RuntimeWarning, stacklevel=2)
    return exact


def _build(
    settings: EstimatorSettings,
    state: dict[str, torch.Tensor],
    device: torch.device,
    precision: torch.dtype,
) -> DepthAnythingEstimator:
    variant = resolve_variant(settings.encoder, settings.variant)
    with torch.device('meta'):
        network = DepthAnything(
            PRESETS[settings.encoder],
            v1=variant == 'relative_v1',
            max_depth=settings.network_max_depth,
        )
    network.to_empty(device='cpu').load_state_dict(state)
    focal_px = TRAINING_FOCAL_PX.get(variant)
    return DepthAnythingEstimator(network, device, precision, settings.input_size, focal_px)


def self_test_image(estimator: Estimator) -> torch.Tensor:
    """Return the prediction for a synthetic image of a floor and a wall; warms up the device."""
    v, u = torch.meshgrid(torch.arange(240), torch.arange(320), indexing='ij')
    floor = (v > 120) * (v - 120)
    rgb = torch.stack((60 + floor, 80 + (u // 16 + v // 16) % 2 * 90, 200 - floor), dim=-1)
    return estimator.predict(rgb.to(torch.uint8).to(estimator.device), (240, 320))


def _relative_difference(value: torch.Tensor, reference: torch.Tensor) -> float:
    difference = (value - reference).abs().mean() / reference.abs().mean()
    return float(difference.nan_to_num(torch.inf))
