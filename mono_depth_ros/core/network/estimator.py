"""Estimators: networks that turn an image into a prediction."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F

from ..camera.pinhole import PinholeCamera
from ..devices import find_device, find_precision, one_thread
from ..errors import DeviceError, SettingsError
from ..types import PredictionKind
from .backends import RuntimeNetwork, find_backend, use_backend
from .cards.card_loading import load_card_estimator
from .cards.card_reader import read_network
from .checkpoints import table
from .checkpoints.checkpoint_file import State
from .checkpoints.state import load_state
from .checkpoints.store import Origin, obtain
from .cuda_graphs import GraphedNetwork, use_graph
from .exported_file import file_name
from .families import Network, build_network
from .focal_correction import focal_factor
from .hub.hub_card import HubCard
from .hub.hub_loading import load_hub_estimator
from .network_settings import EstimatorSettings
from .prediction import Prediction, canonical_prediction, metric_prediction
from .preprocessing import network_input, network_size, require_aspect
from .self_test import half_precision_error, require_trained, self_test_image


class Estimator(Protocol):
    """A network that turns images into depth or relative inverse depth.

    Attributes:
        kind: `RELATIVE_INVERSE_DEPTH` for a relative network; `DEPTH` for a metric one, whether
            its predictions are depth or inverse depth.
        needs_camera: Whether its meters depend on the camera, which it is told where it is known.
        device: Device it runs on, and of its images and predictions.
        precision: Type of the numbers that it computes with.
        backend: What runs it, one of `BACKENDS`.
    """

    kind: PredictionKind
    needs_camera: bool
    device: torch.device
    precision: torch.dtype
    backend: str

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """Return (height, width) [px] at which the network sees an image of that size."""

    def predict(
        self,
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        """Return the prediction for each of several images of one shape.

        Args:
            images: Each (H, W, 3) uint8 RGB on the device.
            size: (height, width) of the predictions [px].
            cameras: That of each image, at any size. None: not known, or not to be used; a
                metric network that has learned its meters with one focal length corrects them
                for a camera that it is told.

        Raises:
            ImageError: The sides of the images differ more than 16 times.
        """


class TorchEstimator:
    """A built-in network on one device; see `Estimator` for attributes and methods.

    The network comes with its weights, on the CPU. `input_size` is the shorter side of its input
    [px]; 0 is what its weights were trained for. `training_focal_px` is the focal length of the
    images that a metric network was trained on, at its input [px].

    Attributes:
        network: What it calls: the network itself, its exported copy in another backend, or its
            recording on a GPU.
    """

    backend = 'torch'

    def __init__(
        self,
        network: Network,
        device: torch.device,
        precision: torch.dtype = torch.float32,
        input_size: int = 0,
        training_focal_px: float | None = None,
    ) -> None:
        self.device = device
        self.precision = precision
        self.trained_input_size = network.input_size
        self.input_size = input_size or network.input_size
        self.max_depth = network.max_depth
        self.training_focal_px = training_focal_px
        self.sampling = network.sampling
        self.needs_camera = network.needs_camera
        is_metric = network.is_metric
        self.kind = PredictionKind.DEPTH if is_metric else PredictionKind.RELATIVE_INVERSE_DEPTH
        network.eval().requires_grad_(False).to(device, precision)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network: Network | RuntimeNetwork | GraphedNetwork = network

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of its input."""
        return network_size(height, width, self.input_size, self.sampling.multiple)

    @torch.inference_mode()
    def predict(
        self,
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        """Return the predictions of images of one shape."""
        height, width = images[0].shape[:2]
        require_aspect(height, width)
        return self.predict_at(self.network_size(height, width), images, size, cameras)

    @torch.inference_mode()
    def predict_at(
        self,
        network_px: tuple[int, int],
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        """Return the predictions with an input of that (height, width), multiples of its own."""
        with one_thread():
            batch = torch.cat([network_input(rgb, network_px, self.sampling) for rgb in images])
        outputs = self.network(batch.to(self.precision))[:, None].float()
        with one_thread():
            corners = self.sampling.align_corners
            outputs = F.interpolate(outputs, size, mode='bilinear', align_corners=corners)[:, 0]
            pairs = zip(outputs, cameras, strict=True)
            return [self._prediction(values, camera, network_px) for values, camera in pairs]

    def _prediction(
        self, values: torch.Tensor, camera: PinholeCamera | None, network_px: tuple[int, int]
    ) -> Prediction:
        if self.kind is PredictionKind.RELATIVE_INVERSE_DEPTH:
            return Prediction(values, self.kind)
        if self.needs_camera:
            shorter = min(network_px)
            known = None if camera is None else focal_factor(camera, network_px, shorter)
            return canonical_prediction(values, known)
        focal_px, factor = self.training_focal_px, 1.0
        if camera is not None and focal_px is not None:
            factor = focal_factor(camera, network_px, focal_px)
        return metric_prediction(values, self.max_depth, factor)


def load_estimator(
    settings: EstimatorSettings, progress: Callable[[int, int], None] | None = None
) -> Estimator:
    """Return the estimator of an encoder, a card or a model of transformers, after a self-test.

    Raises:
        MonoDepthError: See `load_encoder`, `load_card_estimator` and `load_hub_estimator`.
    """
    if not settings.network:
        estimator = load_encoder(settings, progress)
        use_graph(estimator)
        return estimator
    card = read_network(settings.network)
    if isinstance(card, HubCard):
        return load_hub_estimator(card, settings)
    return load_card_estimator(settings)


def load_encoder(
    settings: EstimatorSettings, progress: Callable[[int, int], None] | None = None
) -> TorchEstimator:
    """Return an estimator after warm-up; missing weights are downloaded.

    Half precision is compared with fp32 once; if it differs, `precision: auto` falls back to fp32
    with a warning.

    Raises:
        SettingsError: The encoder has no such variant.
        DeviceError: The device or the backend is missing, or the set precision computes wrong
            results.
        CheckpointError: The weights are missing, damaged, of another network or not licensed.
    """
    device = find_device(settings.device)
    precision = find_precision(settings.precision, device)
    asked = settings.encoder, settings.variant, settings.checkpoint
    checkpoint = obtain(*asked, settings.accept_noncommercial, progress)
    variant = table.resolve_variant(settings.encoder, settings.variant)
    own = table.max_depth(settings.encoder, variant)
    if checkpoint.origin is Origin.PUBLISHED and settings.network_max_depth != own:
        raise SettingsError(
            f'checkpoint_max_depth is {settings.checkpoint_max_depth} m, and {checkpoint.path} is '
            f'a published file, trained to {own} m',
            'set it to 0.0',
        )
    state = load_state(checkpoint.path, settings.encoder)
    backend = find_backend(settings.backend, settings.encoder, device, precision)
    is_exact = precision == torch.float32 or backend != 'torch'
    chosen = _build(settings, state, device, torch.float32 if is_exact else precision)
    result = self_test_image(chosen)
    if is_exact:
        _require_trained(chosen, result, settings, checkpoint.path)
        name = file_name(settings.encoder, checkpoint.sha256, settings.network_max_depth)
        use_backend(chosen, backend, precision, name, settings.backend != 'auto')
        return chosen
    exact = _build(settings, state, device, torch.float32)
    expected = self_test_image(exact)
    message = half_precision_error(result.values, expected.values, precision, device)
    if message and settings.precision != 'auto':
        raise DeviceError(f'{message}; set precision to fp32')
    _require_trained(exact, expected, settings, checkpoint.path)
    if not message:
        return chosen
    warnings.warn(f'{message}; running in fp32', RuntimeWarning, stacklevel=2)
    return exact


def _build(
    settings: EstimatorSettings, state: State, device: torch.device, precision: torch.dtype
) -> TorchEstimator:
    variant = table.resolve_variant(settings.encoder, settings.variant)
    with torch.device('meta'):
        network = build_network(settings.encoder, variant, settings.network_max_depth)
    network.to_empty(device='cpu').load_state_dict(state)
    focal_px = table.TRAINING_FOCAL_PX.get(variant)
    return TorchEstimator(network, device, precision, settings.input_size, focal_px)


def _require_trained(
    estimator: TorchEstimator, seen: Prediction, settings: EstimatorSettings, path: Path
) -> None:
    """Judge weights at the input size they were trained for; `seen` is of that of the settings."""
    own = estimator.trained_input_size
    if estimator.input_size != own:
        estimator.input_size, asked = own, estimator.input_size
        seen = self_test_image(estimator)
        estimator.input_size = asked
    require_trained(seen, str(path))
