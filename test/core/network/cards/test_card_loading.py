"""Loading by a card: files that are not what it says, and machines that lack what it needs."""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx_models import card_values, save_model, write_card

from mono_depth_ros.core.errors import (
    CheckpointError,
    DeviceError,
    LicenseError,
    MonoDepthError,
    SettingsError,
)
from mono_depth_ros.core.network.cards import session
from mono_depth_ros.core.network.cards.onnx_session import find_provider
from mono_depth_ros.core.network.cards.session import thread_count
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.types import PredictionKind

FOLLOWING = {'shorter': 56, 'multiple': 14}
RELATIVE = {
    'output': {'name': 'depth', 'kind': 'relative_inverse_depth'},
    'meters': {'rule': 'fit'},
}


def load(folder: Path, values: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Load by a card with those changes, and parameters with those values."""
    network = write_card(folder, **changes)
    return load_estimator(EstimatorSettings(network=network, **(values or {})))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_model(tmp_path / 'model.onnx')


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('size', [{'fixed': [60, 80], 'fit': 'stretch'}, FOLLOWING])
def test_a_network_that_is_what_its_card_says(
    model: Path, tmp_path: Path, size: dict[str, Any]
) -> None:
    estimator = load(tmp_path, size=size)
    assert (estimator.kind, estimator.precision) == (PredictionKind.DEPTH, torch.float32)
    assert estimator.device == torch.device('cpu')


def test_input_size(model: Path, tmp_path: Path) -> None:
    assert load(tmp_path, size=FOLLOWING).network_size(480, 640) == (56, 70)
    larger = load(tmp_path, {'input_size': 112}, size=FOLLOWING)
    assert larger.network_size(480, 640) == (112, 154)
    with pytest.raises(
        SettingsError, match=r'input_size is 112 px, and .* is 80x60 px; set input'
    ):
        load(tmp_path, {'input_size': 112})


@pytest.mark.parametrize(
    ('changes', 'complaint'),
    [
        (
            {'input': card_values()['input'] | {'name': 'picture'}},
            r"has no 'picture'; set input.name to one of: image \(any, 3, any, any\) float",
        ),
        (
            {'output': {'name': 'inverse', 'kind': 'depth'}},
            r"has no 'inverse'; set output.name to one of: depth",
        ),
        ({'invalid': {'name': 'sky', 'above': 0}}, r"no 'sky'; set invalid.name to one of"),
        ({'spread': {'name': 'error', 'unit': 'share'}}, r"no 'error'; set spread.name"),
        ({'camera': {'name': 'K', 'form': 'K3x3'}}, r"no 'K'; set camera.name to one of: image"),
        (
            {'input': card_values()['input'] | {'layout': 'nhwc'}},
            'has any channels in nhwc; set input.layout to nchw',
        ),
    ],
)
def test_names_that_the_model_does_not_have(
    model: Path, tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CheckpointError, match=complaint):
        load(tmp_path, **changes)


@pytest.mark.parametrize(
    ('shape', 'size', 'complaint'),
    [
        ((1, 3, 60, 80), FOLLOWING, r'\[60, 80\] px only, .* set size to fixed: \[60, 80\], and'),
        (
            (1, 3, 48, 64),
            {'fixed': [60, 80], 'fit': 'stretch'},
            r'takes images of \[48, 64\] px, and size.fixed is \[60, 80\]; set size.fixed',
        ),
        ((4, 3, 60, 80), {'fixed': [60, 80], 'fit': 'stretch'}, 'it takes 4 images at once'),
    ],
)
def test_shapes_that_the_card_does_not_have(
    tmp_path: Path, shape: tuple[Any, ...], size: dict[str, Any], complaint: str
) -> None:
    save_model(tmp_path / 'model.onnx', shape=shape)
    with pytest.raises(CheckpointError, match=complaint):
        load(tmp_path, size=size)


def test_channels_where_they_are_not(tmp_path: Path) -> None:
    save_model(tmp_path / 'model.onnx', shape=(1, 3, 60, 80))
    layout = card_values()['input'] | {'layout': 'nhwc'}
    with pytest.raises(CheckpointError, match=r'80 channels in nhwc; set input.layout to nchw'):
        load(tmp_path, input=layout)


def test_an_input_that_nothing_feeds(tmp_path: Path) -> None:
    nodes = [helper.make_node('Add', ['raw', 'num_tokens'], ['depth'])]
    save_model(tmp_path / 'model.onnx', nodes=nodes, inputs={'num_tokens': (1,)})
    with pytest.raises(CheckpointError, match=r'needs the input num_tokens, which .* not give'):
        load(tmp_path)


def test_an_output_of_several_maps(tmp_path: Path) -> None:
    nodes = [helper.make_node('Concat', ['raw', 'raw'], ['depth'], axis=1)]
    save_model(tmp_path / 'model.onnx', nodes=nodes)
    with pytest.raises(CheckpointError, match=r'shape \(1, 2, 60, 80\), not one map; name anoth'):
        load(tmp_path)


def baked(kind: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return what exporters record of the size 56x70 that they were shown."""
    if kind == 'position embedding':
        grid = np.ones((1, 1, 56, 70), np.float32)
        added = helper.make_node('Add', ['raw', 'grid'], ['depth'])
        return [added], [numpy_helper.from_array(grid, 'grid')]
    sizes = numpy_helper.from_array(np.array([1, 1, 56, 70], np.int64), 'sizes')
    return [helper.make_node('Resize', ['raw', '', '', 'sizes'], ['depth'])], [sizes]


@pytest.mark.parametrize('kind', ['position embedding', 'size of the output'])
def test_axes_that_are_only_called_dynamic(tmp_path: Path, kind: str) -> None:
    nodes, weights = baked(kind)
    save_model(tmp_path / 'model.onnx', nodes=nodes, weights=weights)
    with pytest.raises(CheckpointError, match='the exporter recorded the size that it was shown'):
        load(tmp_path, size=FOLLOWING)
    load(tmp_path, size={'fixed': [56, 70], 'fit': 'stretch'})


@pytest.mark.parametrize('type_', [TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32])
def test_images_in_whole_numbers_without_a_scale(tmp_path: Path, type_: int) -> None:
    save_model(tmp_path / 'model.onnx', image_type=type_)
    with pytest.raises(CheckpointError, match='numbers without a scale; export the model so'):
        load(tmp_path)


@pytest.mark.parametrize(
    ('form', 'shape', 'complaint'),
    [
        (
            'K3x3',
            (1, 4),
            r'is \(1, 4\) float, and camera.form is K3x3, of shape \(3, 3\); set',
        ),
        ('focal_px', (1, 2), r'camera.form is focal_px, of shape \(\)'),
        ('rays', (1, 3, 30, 40), r'camera.form is rays, of shape \(3, 60, 80\)'),
    ],
)
def test_a_camera_in_another_form(
    tmp_path: Path, form: str, shape: tuple[int, ...], complaint: str
) -> None:
    save_model(tmp_path / 'model.onnx', inputs={'K': shape})
    with pytest.raises(CheckpointError, match=complaint):
        load(tmp_path, camera={'name': 'K', 'form': form})


def test_rows_and_columns_that_are_exchanged(tmp_path: Path) -> None:
    nodes = [helper.make_node('Transpose', ['raw'], ['depth'], perm=[0, 1, 3, 2])]
    save_model(tmp_path / 'model.onnx', nodes=nodes)
    with pytest.raises(CheckpointError, match=r'output of \[80, 60\] px .* are exchanged; export'):
        load(tmp_path)


def plus(number: float) -> dict[str, Any]:
    """Return a model whose output is larger by a number."""
    return {
        'nodes': [helper.make_node('Add', ['raw', 'k'], ['depth'])],
        'weights': [numpy_helper.from_array(np.array([number], np.float32), 'k')],
    }


@pytest.mark.parametrize(
    ('number', 'changes'),
    [
        (-50.0, {}),
        (0.0, {'range': [500, 600]}),
        (0.0, {'invalid': {'name': 'depth', 'above': -1}}),
    ],
)
def test_a_card_that_leaves_nothing_of_the_output(
    tmp_path: Path, number: float, changes: dict[str, Any]
) -> None:
    """Such as depth that is negative everywhere, which is no depth."""
    save_model(tmp_path / 'model.onnx', **plus(number))
    said = r'no depth: .* output, meters, range and invalid in .*card\.yaml are not those'
    with pytest.raises(CheckpointError, match=said):
        load(tmp_path, **changes)


def test_a_spread_below_zero(tmp_path: Path) -> None:
    nodes = [
        helper.make_node('Identity', ['raw'], ['depth']),
        helper.make_node('Neg', ['raw'], ['error']),
    ]
    outputs = dict.fromkeys(('depth', 'error'), TensorProto.FLOAT)
    save_model(tmp_path / 'model.onnx', nodes=nodes, outputs=outputs)
    with pytest.raises(CheckpointError, match=r'spread of .* negative everywhere; correct'):
        load(tmp_path, spread={'name': 'error', 'unit': 'share'})


def test_a_network_that_says_little_is_warned_of(tmp_path: Path) -> None:
    save_model(tmp_path / 'model.onnx')
    with pytest.warns(
        RuntimeWarning, match=r'says nothing about \d\d% of a test picture: look at'
    ):
        load(tmp_path, range=[1.7, 300])


def test_depth_in_eight_bits(tmp_path: Path) -> None:
    nodes = [helper.make_node('Cast', ['raw'], ['depth'], to=TensorProto.INT8)]
    save_model(tmp_path / 'model.onnx', nodes=nodes, outputs={'depth': TensorProto.INT8})
    with pytest.raises(CheckpointError, match=r'depth of .* int8, of numbers without a scale'):
        load(tmp_path)


def test_weights_in_eight_bits_are_as_good_as_they_are(tmp_path: Path) -> None:
    """Quantized inside, float outside: what int8 exports mostly are."""
    nodes = [
        helper.make_node('QuantizeLinear', ['raw', 'step', 'zero'], ['levels']),
        helper.make_node('DequantizeLinear', ['levels', 'step', 'zero'], ['depth']),
    ]
    weights = [
        numpy_helper.from_array(np.array(0.02, np.float32), 'step'),
        numpy_helper.from_array(np.array(0, np.int8), 'zero'),
    ]
    save_model(tmp_path / 'model.onnx', nodes=nodes, weights=weights)
    assert load(tmp_path).kind is PredictionKind.DEPTH


@pytest.mark.parametrize(
    ('sign', 'changes', 'complaint'),
    [
        ('inverse', {}, r'probably inverse_depth, and output.kind is depth; set output.kind in'),
        ('depth', RELATIVE, 'probably relative_depth, and output.kind is relative_inverse_depth'),
        (
            'depth',
            {'output': {'name': 'depth', 'kind': 'inverse_depth'}},
            'probably depth, and output.kind is inverse_depth',
        ),
    ],
)
def test_an_output_of_the_opposite_sign(
    tmp_path: Path, sign: str, changes: dict[str, Any], complaint: str
) -> None:
    save_model(tmp_path / 'model.onnx', sign)
    with pytest.raises(CheckpointError, match=complaint):
        load(tmp_path, **changes)


def test_an_output_that_follows_no_floor_is_warned_of(tmp_path: Path) -> None:
    nodes = [helper.make_node('Sin', ['raw'], ['wave']), helper.make_node('Abs', ['wave'], ['d'])]
    nodes.append(helper.make_node('Mul', ['d', 'image'], ['depths']))
    nodes.append(helper.make_node('ReduceMean', ['depths'], ['depth'], axes=[1]))
    save_model(tmp_path / 'model.onnx', nodes=nodes)
    with pytest.warns(RuntimeWarning, match='are these weights trained'):
        load(tmp_path)


@pytest.mark.parametrize('value', [0.0, float('nan'), float('inf')])
def test_an_output_that_says_nothing(tmp_path: Path, value: float) -> None:
    nodes = [helper.make_node('Mul', ['raw', 'value'], ['depth'])]
    weights = [numpy_helper.from_array(np.array(value, np.float32), 'value')]
    save_model(tmp_path / 'model.onnx', nodes=nodes, weights=weights)
    with pytest.raises(CheckpointError, match='which is no depth'):
        load(tmp_path)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / 'model.onnx').write_bytes(b'<html>')
    with pytest.raises(CheckpointError, match='cannot be loaded by ONNX Runtime'):
        load(tmp_path)


def test_a_model_that_is_missing_or_another_one(model: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='has sha256'):
        load(tmp_path, sha256='0' * 64)
    model.unlink()
    with pytest.raises(CheckpointError, match='does not exist; put it there'):
        load(tmp_path)


def test_a_license_that_forbids_commercial_use(model: Path, tmp_path: Path) -> None:
    with pytest.raises(LicenseError, match=r'CC-BY-NC-4\.0'):
        load(tmp_path, license='CC-BY-NC-4.0')
    load(tmp_path, {'accept_noncommercial': True}, license='CC-BY-NC-4.0')


@pytest.mark.parametrize(
    ('values', 'error', 'complaint'),
    [
        ({'precision': 'fp16'}, SettingsError, 'precision is fp16, and .* computes in fp32; set'),
        ({'precision': 'bf16'}, SettingsError, 'precision is bf16'),
        ({'device': 'mps'}, DeviceError, 'device is mps, and ONNX Runtime runs on cpu'),
        ({'provider': 'coreml'}, DeviceError, 'provider is coreml, and this ONNX Runtime has cpu'),
    ],
)
def test_parameters_that_the_model_cannot_follow(
    model: Path,
    tmp_path: Path,
    values: dict[str, str],
    error: type[MonoDepthError],
    complaint: str,
) -> None:
    if sys.platform == 'darwin' and 'provider' in values:
        pytest.skip('this ONNX Runtime has CoreML')
    with pytest.raises(error, match=complaint):
        load(tmp_path, values)


def test_providers() -> None:
    cpu, cuda = 'CPUExecutionProvider', 'CUDAExecutionProvider'
    assert find_provider('auto', [cpu]) == 'cpu'
    assert find_provider('auto', ['TensorrtExecutionProvider', cuda, cpu]) == 'cuda'
    assert find_provider('cpu', [cuda, cpu]) == 'cpu'
    with pytest.raises(DeviceError, match='or pip install openvino'):
        find_provider('openvino', [cpu])
    with pytest.raises(
        DeviceError, match=r'this ONNX Runtime has cpu; .* install onnxruntime-gpu'
    ):
        find_provider('tensorrt', [cpu])


def test_openvino_is_the_package_of_that_name(model: Path, tmp_path: Path) -> None:
    found, expected = load(tmp_path, {'provider': 'openvino'}), load(tmp_path, {'provider': 'cpu'})
    assert (found.backend, expected.backend) == ('openvino', 'onnx')
    for size in ((60, 80), (97, 71)):
        image = torch.randint(0, 256, (*size, 3), dtype=torch.uint8)
        one, other = (e.predict([image], size, [None])[0].values for e in (found, expected))
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_provider_that_does_not_start(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime falls back to the CPU without an error where a library is missing."""
    import onnxruntime

    there = ['CUDAExecutionProvider', 'CPUExecutionProvider']
    if there[0] in onnxruntime.get_available_providers():
        pytest.skip('this ONNX Runtime has CUDA')
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: there)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with pytest.raises(DeviceError, match=r'provider cuda did not start: .* fell back to CPU'):
            load(tmp_path, {'provider': 'cuda'})


def test_without_onnx_runtime(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(DeviceError, match=r'needs ONNX Runtime, .*; pip install onnxruntime'):
        load(tmp_path)


def test_threads_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 3)
    monkeypatch.setattr(session.os, 'sched_getaffinity', lambda _: {0, 1, 2, 3}, raising=False)
    assert thread_count() == 3
    monkeypatch.setattr(session.os, 'sched_getaffinity', lambda _: {0}, raising=False)
    assert thread_count() == 1
