"""Our own networks as ONNX files that carry their card, proven equal to PyTorch."""

import inspect
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import CheckpointError, DeviceError, SettingsError
from .cards.card_estimator import CardEstimator
from .cards.card_reader import read_card
from .cards.onnx_metadata import METADATA_KEY, append_metadata
from .cards.onnx_session import OnnxSession
from .estimator import TorchEstimator
from .exportable import exportable
from .families import Network
from .prediction import SATURATED, Prediction
from .preprocessing import IMAGENET_MEAN, IMAGENET_STD
from .self_test import room_picture

_OPSET = 17
_MOST_BYTES = 2_000_000_000  # that a protocol buffer can hold
_TOLERANCE = {False: 1e-4, True: 0.05}
"""Largest mean difference from PyTorch, relative to the mean, in single and in half precision;
the latter is that of the self-test of a precision."""


@dataclass(frozen=True)
class ExportedForm:
    """The form of an exported network.

    Attributes:
        size: (height, width) of its input [px]; None if it takes any, as PyTorch does.
        half: Whether it computes in half precision.
    """

    size: tuple[int, int] | None = None
    half: bool = False

    def require_multiple(self, multiple: int) -> None:
        """Raise `SettingsError` if the size is not positive and a multiple of that [px]."""
        if self.size is not None and (min(self.size) < 1 or any(n % multiple for n in self.size)):
            height, width = self.size
            raise SettingsError(
                f'size is {width}x{height} px; both sides must be multiples of {multiple}'
            )


def export_onnx(
    estimator: TorchEstimator, form: ExportedForm, path: Path, license_id: str, source: str
) -> float:
    """Write a network and return its largest mean difference from PyTorch at two sizes.

    Args:
        estimator: On the CPU, in single precision.
        form: Of the file.
        path: Of the file; it is there only if it is right.
        license_id: Of the weights, '' if unknown.
        source: Where they come from.

    Raises:
        SettingsError: The network does not take the size of the form.
        DeviceError: What exports or runs ONNX files is missing.
        CheckpointError: The file differs from PyTorch, or would be larger than 2 GB.
    """
    form.require_multiple(estimator.network.multiple)
    part = path.with_name(f'{path.stem}.part.onnx')
    _require_size(estimator, form)
    try:
        write_model(estimator.network, form, part)
        values = card_of(estimator, form) | {'license': license_id, 'source': source}
        kept = {name: value for name, value in values.items() if value != ''}
        append_metadata(part, {METADATA_KEY: json.dumps(kept)})
        difference = _difference(estimator, part)
        if not difference <= _TOLERANCE[form.half]:
            raise CheckpointError(
                f'the exported network differs from PyTorch by {difference:.2g} of its mean (at '
                f'most {_TOLERANCE[form.half]:g} is accepted)'
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return difference


def card_of(estimator: TorchEstimator, form: ExportedForm) -> dict[str, Any]:
    """Return the keys of the card of an exported network."""
    network = estimator.network
    size: dict[str, Any] = {'shorter': estimator.input_size, 'multiple': network.multiple}
    if form.size is not None:
        size = {'fixed': list(form.size), 'fit': 'stretch'}
    values: dict[str, Any] = {
        'input': {
            'name': 'image',
            'order': 'rgb',
            'scale': '1/255',
            'mean': list(IMAGENET_MEAN),
            'std': list(IMAGENET_STD),
            'interpolation': network.interpolation,
        },
        'size': size,
        'output': {'name': 'depth', 'kind': 'relative_inverse_depth', 'align_corners': True},
        'meters': {'rule': 'fit'},
    }
    if estimator.max_depth is None:
        return values
    values['output']['kind'] = 'depth'
    values['range'] = [0, SATURATED * estimator.max_depth]
    values['meters'] = {'rule': 'metric'}
    if estimator.training_focal_px is not None:
        values['meters']['training_focal_px'] = estimator.training_focal_px
    return values


def _require_size(estimator: TorchEstimator, form: ExportedForm) -> None:
    count = sum(parameter.numel() for parameter in estimator.network.parameters())
    size = count * (2 if form.half else 4)
    if size > _MOST_BYTES:
        raise CheckpointError(
            f'the network has {size / 1e9:.1f} GB, and an ONNX file of one piece at most 2',
            'take a smaller encoder' if form.half else 'take a smaller encoder, or --half',
        )


def write_model(network: Network, form: ExportedForm, path: Path) -> None:
    """Write a network on the CPU, without a card: `image` (N, 3, H, W) -> `depth` (N, H, W).

    Raises:
        DeviceError: What exports ONNX files is missing.
    """
    shown = form.size or (2 * network.multiple, 3 * network.multiple)
    any_size = {'image': {0: 'batch', 2: 'height', 3: 'width'}, 'depth': {0: 'batch', 1: 'rows'}}
    any_size['depth'][2] = 'columns'
    options: dict[str, Any] = {'dynamic_axes': any_size if form.size is None else None}
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        # The other exporter takes ten times as long and records the number of images.
        options['dynamo'] = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of sizes that become constants; those are tested
            torch.onnx.export(
                exportable(network),
                (torch.zeros(1, 3, *shown),),
                str(path),
                input_names=['image'],
                output_names=['depth'],
                opset_version=_OPSET,
                **options,
            )
        if form.half:
            _halve(path)
    except (ImportError, torch.onnx.errors.OnnxExporterError) as error:
        remedy = 'pip install onnx onnxruntime'
        raise DeviceError(f'the network cannot be exported: {error}', remedy) from error


def _halve(path: Path) -> None:
    """Have the model compute in half precision; image and depth stay in single precision."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(onnx.load(path), keep_io_types=True)
    onnx.save(model, path)


def _difference(estimator: TorchEstimator, path: Path) -> float:
    """Return the largest mean difference of depth over two pictures, relative to the mean."""
    card = read_card(str(path))
    exported = CardEstimator(card, OnnxSession(card.model, 'cpu'), torch.device('cpu'))
    differences = []
    for picture in (room_picture(), room_picture().transpose(0, 1).contiguous()):
        found = _predicted(exported, picture)
        network = card.size.place(*picture.shape[:2]).network
        expected = _predicted(estimator, picture, network if card.size.fixed else None)
        differences.append(
            float((found.values - expected.values).abs().mean() / expected.values.abs().mean())
        )
    return max(differences)


def _predicted(
    estimator: TorchEstimator | CardEstimator,
    picture: torch.Tensor,
    network: tuple[int, int] | None = None,
) -> Prediction:
    cameras: list[PinholeCamera | None] = [None]
    size = (picture.shape[0], picture.shape[1])
    if network is not None and isinstance(estimator, TorchEstimator):
        return estimator.predict_at(network, [picture], size, cameras)[0]
    return estimator.predict([picture], size, cameras)[0]
