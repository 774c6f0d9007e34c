"""From a picture to meters, by models of random weights: every kind and every size rule."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx_models import METRIC, card_values, raw_output, save_model

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.cards.card_estimator import CardEstimator
from mono_depth_ros.core.network.cards.card_reader import made_card
from mono_depth_ros.core.network.cards.onnx_session import OnnxSession
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.core.scale.depth_measurement import measure_depth
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings

HEIGHT, WIDTH = 60, 80
CAMERA = PinholeCamera(WIDTH, HEIGHT, 50.0, 50.0, 39.5, 29.5)
V, U = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
# Steps of one level would be lost in rounding, so that each resize is nearly exact.
RGB = np.stack((60 + 2 * V, 3 * U, 220 - 2 * V), axis=-1).astype(np.uint8)
FIXED = {'fixed': [60, 80], 'fit': 'stretch'}


def estimator(folder: Path, sign: str = 'depth', **changes: Any) -> CardEstimator:
    """Return the estimator of a model of `save_model`, whose arguments are `model_...`."""
    model = {k.removeprefix('model_'): v for k, v in changes.items() if k.startswith('model_')}
    values = {k: v for k, v in changes.items() if not k.startswith('model_')}
    save_model(folder / 'model.onnx', sign, **model)
    card = made_card(card_values(**values), folder / 'card.yaml')
    return CardEstimator(card, OnnxSession(card.model, 'cpu'), torch.device('cpu'))


def depth_of(network: CardEstimator, **settings: Any) -> np.ndarray:
    """Return the depth that the pipeline makes of the picture, of wide limits by default."""
    wide = {'edge_filter': EdgeFilterSettings(enabled=False), 'min_depth': 1e-3}
    made = PipelineSettings(**(wide | settings))
    calibration = CameraCalibration.of_pinhole(CAMERA)
    result = Pipeline(network, made).step(RGB, calibration, Output.DEPTH)
    assert result.depth is not None
    assert result.reason_unknown == ''
    return result.depth


def output(kind: str) -> dict[str, str]:
    return {'name': 'depth', 'kind': kind}


RAYS = np.sqrt(((U - 39.5) / 50) ** 2 + ((V - 29.5) / 50) ** 2 + 1)


@pytest.mark.parametrize(
    ('kind', 'meters', 'sign', 'expected'),
    [
        ('depth', METRIC, 'depth', lambda v: v),
        ('depth', {'rule': 'canonical', 'focal_px': 100}, 'depth', lambda v: v / 2),
        ('inverse_depth', METRIC, 'inverse', lambda v: 1 / v),
        (
            'inverse_depth',
            {'rule': 'canonical', 'focal_px': 'width'},
            'inverse',
            lambda v: 50 / WIDTH / v,
        ),
        ('log_depth', METRIC, 'depth', np.exp),
        ('ray_distance', METRIC, 'depth', lambda v: v / RAYS),
        (
            'disparity_share',
            {'rule': 'baseline', 'baseline_m': 0.5},
            'inverse',
            lambda v: 50 * 0.5 / (v * WIDTH),
        ),
        (
            'ordinal',
            {'rule': 'levels', 'gain': 0.5, 'offset': -0.4},
            'depth',
            lambda v: np.exp(0.5 * v - 0.4),
        ),
    ],
)
def test_from_picture_to_meters(
    tmp_path: Path, kind: str, meters: dict[str, Any], sign: str, expected: Any
) -> None:
    network = estimator(tmp_path, sign, output=output(kind), meters=meters)
    np.testing.assert_allclose(depth_of(network), expected(raw_output(RGB, sign)), rtol=1e-4)


@pytest.mark.parametrize(
    ('kind', 'sign', 'expected'),
    [
        ('relative_inverse_depth', 'inverse', lambda v: 1 / (0.5 * v + 0.1)),
        ('relative_depth', 'depth', lambda v: 0.5 * v + 0.1),
    ],
)
def test_from_picture_to_meters_by_a_scale(
    tmp_path: Path, kind: str, sign: str, expected: Any
) -> None:
    network = estimator(tmp_path, sign, output=output(kind), meters={'rule': 'fit'})
    depth = depth_of(network, scale=0.5, shift=0.1)
    np.testing.assert_allclose(depth, expected(raw_output(RGB, sign)), rtol=1e-4)


@pytest.mark.parametrize(
    ('size', 'known'),
    [
        ({'fixed': [30, 50], 'fit': 'stretch'}, np.s_[:, :]),
        ({'fixed': [60, 100], 'fit': 'pad', 'color': [1, 2, 3]}, np.s_[:, :]),
        ({'fixed': [120, 100], 'fit': 'pad', 'color': [1, 2, 3]}, np.s_[:, :]),
        ({'fixed': [60, 40], 'fit': 'crop'}, np.s_[:, 20:60]),
        ({'fixed': [30, 80], 'fit': 'crop'}, np.s_[15:45, :]),
        ({'fixed': [60, 48], 'fit': 'windows', 'step': 24}, np.s_[:, :]),
        ({'shorter': 42, 'multiple': 14}, np.s_[:, :]),
        ({'longer': 96, 'multiple': 32}, np.s_[:, :]),
    ],
)
def test_every_size_rule_sees_the_picture_where_it_is(
    tmp_path: Path, size: dict[str, Any], known: Any
) -> None:
    depth = depth_of(estimator(tmp_path, size=size))
    expected = raw_output(RGB, 'depth')
    np.testing.assert_allclose(depth[known], expected[known], atol=0.02)
    outside = np.ones_like(depth, bool)
    outside[known] = False
    assert np.isnan(depth[outside]).all(), 'what the network did not see is not known'


@pytest.mark.parametrize('fit', ['stretch', 'pad', 'crop', 'windows'])
def test_the_focal_length_is_that_of_the_input(tmp_path: Path, fit: str) -> None:
    """Half as large, things look as with half the focal length: 25 of 100 px."""
    more = {'pad': {'color': [0, 0, 0]}, 'windows': {'step': 20}}.get(fit, {})
    size = {'fixed': [30, 40], 'fit': fit, **more}
    meters = {'rule': 'canonical', 'focal_px': 100}
    depth = depth_of(estimator(tmp_path, size=size, meters=meters))
    np.testing.assert_allclose(depth, raw_output(RGB, 'depth') / 4, atol=0.01)


def test_order_scale_mean_and_std(tmp_path: Path) -> None:
    """The model sees blue as red: what it makes is that of the picture with both exchanged."""
    rule = {'name': 'image', 'order': 'bgr', 'scale': 1, 'mean': [0] * 3, 'std': [255] * 3}
    depth = depth_of(estimator(tmp_path, input=rule))
    np.testing.assert_allclose(depth, raw_output(RGB[..., ::-1], 'depth'), rtol=1e-4)
    rule = {
        'name': 'image',
        'order': 'rgb',
        'scale': '1/255',
        'mean': [0.1, 0.2, 0.3],
        'std': [1, 1, 0.5],
    }
    depth = depth_of(estimator(tmp_path, input=rule))
    seen = (RGB - 255 * np.array([0.1, 0.2, 0.3])) / (1, 1, 0.5)
    np.testing.assert_allclose(depth, raw_output(seen, 'depth'), rtol=1e-4)


def test_color_of_the_border_is_normalized_like_the_image(tmp_path: Path) -> None:
    """Averaged over 3x3, pixels at the border mix with its color."""
    nodes = [
        helper.make_node('AveragePool', ['raw'], ['depth'], kernel_shape=[3, 3], pads=[1] * 4)
    ]
    size = {'fixed': [60, 100], 'fit': 'pad', 'color': [0, 0, 255]}
    depth = depth_of(estimator(tmp_path, size=size, model_nodes=nodes))
    raw = raw_output(RGB, 'depth')[30]
    border = raw_output(np.array([0, 0, 255]), 'depth')
    assert depth[30, 0] == pytest.approx((raw[0] + raw[1] + border) / 3, rel=1e-3)


def test_channels_last(tmp_path: Path) -> None:
    nodes = [helper.make_node('Identity', ['raw'], ['depth'])]
    path = tmp_path / 'model.onnx'
    network = estimator(tmp_path, model_nodes=nodes)

    model = onnx.load(path)
    turn = helper.make_node('Transpose', ['image'], ['planes'], perm=[0, 3, 1, 2])
    model.graph.node.insert(0, turn)
    model.graph.node[1].input[0] = 'planes'
    sides = model.graph.input[0].type.tensor_type.shape.dim
    sides[1].dim_param, sides[3].dim_value = 'rows', 3
    onnx.save(model, path)
    values = card_values(input=card_values()['input'] | {'layout': 'nhwc'})
    card = made_card(values, tmp_path / 'card.yaml')
    network = CardEstimator(card, OnnxSession(path, 'cpu'), torch.device('cpu'))
    np.testing.assert_allclose(depth_of(network), raw_output(RGB, 'depth'), rtol=1e-4)


@pytest.mark.parametrize('type_', [TensorProto.UINT8, TensorProto.FLOAT16])
def test_images_of_other_types(tmp_path: Path, type_: int) -> None:
    plain = card_values()['input'] | {'scale': 1}
    network = estimator(tmp_path, input=plain, model_image_type=type_)
    assert network.precision == (torch.float16 if type_ == TensorProto.FLOAT16 else torch.float32)
    depth = depth_of(network, max_depth=1000.0)
    np.testing.assert_allclose(depth, raw_output(RGB * 255.0, 'depth'), rtol=1e-3)


def test_a_coarse_output_is_enlarged_and_edges_are_as_wide(tmp_path: Path) -> None:
    pool = helper.make_node('AveragePool', ['raw'], ['depth'], kernel_shape=[4, 4], strides=[4, 4])
    network = estimator(tmp_path, model_nodes=[pool])
    depth = depth_of(network)
    expected = raw_output(RGB, 'depth')
    np.testing.assert_allclose(depth[4:-4, 4:-4], expected[4:-4, 4:-4], atol=0.01)
    assert network.network_size(HEIGHT, WIDTH) == (15, 20)


def test_range(tmp_path: Path) -> None:
    raw = raw_output(RGB, 'depth')
    low, high = np.quantile(raw, (0.2, 0.8))
    depth = depth_of(estimator(tmp_path, range=[float(low), float(high)]))
    np.testing.assert_array_equal(np.isfinite(depth), (raw >= low) & (raw <= high))


@pytest.mark.parametrize('side', ['above', 'below'])
def test_invalid_pixels(tmp_path: Path, side: str) -> None:
    nodes = [
        helper.make_node('Identity', ['raw'], ['depth']),
        helper.make_node('Slice', ['image', 'zero', 'one', 'axis'], ['sky']),
    ]
    axis = np.array([1], np.int64)
    weights = [
        numpy_helper.from_array(axis * n, name)
        for n, name in ((0, 'zero'), (1, 'one'), (1, 'axis'))
    ]
    outputs = {'depth': TensorProto.FLOAT, 'sky': TensorProto.FLOAT}
    network = estimator(
        tmp_path,
        invalid={'name': 'sky', side: 0.5},
        model_nodes=nodes,
        model_weights=weights,
        model_outputs=outputs,
    )
    red = RGB[..., 0] / 255
    expected = red > 0.5 if side == 'above' else red < 0.5
    np.testing.assert_array_equal(np.isnan(depth_of(network)), expected)


@pytest.mark.parametrize(('unit', 'expected'), [('meters', 0.5 * 0.1), ('share', 0.1)])
def test_spread(tmp_path: Path, unit: str, expected: float) -> None:
    """A tenth of a meter at 2 m is a share of 0.05."""
    nodes = [
        helper.make_node('Mul', ['raw', 'zero'], ['nothing']),
        helper.make_node('Add', ['nothing', 'two'], ['depth']),
        helper.make_node('Add', ['nothing', 'tenth'], ['error']),
    ]
    weights = [
        numpy_helper.from_array(np.array(n, np.float32), name)
        for n, name in ((0, 'zero'), (2, 'two'), (0.1, 'tenth'))
    ]
    outputs = {'depth': TensorProto.FLOAT, 'error': TensorProto.FLOAT}
    network = estimator(
        tmp_path,
        spread={'name': 'error', 'unit': unit},
        model_nodes=nodes,
        model_weights=weights,
        model_outputs=outputs,
    )
    (prediction,) = network.predict([torch.from_numpy(RGB)], (60, 80), [None])
    assert prediction.spread is not None
    np.testing.assert_allclose(prediction.spread, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ('form', 'sides', 'picked', 'expected'),
    [
        ('K3x3', (1, 3, 3), (0, 0, 2), 39.5 + 10),
        ('K3x3', (3, 3), (0, 0), 50.0),
        ('P3x4', (1, 3, 4), (0, 1, 2), 29.5),
        ('focal_px', (1,), (0,), 50.0),
        ('fov_x_deg', (1, 1), (0, 0), 2 * np.degrees(np.arctan(0.8))),
        ('rays', (1, 3, 60, 100), (0, 0, 30, 59), 0.19 / np.hypot(0.19, np.hypot(1, 0.01))),
    ],
)
def test_the_camera_as_an_input(
    tmp_path: Path, form: str, sides: tuple[int, ...], picked: tuple[int, ...], expected: float
) -> None:
    """A model that gives one number of the camera everywhere; padding moves the center by 10."""
    starts = np.array(picked, np.int64)
    weights = [
        numpy_helper.from_array(array, name)
        for array, name in (
            (starts, 'first'),
            (starts + 1, 'last'),
            (np.array([], np.int64), 'scalar'),
            (np.array(0, np.float32), 'zero'),
        )
    ]
    nodes = [
        helper.make_node('Slice', ['K', 'first', 'last'], ['one']),
        helper.make_node('Reshape', ['one', 'scalar'], ['number']),
        helper.make_node('Mul', ['raw', 'zero'], ['nothing']),
        helper.make_node('Add', ['nothing', 'number'], ['depth']),
    ]
    network = estimator(
        tmp_path,
        size={'fixed': [60, 100], 'fit': 'pad', 'color': [0, 0, 0]},
        camera={'name': 'K', 'form': form},
        model_nodes=nodes,
        model_weights=weights,
        model_inputs={'K': sides},
    )
    assert network.needs_camera
    np.testing.assert_allclose(depth_of(network, max_depth=1000.0), expected, rtol=1e-4)


def test_a_network_that_needs_the_camera_and_has_none(tmp_path: Path) -> None:
    meters = {'rule': 'canonical', 'focal_px': 300}
    pipeline = Pipeline(estimator(tmp_path, meters=meters), PipelineSettings())
    result = pipeline.step(RGB, None, Output.DEPTH | Output.POINTS)
    assert np.isnan(result.depth).all()
    assert result.points is None
    assert 'the network needs the focal length of the camera' in result.reason_unknown
    pipeline.settings = PipelineSettings(fov_deg=90.0)
    assert np.isfinite(pipeline.step(RGB, None, Output.DEPTH).depth).all()


@pytest.mark.parametrize(
    ('kind', 'sign', 'meters'),
    [
        ('depth', 'depth', {'rule': 'canonical', 'focal_px': 300}),
        ('inverse_depth', 'inverse', {'rule': 'canonical', 'focal_px': 'width'}),
        ('disparity_share', 'inverse', {'rule': 'baseline', 'baseline_m': 0.5}),
    ],
)
def test_what_lacks_only_the_focal_length_is_fitted_without_the_camera(
    tmp_path: Path, kind: str, sign: str, meters: dict[str, Any]
) -> None:
    network = estimator(tmp_path, sign, output=output(kind), meters=meters)
    made = PipelineSettings(
        alignment=AlignmentSettings('depth', fallback='network'),
        edge_filter=EdgeFilterSettings(enabled=False),
        min_depth=1e-3,
    )
    pipeline = Pipeline(network, made)
    unmeasured = pipeline.step(RGB, None, Output.DEPTH, 1)
    assert np.isnan(unmeasured.depth).all()
    assert 'the network needs the focal length of the camera' in unmeasured.reason_unknown
    raw = raw_output(RGB, sign)
    truth = 3 * (raw if kind == 'depth' else 1 / raw)
    measured = measure_depth(torch.from_numpy(truth.astype(np.float32)))
    result = pipeline.step(RGB, None, Output.DEPTH, 10**9, lambda: {'depth': measured})
    assert result.reason_unknown == ''
    np.testing.assert_allclose(result.depth, truth, rtol=0.02)


def test_focal_correction(tmp_path: Path) -> None:
    """Of a metric network whose card states the focal length of its training."""
    network = estimator(tmp_path, meters={'rule': 'metric', 'training_focal_px': 200})
    expected = raw_output(RGB, 'depth')
    np.testing.assert_allclose(depth_of(network), expected, rtol=1e-4)
    corrected = depth_of(network, focal_correction=True)
    np.testing.assert_allclose(corrected, expected / 4, rtol=1e-4)
    silent = Pipeline(estimator(tmp_path), PipelineSettings(focal_correction=True))
    result = silent.step(RGB, CameraCalibration.of_pinhole(CAMERA), Output.DEPTH)
    assert np.isnan(result.depth).all()
    assert 'has no meters.training_focal_px' in result.reason_unknown


def test_a_batch_is_its_images(tmp_path: Path) -> None:
    network = estimator(tmp_path, meters={'rule': 'canonical', 'focal_px': 100})
    images = [torch.from_numpy(RGB), torch.from_numpy(RGB[::-1].copy())]
    first, second = network.predict(images, (30, 40), [CAMERA, None])
    (alone,) = network.predict(images[:1], (30, 40), [CAMERA])
    assert torch.equal(first.values, alone.values)
    assert (first.reason_unknown, first.values.shape) == ('', (30, 40))
    assert second.reason_unscaled
