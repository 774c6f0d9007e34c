"""Predictions as networks give them, and the frames that they become."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from small_vit import SMALL

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.depth_anything import DepthAnything
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.network.focal_correction import focal_factor
from mono_depth_ros.core.network.prediction import Prediction, metric_prediction
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.core.types import PredictionKind

CPU = torch.device('cpu')
CAMERA = PinholeCamera.from_fov(80, 60, 90.0)
CALIBRATION = CameraCalibration.of_pinhole(CAMERA)
RGB = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
NAN = float('nan')


class Scripted:
    """A metric network that answers with a prediction made before; it needs the camera."""

    device = CPU
    kind = PredictionKind.DEPTH
    needs_camera = True

    def __init__(self, answer: Prediction) -> None:
        self.answer = answer
        self.cameras: list[PinholeCamera | None] = []

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(
        self,
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        self.cameras += cameras
        return [self.answer for _ in images]


def step(answer: Prediction, calibration: CameraCalibration | None = CALIBRATION) -> np.ndarray:
    settings = PipelineSettings(edge_filter=EdgeFilterSettings(enabled=False))
    result = Pipeline(Scripted(answer), settings).step(RGB, calibration, Output.DEPTH)
    assert result.depth is not None
    return result.depth


@pytest.mark.parametrize(
    ('kind', 'values', 'expected'),
    [
        (PredictionKind.DEPTH, [2.0, 4.0], [0.5, 0.25]),
        (PredictionKind.INVERSE_DEPTH, [2.0, 4.0], [2.0, 4.0]),
        (PredictionKind.RELATIVE_INVERSE_DEPTH, [2.0, 4.0], [2.0, 4.0]),
    ],
)
def test_inverted(kind: PredictionKind, values: list[float], expected: list[float]) -> None:
    inverted = Prediction(torch.tensor([values]), kind).inverted()
    assert inverted.values[0].tolist() == expected
    assert inverted.kind is not PredictionKind.DEPTH
    partly = Prediction(torch.tensor([values]), kind, torch.tensor([[True, False]])).inverted()
    assert partly.values[0].tolist() == pytest.approx([expected[0], NAN], nan_ok=True)


def test_a_saturated_head_is_not_valid_whatever_the_lens() -> None:
    found = metric_prediction(torch.tensor([[1.0, 19.5, 19.7]]), 20.0, 0.5)
    assert found.valid is not None
    assert found.valid[0].tolist() == [True, True, False]
    assert found.values[0, :2].tolist() == pytest.approx([0.5, 9.75])


@pytest.mark.parametrize(
    ('answer', 'expected'),
    [
        (Prediction(torch.full((60, 80), 2.0), PredictionKind.DEPTH), 2.0),
        (Prediction(torch.full((60, 80), 0.25), PredictionKind.INVERSE_DEPTH), 4.0),
    ],
)
def test_metric_predictions_of_both_kinds_are_depth(answer: Prediction, expected: float) -> None:
    assert (step(answer) == expected).all()


def test_what_the_network_calls_invalid_is_unknown() -> None:
    valid = torch.ones(60, 80, dtype=torch.bool)
    valid[:20] = False
    depth = step(Prediction(torch.full((60, 80), 2.0), PredictionKind.DEPTH, valid))
    assert np.isnan(depth[:20]).all()
    assert (depth[20:] == 2).all()


def test_a_prediction_with_a_reason_is_no_depth() -> None:
    why = 'the network needs a camera'
    answer = Prediction(torch.full((60, 80), 2.0), PredictionKind.DEPTH, reason_unknown=why)
    assert np.isnan(step(answer)).all()
    result = Pipeline(Scripted(answer), PipelineSettings()).step(RGB, None, Output.POINTS)
    assert (result.points, result.reason_unknown) == (None, why)


def test_only_a_network_that_uses_the_camera_is_told_it() -> None:
    network = Scripted(Prediction(torch.full((60, 80), 2.0), PredictionKind.DEPTH))
    for needs, corrects, told in (
        (True, False, CAMERA),
        (False, True, CAMERA),
        (False, False, None),
    ):
        network.needs_camera = needs
        settings = PipelineSettings(focal_correction=corrects)
        Pipeline(network, settings).step(RGB, CALIBRATION, Output.DEPTH)
        assert network.cameras.pop() == told


def test_a_stated_spread_is_the_uncertainty_where_nothing_was_measured() -> None:
    spread = torch.full((60, 80), 0.05)
    spread[:, 40:] = 0.2
    stated = Prediction(torch.full((60, 80), 2.0), PredictionKind.DEPTH, spread=spread)
    result = Pipeline(Scripted(stated), PipelineSettings()).step(
        RGB, CALIBRATION, Output.UNCERTAINTY
    )
    assert result.uncertainty is not None
    assert result.uncertainty[30, 10] == pytest.approx(0.1, rel=0.01)
    assert result.uncertainty[30, 70] == pytest.approx(0.4, rel=0.01)
    silent = dataclasses.replace(stated, spread=None)
    result = Pipeline(Scripted(silent), PipelineSettings()).step(
        RGB, CALIBRATION, Output.UNCERTAINTY
    )
    assert result.uncertainty is not None
    assert result.uncertainty[30, 10] == pytest.approx(0.5, rel=0.01)


def test_each_image_of_a_batch_has_its_own_camera() -> None:
    torch.manual_seed(0)
    network = DepthAnything(SMALL, max_depth=20.0)
    estimator = TorchEstimator(network, CPU, training_focal_px=100.0)
    rgb = torch.from_numpy(RGB)
    plain, wide, tele = estimator.predict(
        [rgb] * 3, (60, 80), [None, CAMERA, PinholeCamera.from_fov(80, 60, 30.0)]
    )
    factor = focal_factor(CAMERA, estimator.network_size(60, 80), 100.0)
    torch.testing.assert_close(wide.values, plain.values * factor)
    assert (tele.values > wide.values).all()
    with pytest.raises(ValueError, match='shorter'):
        estimator.predict([rgb] * 2, (60, 80), [None])
