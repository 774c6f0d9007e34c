"""Load a model of transformers: safetensors only, and no code of others."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ...camera.pinhole import PinholeCamera
from ...devices import find_device, find_precision
from ...errors import CheckpointError, DeviceError, SettingsError
from ...parsing import parsing
from ..cards.judgment import judge
from ..network_settings import EstimatorSettings
from ..self_test import TEST_CAMERA, half_precision_error, room_picture
from .hub_card import HubCard
from .hub_estimator import HubEstimator

_UNUSED = re.compile(r'(?:.*\.)?fusion_stage\.layers\.0\.residual_layer1\..*')
"""The first level of a fusion has no finer one to add; published files leave its weights out."""


def load_hub_estimator(card: HubCard, settings: EstimatorSettings) -> HubEstimator:
    """Return the estimator of a model after a self-test.

    Half precision is compared with fp32 once; if it differs, `precision: auto` falls back to fp32
    with a warning.

    Raises:
        SettingsError: Another parameter contradicts it.
        LicenseError: The license was not accepted.
        CheckpointError: The weights are missing, damaged, of another class, or no safetensors.
        DeviceError: transformers or the device is missing, or the set precision is wrong.
    """
    card.require_license(settings.accept_noncommercial)
    card = card.sized(settings.input_size)
    if settings.provider != 'auto':
        raise SettingsError(
            f'provider is {settings.provider}, and {card.model} runs in PyTorch',
            'set provider to auto; device selects what it runs on',
        )
    device = find_device(settings.device)
    precision = find_precision(settings.precision, device)
    model = load_model(card)
    exact = HubEstimator(card, model, device, torch.float32)
    judge(exact)
    expected = _tested(exact, upright=False)
    if card.processor.size.fixed is None:
        _tested(exact, upright=True)
    if precision == torch.float32:
        return exact
    chosen = HubEstimator(card, exact.model, device, precision)
    message = half_precision_error(_tested(chosen, upright=False), expected, precision, device)
    if not message:
        return chosen
    if settings.precision != 'auto':
        raise DeviceError(f'{message}; set precision to fp32')
    warnings.warn(f'{message}; running in fp32', RuntimeWarning, stacklevel=2)
    # Its weights were rounded.
    return HubEstimator(card, load_model(card), device, torch.float32)


def load_model(card: HubCard) -> torch.nn.Module:
    """Return the model of a card in float32 on the CPU.

    Raises:
        DeviceError: transformers is not installed.
        CheckpointError: The weights are no safetensors, damaged or not those of the class.
    """
    card.require_model()
    library = _library()
    remedy = 'fetch or save it again: config.json and weights are of one model'
    with parsing(card.model, 'model for depth', CheckpointError, remedy), _silent(library):
        model, report = library.AutoModelForDepthEstimation.from_pretrained(
            card.folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    lacking = sorted(name for name in report['missing_keys'] if not _UNUSED.fullmatch(name))
    if lacking:
        raise CheckpointError(
            f'the weights of {card.model} lack {len(lacking)} entries of '
            f'{type(model).__name__}, such as {lacking[0]}',
            'they are of another model, or config.json is',
        )
    made: torch.nn.Module = model.float()
    return made


def _tested(estimator: HubEstimator, upright: bool) -> torch.Tensor:
    """Return the prediction (H, W) for the test picture, lying or upright."""
    picture = room_picture().to(estimator.device)
    if upright:
        picture = picture.transpose(0, 1).contiguous()
    height, width = picture.shape[:2]
    camera: PinholeCamera | None = TEST_CAMERA if estimator.needs_camera else None
    if camera is not None:
        camera = camera.resized(width, height)
    return estimator.predict([picture], (height, width), [camera])[0].values


def _library() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise DeviceError(
            f'a network with hf: needs transformers, which is not here ({error})',
            "pip install 'transformers>=5,<6', or the extra hf",
        ) from error
    return transformers


@contextmanager
def _silent(library: Any) -> Iterator[None]:
    """Keep the library from writing bars and tables of weights to the terminal."""
    logging = library.utils.logging
    verbosity, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if has_bar:
            logging.enable_progress_bar()
