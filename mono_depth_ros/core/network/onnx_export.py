"""Our own networks as ONNX files that carry their card, proven equal to PyTorch."""

import json
from pathlib import Path
from typing import Any

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import CheckpointError
from .cards.card_estimator import CardEstimator
from .cards.card_reader import read_card
from .cards.onnx_metadata import METADATA_KEY, append_metadata
from .cards.onnx_session import OnnxSession
from .estimator import TorchEstimator
from .families import Network
from .onnx_writer import ExportedForm, write_model
from .prediction import SATURATED, Prediction
from .self_test import TEST_CAMERA, room_picture

_TOLERANCE = {False: 1e-4, True: 0.05}
"""Largest mean difference from PyTorch, relative to the mean, in single and in half precision;
the latter is that of the self-test of a precision."""


def export_onnx(
    estimator: TorchEstimator, form: ExportedForm, path: Path, license_id: str, source: str
) -> float:
    """Write a network and return its largest mean difference from PyTorch at two sizes.

    Args:
        estimator: On the CPU, in single precision, with backend torch.
        form: Of the file.
        path: Of the file; it is there only if it is right.
        license_id: Of the weights, '' if unknown.
        source: Where they come from.

    Raises:
        SettingsError: The network does not take the size of the form.
        DeviceError: What exports or runs ONNX files is missing.
        CheckpointError: The file differs from PyTorch, or would be larger than 2 GB.
    """
    network = estimator.network
    if not isinstance(network, Network):
        raise ValueError('the estimator runs an exported or recorded copy of its network')
    form.require_multiple(network.sampling.multiple)
    part = path.with_name(f'{path.stem}.part.onnx')
    try:
        write_model(network, form, part)
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
    sampling = estimator.sampling
    size: dict[str, Any] = {'shorter': estimator.input_size, 'multiple': sampling.multiple}
    if form.size is not None:
        size = {'fixed': list(form.size), 'fit': 'stretch'}
    values: dict[str, Any] = {
        'input': {
            'name': 'image',
            'order': 'rgb',
            'scale': '1/255',
            'mean': list(sampling.mean),
            'std': list(sampling.std),
            'interpolation': sampling.interpolation,
        },
        'size': size,
        'output': {
            'name': 'depth',
            'kind': 'relative_inverse_depth',
            'align_corners': sampling.align_corners,
        },
        'meters': {'rule': 'fit'},
    }
    if estimator.needs_camera:
        values['output']['kind'] = 'inverse_depth'
        shorter = min(form.size or estimator.network_size(1000, 1000))
        values['meters'] = {'rule': 'canonical', 'focal_px': shorter}
    if estimator.max_depth is None:
        return values
    values['output']['kind'] = 'depth'
    values['range'] = [0, SATURATED * estimator.max_depth]
    values['meters'] = {'rule': 'metric'}
    if estimator.training_focal_px is not None:
        values['meters']['training_focal_px'] = estimator.training_focal_px
    return values


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
    cameras: list[PinholeCamera | None] = [TEST_CAMERA if estimator.needs_camera else None]
    size = (picture.shape[0], picture.shape[1])
    if network is not None and isinstance(estimator, TorchEstimator):
        return estimator.predict_at(network, [picture], size, cameras)[0]
    return estimator.predict([picture], size, cameras)[0]
