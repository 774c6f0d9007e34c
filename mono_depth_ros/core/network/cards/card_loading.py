"""Load a network by its card, and hold the file to what the card says."""

from dataclasses import replace

import torch

from ...devices import find_device
from ...errors import CheckpointError, DeviceError, SettingsError
from ..network_settings import EstimatorSettings
from ..self_test import TEST_CAMERA, room_picture
from .card_estimator import CardEstimator
from .card_reader import read_card
from .judgment import judge
from .network_card import CameraInput, NetworkCard
from .placement import SizeRule
from .session import Session, TensorInfo, open_session

_RATIO_TOLERANCE = 0.05  # of output to input; rounding of a small output is less
_BAKED = (
    'the exporter recorded the size that it was shown: set size in the card to that one, as '
    'fixed, or export the model again for any size'
)


def load_card_estimator(settings: EstimatorSettings) -> CardEstimator:
    """Return the estimator of `network` after a self-test.

    Raises:
        SettingsError: The card is incomplete, or another parameter contradicts it.
        LicenseError: The license was not accepted.
        CheckpointError: The model is missing, another one, or not what the card says.
        DeviceError: ONNX Runtime or the provider is missing.
    """
    card = sized(read_card(settings.network), settings.input_size)
    card.require_license(settings.accept_noncommercial)
    card.require_model()
    card.require_sha256()
    session = open_session(card.model, settings.provider)
    require_tensors(card, session)
    estimator = CardEstimator(card, session, _device(settings, session.provider))
    found = str(estimator.precision).removeprefix('torch.float')
    if settings.precision not in ('auto', f'fp{found}'):
        raise SettingsError(
            f'precision is {settings.precision}, and {card.model} computes in fp{found}',
            'set precision to auto, or export the network in the other one',
        )
    require_sizes(estimator)
    judge(estimator)
    return estimator


def sized(card: NetworkCard, input_size: int) -> NetworkCard:
    """Return the card with `input_size` as the side that its size follows; 0 leaves it as it is.

    Raises:
        SettingsError: The input has a fixed size.
    """
    if not input_size:
        return card
    if card.size.fixed is not None:
        height, width = card.size.fixed
        raise SettingsError(
            f'input_size is {input_size} px, and the input of {card.path} is {width}x{height} px',
            'set input_size to 0',
        )
    rule = SizeRule(None, card.size.side, input_size, card.size.multiple)
    return replace(card, size=rule)


def require_tensors(card: NetworkCard, session: Session) -> None:
    """Raise `CheckpointError` unless the model has the inputs and outputs of the card."""
    fed = {
        card.input.name: 'input.name',
        **({card.camera.name: 'camera.name'} if card.camera else {}),
    }
    for name, key in fed.items():
        _require_name(card, key, name, session.inputs)
    if left := [name for name in session.inputs if name not in fed]:
        raise CheckpointError(
            f'{card.model} needs the input {", ".join(left)}, which {card.path} does not give',
            'export the model without it',
        )
    keys = {card.output: 'output.name'}
    keys |= {card.invalid.name: 'invalid.name'} if card.invalid else {}
    keys |= {card.spread.name: 'spread.name'} if card.spread else {}
    for name, key in keys.items():
        _require_name(card, key, name, session.outputs)
        _require_number(card, name, session.outputs[name])
    _require_image(card, session.inputs[card.input.name])
    if card.camera is not None:
        _require_camera(card, card.camera, session.inputs[card.camera.name])


def _require_name(card: NetworkCard, key: str, name: str, there: dict[str, TensorInfo]) -> None:
    if name not in there:
        has = ', '.join(f'{known} {info}' for known, info in there.items())
        raise CheckpointError(f'{card.model} has no {name!r}', f'set {key} to one of: {has}')


def _require_number(card: NetworkCard, name: str, info: TensorInfo) -> None:
    if info.dtype is None or info.type_name == 'uint8':
        raise _no_scale(card, name, info)


def _no_scale(card: NetworkCard, name: str, info: TensorInfo) -> CheckpointError:
    return CheckpointError(
        f'{name} of {card.model} is {info}, of numbers without a scale',
        'export the model so that it takes and gives float, quantized inside or not',
    )


def _require_image(card: NetworkCard, info: TensorInfo) -> None:
    name, rule = card.input.name, card.input
    is_plain = (rule.scale, rule.mean, rule.std) == (1.0, (0.0,) * 3, (1.0,) * 3)
    if info.dtype is None or (not info.dtype.is_floating_point and not is_plain):
        raise _no_scale(card, name, info)
    if len(info.shape) != 4:
        raise CheckpointError(f'{name} of {card.model} is {info}, not an image of four axes')
    batch, *sides = info.shape
    channels = sides.pop(0 if rule.layout == 'nchw' else -1)
    if channels not in (None, 3) or (channels is None and 3 in sides):
        other = 'nhwc' if rule.layout == 'nchw' else 'nchw'
        raise CheckpointError(
            f'{name} of {card.model} is {info}, which has {channels or "any"} channels in '
            f'{rule.layout}',
            f'set input.layout to {other}, or name another input',
        )
    if batch not in (None, 1):
        raise CheckpointError(f'{name} of {card.model} is {info}: it takes {batch} images at once')
    _require_sides(card, tuple(sides))


_CAMERA_SHAPES: dict[str, tuple[int | None, ...]] = {
    'K3x3': (3, 3),
    'P3x4': (3, 4),
    'focal_px': (),
    'fov_x_deg': (),
    'rays': (3, None, None),
}


def _require_camera(card: NetworkCard, camera: CameraInput, info: TensorInfo) -> None:
    """Raise `CheckpointError` unless the input takes that form, with axes of 1 before it."""
    form, there = _CAMERA_SHAPES[camera.form], info.shape
    if camera.form == 'rays' and card.size.fixed is not None:
        form = (3, *card.size.fixed)
    expected = (*(1,) * (len(there) - len(form)), *form)
    fits = all(None in pair or pair[0] == pair[1] for pair in zip(there, expected, strict=False))
    if len(there) != len(expected) or not fits or info.dtype is None:
        sides = ', '.join('any' if n is None else str(n) for n in form)
        raise CheckpointError(
            f'{camera.name} of {card.model} is {info}, and camera.form is {camera.form}, of shape '
            f'({sides})',
            f'set camera.form in {card.path} to what the model takes, one of '
            f'{", ".join(_CAMERA_SHAPES)}',
        )


def _require_sides(card: NetworkCard, sides: tuple[int | None, ...]) -> None:
    known = [n for n in sides if n is not None]
    fixed = card.size.fixed
    if fixed is None and known:
        raise CheckpointError(
            f'{card.model} takes images of {list(sides)} px only, and size in {card.path} follows '
            f'the image',
            f'set size to fixed: {known}, and fit' if len(known) == 2 else 'set size to fixed',
        )
    if fixed is not None and any(n not in (None, m) for n, m in zip(sides, fixed, strict=True)):
        raise CheckpointError(
            f'{card.model} takes images of {list(sides)} px, and size.fixed is {list(fixed)}',
            f'set size.fixed to {list(sides)}',
        )


def require_sizes(estimator: CardEstimator) -> None:
    """Run a model at two sizes, if its card says that it takes any.

    Exporters record numbers of the image that they were shown, such as the grid of the position
    embedding, and still call the axes dynamic.

    Raises:
        CheckpointError: It fails at one of them, or gives an output of the wrong size.
    """
    card = estimator.card
    if card.size.fixed is not None:
        _require_upright(estimator, card.size.fixed)
        return
    ratios, camera = [], TEST_CAMERA if card.needs_camera else None
    for picture in (room_picture(), room_picture().transpose(0, 1)):
        height, width = picture.shape[:2]
        network = card.size.place(height, width).network
        try:
            estimator.predict([picture.to(estimator.device)], (height, width), [camera])
        except CheckpointError as error:
            raise CheckpointError(error.what, _BAKED) from error
        assert estimator.output_size is not None
        ratios.append([out / n for out, n in zip(estimator.output_size, network, strict=True)])
    for first, second in zip(*ratios, strict=True):
        if abs(first - second) > _RATIO_TOLERANCE * first:
            raise CheckpointError(
                f'{card.model} gives an output of {list(estimator.output_size or ())} px whatever '
                'the size of its input',
                _BAKED,
            )


def _require_upright(estimator: CardEstimator, network: tuple[int, int]) -> None:
    """Raise `CheckpointError` if an output has its rows and columns exchanged."""
    card, picture = estimator.card, room_picture().to(estimator.device)
    camera = TEST_CAMERA if card.needs_camera else None
    estimator.predict([picture], (240, 320), [camera])
    assert estimator.output_size is not None
    (rows, columns), (height, width) = estimator.output_size, network
    if height != width and rows * height == columns * width:
        raise CheckpointError(
            f'{card.model} gives an output of {[rows, columns]} px for an input of '
            f'{[height, width]} px (height, width): its rows and columns are exchanged',
            'export the model with an output (..., height, width)',
        )


def _device(settings: EstimatorSettings, provider: str) -> torch.device:
    if provider in ('cuda', 'tensorrt'):
        return find_device('cuda' if settings.device == 'auto' else settings.device)
    if settings.device not in ('auto', 'cpu'):
        raise DeviceError(
            f'device is {settings.device}, and ONNX Runtime runs on {provider}',
            'set device to auto; a GPU needs onnxruntime-gpu and provider cuda',
        )
    return torch.device('cpu')
