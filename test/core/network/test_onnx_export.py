"""Exported networks are the networks that they were exported from, at any size of the image."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_vit import SMALL

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CheckpointError, DeviceError, SettingsError
from mono_depth_ros.core.network import onnx_export, onnx_writer
from mono_depth_ros.core.network.cards.card_reader import read_card
from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything
from mono_depth_ros.core.network.estimator import (
    TorchEstimator,
    load_encoder,
    load_estimator,
)
from mono_depth_ros.core.network.exportable import exportable
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.network.onnx_export import export_onnx
from mono_depth_ros.core.network.onnx_writer import ExportedForm
from mono_depth_ros.core.network.zipdepth import ZipDepth
from mono_depth_ros.core.types import PredictionKind

CPU = torch.device('cpu')
SIZES = ((60, 80), (97, 71))
"""(height, width) of pictures, of other shapes than the exporter was shown."""


def picture(height: int, width: int) -> torch.Tensor:
    rng = np.random.default_rng(height)
    return torch.from_numpy(rng.integers(0, 256, (height, width, 3), np.uint8))


def made(encoder: str, v1: bool = False, max_depth: float | None = None) -> TorchEstimator:
    """Return a network of random weights, its position embedding and bias included."""
    torch.manual_seed(0)
    preset = SMALL if encoder == 'small' else PRESETS[encoder]
    network = DepthAnything(preset, v1=v1, max_depth=max_depth)
    torch.nn.init.normal_(network.pretrained.pos_embed, std=0.5)
    network.depth_head.scratch.output_conv2[2].bias.data += 1  # keeps a relative one above zero
    focal_px = None if max_depth is None else 600.0
    return TorchEstimator(network, CPU, input_size=70, training_focal_px=focal_px)


@pytest.fixture(scope='module')
def embedded() -> TorchEstimator:
    return load_encoder(EstimatorSettings('tiny', 'relative', device='cpu'))


@pytest.mark.parametrize('size', [(126, 168), (126, 126), (98, 182)])
def test_the_exportable_form_is_the_network(size: tuple[int, int]) -> None:
    """126x126 is the grid of the weights themselves, which is not resampled."""
    network = made('small').network
    with torch.inference_mode():
        image = torch.randn(2, 3, *size)
        torch.testing.assert_close(
            exportable(network)(image), network(image), rtol=1e-4, atol=1e-5
        )


@pytest.mark.filterwarnings('error')
def test_the_embedded_network(embedded: TorchEstimator, tmp_path: Path) -> None:
    path = tmp_path / 'tiny.onnx'
    difference = export_onnx(embedded, ExportedForm(), path, 'Apache-2.0', 'the package')
    assert difference < 1e-5
    assert [file.name for file in tmp_path.iterdir()] == ['tiny.onnx']
    loaded = load_estimator(EstimatorSettings(network=str(path)))
    assert loaded.kind is PredictionKind.RELATIVE_INVERSE_DEPTH
    for size in SIZES:
        (found,) = loaded.predict([picture(*size)], size, [None])
        (expected,) = embedded.predict([picture(*size)], size, [None])
        torch.testing.assert_close(found.values, expected.values, rtol=1e-4, atol=1e-5)
        assert loaded.network_size(*size) == embedded.network_size(*size)


@pytest.mark.parametrize('input_size', [0, 100])
def test_the_embedded_network_in_meters(tmp_path: Path, input_size: int) -> None:
    path = tmp_path / 'tiny.onnx'
    own = load_encoder(EstimatorSettings('tiny', device='cpu', input_size=input_size))
    export_onnx(own, ExportedForm(), path, 'Apache-2.0', 'the package')
    loaded = load_estimator(EstimatorSettings(network=str(path)))
    assert (loaded.kind, loaded.needs_camera) == (PredictionKind.DEPTH, True)
    for height, width in SIZES:
        camera = PinholeCamera.from_fov(width, height, 75.0)
        found, expected = (
            e.predict([picture(height, width)], (height, width), [camera])[0].inverted()
            for e in (loaded, own)
        )
        torch.testing.assert_close(found.values, expected.values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ('encoder', 'v1', 'max_depth'),
    [
        ('small', False, 20.0),
        ('vits', False, None),
        pytest.param('vits', True, None, marks=pytest.mark.large),
        pytest.param('vitb', False, 20.0, marks=pytest.mark.large),
    ],
)
def test_parity(encoder: str, v1: bool, max_depth: float | None, tmp_path: Path) -> None:
    estimator, path = made(encoder, v1, max_depth), tmp_path / 'random.onnx'
    export_onnx(estimator, ExportedForm(), path, 'MIT', 'random')
    with pytest.warns(RuntimeWarning, match='trained'):
        loaded = load_estimator(EstimatorSettings(network=str(path)))
    for size in SIZES:
        (found,) = loaded.predict([picture(*size)], size, [None])
        (expected,) = estimator.predict([picture(*size)], size, [None])
        assert found.kind is expected.kind
        torch.testing.assert_close(found.values, expected.values, rtol=1e-4, atol=1e-4)
        if expected.valid is not None:
            assert torch.equal(found.valid, expected.valid)


def test_a_fixed_size_and_half_precision(embedded: TorchEstimator, tmp_path: Path) -> None:
    path = tmp_path / 'half.onnx'
    difference = export_onnx(embedded, ExportedForm((96, 128), half=True), path, 'MIT', '')
    assert 1e-7 < difference < 1e-2
    card = read_card(str(path))
    assert (card.size.fixed, card.license) == ((96, 128), 'MIT')
    (found,) = load_estimator(EstimatorSettings(network=str(path))).predict(
        [picture(60, 80)], (60, 80), [None]
    )
    (expected,) = embedded.predict_at((96, 128), [picture(60, 80)], (60, 80), [None])
    torch.testing.assert_close(found.values, expected.values, rtol=0.02, atol=0.02)


def test_zipdepth(tmp_path: Path) -> None:
    network = ZipDepth()
    torch.nn.init.constant_(network.head.bias, 5.0)  # keeps the last ReLU away from zero
    path = tmp_path / 'zipdepth.onnx'
    estimator = TorchEstimator(network, CPU, input_size=64)
    with pytest.raises(SettingsError, match='70x98 px; both sides must be multiples of 32'):
        export_onnx(estimator, ExportedForm((98, 70)), path, 'MIT', '')
    assert export_onnx(estimator, ExportedForm(), path, 'MIT', '') < 1e-5
    card = read_card(str(path))
    assert (card.size.length, card.size.multiple) == (64, 32)
    assert card.input.interpolation == 'linear'


def test_card_of_a_metric_network() -> None:
    values = onnx_export.card_of(made('small', max_depth=20.0), ExportedForm())
    assert values['meters'] == {'rule': 'metric', 'training_focal_px': 600.0}
    assert values['range'] == [0, pytest.approx(19.6)]
    assert values['size'] == {'shorter': 70, 'multiple': 14}


def test_a_file_that_differs_is_not_left_behind(
    embedded: TorchEstimator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, '_TOLERANCE', {False: 0.0})
    with pytest.raises(CheckpointError, match='differs from PyTorch by'):
        export_onnx(embedded, ExportedForm(), tmp_path / 'tiny.onnx', 'MIT', '')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('size', [(100, 126), (0, 14), (-14, 14)])
def test_sizes_that_the_network_cannot_take(size: tuple[int, int]) -> None:
    with pytest.raises(SettingsError, match='both sides must be multiples of 14'):
        ExportedForm(size).require_multiple(14)


def test_a_network_too_large_for_one_file(
    embedded: TorchEstimator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_writer, '_MOST_BYTES', 10_000_000)
    with pytest.raises(CheckpointError, match='at most 2; take a smaller encoder, or --half'):
        export_onnx(embedded, ExportedForm(), tmp_path / 'tiny.onnx', 'MIT', '')


def test_without_the_package_onnx(
    embedded: TorchEstimator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(DeviceError, match=r'cannot be exported: .*; pip install onnx'):
        export_onnx(embedded, ExportedForm(), tmp_path / 'tiny.onnx', 'MIT', '')
