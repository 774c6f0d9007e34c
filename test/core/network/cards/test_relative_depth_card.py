"""A card of relative depth, from picture to meters: depth = scale * output + shift."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import raw_output, save_model, write_card

from mono_depth_ros import MonoDepth
from mono_depth_ros.core.errors import AlignmentError, CheckpointError, SettingsError
from mono_depth_ros.core.network.cards.card_loading import load_card_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import PipelineSettings
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.types import PredictionKind

pytestmark = pytest.mark.filterwarnings('ignore:the network of:RuntimeWarning')  # random weights
HEIGHT, WIDTH = 60, 80
V, U = np.mgrid[:HEIGHT, :WIDTH]
RGB = np.stack((60 + 2 * V, 3 * U, 220 - 3 * V), axis=-1).astype(np.uint8)
RULES = {'output': {'name': 'depth', 'kind': 'relative_depth'}, 'meters': {'rule': 'fit'}}


def card(folder: Path, sign: str = 'depth', offset: float = 0.0) -> str:
    """Write a model whose output is shifted, with its card; return the path of the card."""
    save_model(
        folder / 'model.onnx',
        sign,
        nodes=[helper.make_node('Add', ['raw', 'offset'], ['depth'])],
        weights=[numpy_helper.from_array(np.array([offset], np.float32), 'offset')],
        outputs={'depth': TensorProto.FLOAT},
    )
    return write_card(folder, **RULES)


def settings(**values: Any) -> PipelineSettings:
    return PipelineSettings(edge_filter=EdgeFilterSettings(enabled=False), **values)


@pytest.mark.parametrize('model', ['global', 'fused'])
@pytest.mark.parametrize(('offset', 'shift'), [(0.0, 0.3), (0.0, -0.3), (-1.5, 4.0), (3.0, -2.0)])
def test_from_picture_and_points_to_meters(
    tmp_path: Path, offset: float, shift: float, model: str
) -> None:
    """With the shift of the output itself, outputs below zero among them."""
    depth = 2.5 * (raw_output(RGB, 'depth') + offset) + shift
    measured = np.full_like(depth, np.nan)
    measured[4::9, 4::9] = depth[4::9, 4::9]
    alignment = AlignmentSettings(model=model)
    network = MonoDepth(
        network=card(tmp_path, offset=offset), settings=settings(alignment=alignment)
    )
    assert network.kind is PredictionKind.RELATIVE_DEPTH
    found = network(RGB, measured_depth=measured)
    assert np.isfinite(found.depth).all()
    np.testing.assert_allclose(found.depth, depth, rtol=0.005)
    assert found.alignment is not None
    assert found.alignment.quantity is PredictionKind.DEPTH


def test_by_the_scale_of_a_user(tmp_path: Path) -> None:
    network = MonoDepth(network=card(tmp_path), scale=2.0, shift=-2.0, settings=settings())
    found = network(RGB)
    depth = 2 * raw_output(RGB, 'depth') - 2.0
    assert depth.min() < 0
    expected = np.where(depth >= settings().min_depth, depth, np.nan)
    np.testing.assert_allclose(found.depth, expected, rtol=1e-4)


def test_without_meters_it_is_inverted_where_that_is_possible(tmp_path: Path) -> None:
    found = MonoDepth(network=card(tmp_path, offset=-1.0))(RGB)
    assert np.isnan(found.depth).all()
    raw = raw_output(RGB, 'depth') - 1.0
    expected = np.divide(1, raw, out=np.full_like(raw, np.nan), where=raw > 0)
    np.testing.assert_allclose(found.relative_inverse_depth, expected, rtol=1e-3)


def test_a_measurement_that_contradicts_the_sign_is_refused(tmp_path: Path) -> None:
    depth = 4.2 - 1.8 * raw_output(RGB, 'depth')
    network = MonoDepth(network=card(tmp_path), settings=settings())
    with pytest.raises(AlignmentError, match='the kind is probably depth where the card'):
        network(RGB, measured_depth=depth)


def test_a_factor_on_meters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='belongs to a metric network'):
        MonoDepth(network=card(tmp_path), depth_scale=1.1)


@pytest.mark.parametrize('offset', [0.0, -100.0])
def test_the_sign_is_seen_at_the_start_whatever_zero_it_has(tmp_path: Path, offset: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        load_card_estimator(EstimatorSettings(network=card(tmp_path, 'depth', offset)))
    with pytest.raises(CheckpointError, match='probably relative_inverse_depth, and output'):
        load_card_estimator(EstimatorSettings(network=card(tmp_path, 'inverse', offset)))
