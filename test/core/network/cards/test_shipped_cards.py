"""Every card of the package, with a small model of the same contract: from picture to meters."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import yaml
from onnx import TensorProto, helper, numpy_helper

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import LicenseError
from mono_depth_ros.core.network.cards.card_reader import made_card, read_card, shipped_cards
from mono_depth_ros.core.network.cards.network_card import NetworkCard
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings

HEIGHT, WIDTH = 60, 80
FOCAL_PX = 50.0
CAMERA = PinholeCamera(WIDTH, HEIGHT, FOCAL_PX, FOCAL_PX, 39.5, 29.5)
V, U = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
RGB = np.stack((60 + 2 * V, 3 * U, 220 - 2 * V), axis=-1).astype(np.uint8)
RAYS = np.sqrt(((U - 39.5) / FOCAL_PX) ** 2 + ((V - 29.5) / FOCAL_PX) ** 2 + 1)
SCALE, SHIFT = 0.5, 0.1
"""What a relative network is given."""


def of_input(height: int, width: int) -> float:
    """Return the focal length at a padded input of that size [px]."""
    return FOCAL_PX * min(height / HEIGHT, width / WIDTH)


def relative(v: np.ndarray) -> np.ndarray:
    return 1 / (SCALE * v + SHIFT)


FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    'metric3d_v2_vits': lambda v: v * of_input(616, 1064) / 1000,
    'depth_anything_3_metric': lambda v: v * of_input(280, 504) / 300,
    'depth_anything_v2_small': relative,
    'midas_v21_small': relative,
    'dpt_large': relative,
    'zipdepth': relative,
    'depth_pro': lambda v: FOCAL_PX / (v * WIDTH),
    'unidepth_v2': lambda v: v / RAYS,
    'fastdepth': lambda v: v,
    'laina_fcrn': lambda v: v,
    'eigen_2014': np.exp,
    'godard_monodepth': lambda v: FOCAL_PX * 0.54 / (v * WIDTH),
    'fu_dorn_nyu': lambda k: np.exp((k - 1) / 25 - 0.36),
    'fu_dorn_kitti': lambda k: np.exp((k - 1 + 40) / 25),
}
"""From the output to meters, as the publications have it."""
LARGEST = {'ordinal': 60.0, 'disparity_share': 0.3, 'log_depth': 2.0}
"""Of what an output of that kind says; of others it is 3."""


def contract(card: NetworkCard) -> tuple[onnx.ModelProto, np.ndarray]:
    """Return a model with the inputs and outputs of a card, and its output for the picture.

    It weighs the colors of each pixel at random and brings them to 1/3..1 of the largest output.
    """
    rule, kind = card.input, card.output_kind.value
    random, is_near = np.random.default_rng(3), 'inverse' in kind or 'disparity' in kind
    colors = np.array([1, 0.01, 0.01] if is_near else [0.01, 0.01, 1]) * random.uniform(0.5, 1)
    weight = colors[::-1] if rule.order == 'bgr' else colors
    ends = (rule.scale * np.array([[0.0] * 3, [255.0] * 3]) - rule.mean) / rule.std
    low, high = (float(end @ weight) for end in ends)
    gain = LARGEST.get(kind, 3.0) / 1.5 / (high - low)
    offset = gain * ((high - low) / 2 - low)
    weights = {
        'w': (gain * weight).reshape(1, 3, 1, 1).astype(np.float32),
        'b': np.array([offset], np.float32),
        'zero': np.array(0, np.float32),
    }
    planes = f'{rule.name}_planes'
    nodes = [helper.make_node('Identity', [rule.name], [planes])]
    if rule.layout == 'nhwc':
        nodes = [helper.make_node('Transpose', [rule.name], [planes], perm=[0, 3, 1, 2])]
    nodes += [
        helper.make_node('Conv', [planes, 'w', 'b'], [card.output]),
        *(helper.make_node('Mul', [card.output, 'zero'], [name]) for name in card.outputs[1:]),
    ]
    sides = card.size.fixed or ('h', 'w')
    shape = (1, *sides, 3) if rule.layout == 'nhwc' else (1, 3, *sides)
    inputs = {rule.name: shape} | ({card.camera.name: (1, 3, *sides)} if card.camera else {})
    graph = helper.make_graph(
        nodes,
        'contract',
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, 1, 'oh', 'ow'))
            for n in card.outputs
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    seen = (rule.scale * RGB[..., :: -1 if rule.order == 'bgr' else 1] - rule.mean) / rule.std
    opset = helper.make_opsetid('', 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
    return model, gain * seen @ weight + offset


def test_every_card_has_a_formula() -> None:
    assert {path.stem for path in shipped_cards()} == set(FORMULAS)


@pytest.mark.parametrize('path', shipped_cards(), ids=lambda path: path.stem)
def test_from_picture_to_meters(path: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(path.read_text())
    model, output = contract(made_card(values, path))
    onnx.save(model, tmp_path / values['model'])
    mine = tmp_path / path.name
    mine.write_text(path.read_text())
    settings = EstimatorSettings(network=str(mine), accept_noncommercial=True)
    network = load_estimator(settings)
    scale = (
        {'scale': SCALE, 'shift': SHIFT} if read_card(str(mine)).output_kind.is_relative else {}
    )
    wide = PipelineSettings(
        edge_filter=EdgeFilterSettings(enabled=False), min_depth=1e-3, max_depth=1000.0, **scale
    )
    calibration = CameraCalibration.of_pinhole(CAMERA)
    result = Pipeline(network, wide).step(RGB, calibration, Output.DEPTH)
    expected = FORMULAS[path.stem](output)
    assert result.reason_unknown == ''
    np.testing.assert_allclose(result.depth, expected, rtol=0.02)


@pytest.mark.parametrize('path', shipped_cards(), ids=lambda path: path.stem)
def test_each_says_where_its_model_is_and_what_license_it_has(path: Path) -> None:
    card = read_card(str(path))
    assert card.source
    is_free = card.license in ('MIT', 'Apache-2.0', 'BSD-2-Clause')
    assert is_free or card.license in ('CC-BY-NC-4.0', 'apple-ascl', 'UCLB ACP-A', '')
    if is_free:
        card.require_license(accept_noncommercial=False)
    else:
        with pytest.raises(LicenseError):
            card.require_license(accept_noncommercial=False)


def test_sky_is_not_known(tmp_path: Path) -> None:
    """Depth Anything 3 says sky beside depth."""
    path = next(path for path in shipped_cards() if path.stem == 'depth_anything_3_metric')
    card = made_card(yaml.safe_load(path.read_text()), tmp_path / path.name)
    model, _ = contract(card)
    node = next(node for node in model.graph.node if node.output[0] == 'sky')
    node.op_type = 'Add'  # now as large as depth: everything
    onnx.save(model, card.model)
    from mono_depth_ros.core.network.cards.card_estimator import CardEstimator
    from mono_depth_ros.core.network.cards.onnx_session import OnnxSession

    network = CardEstimator(card, OnnxSession(card.model, 'cpu'), torch.device('cpu'))
    (prediction,) = network.predict([torch.from_numpy(RGB)], (HEIGHT, WIDTH), [CAMERA])
    assert prediction.valid is not None
    assert not prediction.valid.any()
