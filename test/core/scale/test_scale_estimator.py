"""Scale over the life of a pipeline: unknown, measured, held, lost, and what stands in."""

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.network.prediction import Prediction
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.core.scale.tilt import Tilt
from mono_depth_ros.core.types import PredictionKind

S = 10**9
HEIGHT, WIDTH = 48, 64
K = ((60.0, 0.0, 31.5), (0.0, 60.0, 23.5), (0.0, 0.0, 1.0))
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
CALIBRATION = CameraCalibration(
    WIDTH, HEIGHT, K, (), 'plumb_bob', EYE, tuple((*row, 0.0) for row in K)
)
RGB = np.random.default_rng(0).integers(0, 200, (HEIGHT, WIDTH, 3), np.uint8)
TRUTH = 0.2 + torch.linspace(0, 0.5, HEIGHT)[:, None] + torch.linspace(0, 0.3, WIDTH)
"""Inverse depth [1/m] of a plane."""
MEASURED = DepthMeasurement(TRUTH, 0.005)


class Network:
    """Sees a known inverse depth, bent by a scale and a shift, or depth too large by a factor."""

    device = torch.device('cpu')
    needs_camera = False

    def __init__(self, kind: PredictionKind, inverse_depth: torch.Tensor = TRUTH) -> None:
        self.kind = kind
        self._inverse_depth = inverse_depth

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(
        self,
        images: list[torch.Tensor],
        size: tuple[int, int],
        cameras: list[PinholeCamera | None],
    ) -> list[Prediction]:
        if self.kind is PredictionKind.DEPTH:
            return [Prediction(1.5 / self._inverse_depth, self.kind)]
        return [Prediction((self._inverse_depth + 0.1) / 0.3, self.kind)]


RELATIVE = Network(PredictionKind.RELATIVE_INVERSE_DEPTH)
METRIC = Network(PredictionKind.DEPTH)


def pipeline(network: Network, **alignment: object) -> Pipeline:
    return Pipeline(network, settings(**alignment))


def settings(**alignment: object) -> PipelineSettings:
    chosen = AlignmentSettings(**{'source': 'depth', **alignment})
    return PipelineSettings(alignment=chosen, edge_filter=EdgeFilterSettings(enabled=False))


def depth(of: Pipeline, t_s: float, tilt: Tilt | None = None) -> np.ndarray:
    result = of.step(
        RGB, CALIBRATION, Output.DEPTH, round(t_s * S), tilt and (lambda: {'ground': tilt})
    )
    assert result.depth is not None
    return result.depth


def is_metric(found: np.ndarray) -> bool:
    return bool(np.allclose(found, TRUTH.reciprocal().numpy(), rtol=0.02))


@pytest.mark.parametrize('network', [RELATIVE, METRIC])
def test_a_measurement_makes_what_comes_after_it_metric(network: Network) -> None:
    one = pipeline(network)
    assert np.isnan(depth(one, 1)).all()
    one.observe(S, {'depth': MEASURED})
    assert one.scale.alignment_at(S).refusal == ''
    assert is_metric(depth(one, 1.5))


def test_an_unaligned_metric_network_stands_in_only_if_told_to() -> None:
    one = pipeline(METRIC, fallback='network')
    own = 1.5 / TRUTH.numpy()
    np.testing.assert_allclose(depth(one, 1), own, rtol=1e-5)
    one.observe(S, {'depth': MEASURED})
    assert is_metric(depth(one, 3))
    np.testing.assert_allclose(depth(one, 3.1), own, rtol=1e-5)
    one.settings = settings(fallback='unknown')
    assert np.isnan(depth(one, 3.2)).all()


def test_a_relative_network_has_nothing_to_stand_in() -> None:
    assert np.isnan(depth(pipeline(RELATIVE, fallback='network'), 1)).all()


def test_only_a_frame_that_was_seen_can_be_fitted_to() -> None:
    one = pipeline(RELATIVE)
    depth(one, 1)
    one.observe(2 * S, {'depth': MEASURED})
    assert one.scale.alignment_at(2 * S).state is None
    one.predict(RGB, CALIBRATION, 2 * S)
    one.observe(2 * S, {'depth': MEASURED})
    assert is_metric(depth(one, 3))


def test_another_source_starts_anew_and_another_method_does_not() -> None:
    one = pipeline(RELATIVE)
    depth(one, 1)
    one.observe(S, {'depth': MEASURED})
    one.settings = settings(method='least_squares')
    assert is_metric(depth(one, 1.1))
    one.settings = settings(source='disparity')
    assert np.isnan(depth(one, 1.2)).all()
    assert one.scale.find(S) is None


def test_a_stamp_that_jumps_back_starts_anew() -> None:
    one = pipeline(RELATIVE)
    depth(one, 100)
    one.observe(100 * S, {'depth': MEASURED})
    assert is_metric(depth(one, 101))
    depth(one, 98.5)
    assert np.isnan(depth(one, 98.6)).all()


def test_a_jump_back_that_cannot_be_fitted_leaves_nothing() -> None:
    one = pipeline(RELATIVE)
    depth(one, 100)
    one.observe(100 * S, {'depth': MEASURED})
    depth(one, 2.9)
    depth(one, 3)
    flat = DepthMeasurement(torch.full_like(TRUTH, 0.5), 0.005)
    one.observe(3 * S, {'depth': flat})
    scale = one.scale.alignment_at(3 * S)
    assert scale.state is None
    assert 'the scene is flat' in scale.reason_unknown


def test_local_factors_count_while_the_model_is_local() -> None:
    bent = TRUTH * torch.linspace(0.85, 1.15, WIDTH)
    one = pipeline(RELATIVE, model='local')
    depth(one, 1)
    one.observe(S, {'depth': DepthMeasurement(bent, 0.005)})

    def error() -> float:
        return float(np.abs(depth(one, 1) * bent.numpy() - 1).mean())

    corrected = error()
    one.settings = settings(model='global')
    assert corrected < 0.4 * error()


def test_the_floor_is_measured_in_the_frame_itself() -> None:
    camera = PinholeCamera(WIDTH, HEIGHT, 60.0, 60.0, 31.5, 23.5)
    x, y = camera.rays()
    right, below, ahead = Tilt(0.4, 0.1).down
    floor = ((x * right + y * below + ahead) / 0.8).clamp(min=0.05)
    network = Network(PredictionKind.RELATIVE_INVERSE_DEPTH, floor)
    one = pipeline(network, source='ground', camera_height=0.8, camera_pitch=0.4)
    found = depth(one, 1, Tilt(0.4, 0.1)) * floor.numpy()
    assert np.median(found) == pytest.approx(1, rel=0.01)
    askew = depth(one, 2) * floor.numpy()
    assert abs(np.log(askew)).mean() > 2 * abs(np.log(found)).mean()


def test_the_floor_needs_a_camera() -> None:
    one = pipeline(RELATIVE, source='ground', camera_height=0.8)
    result = one.step(RGB, None, Output.DEPTH, S)
    assert 'needs a camera_info' in result.reason_unknown


def test_history_is_bounded_in_frames_and_in_bytes() -> None:
    small, large = (torch.zeros(side, side) for side in (4, 2000))
    settings = ScaleSettings(alignment=AlignmentSettings(source='disparity'))
    for values, most in ((small, 64), (large, 4)):
        scale = ScaleEstimator(settings, PredictionKind.RELATIVE_INVERSE_DEPTH)
        image = torch.zeros(*values.shape, 3, dtype=torch.uint8)
        for stamp in range(100):
            scale.update(
                stamp,
                PredictedFrame(values, image, None, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, ''),
                (0.1, 80.0),
            )
        kept = [stamp for stamp in range(100) if scale.find(stamp) is not None]
        assert kept == list(range(100 - most, 100))
