"""One distance of an ultrasonic or infrared sensor: which pixels it is of, and what it gives."""

import math
from types import SimpleNamespace

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import AlignmentError, MonoDepthError, PointsError
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.core.scale.range_source import measured_range
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.core.scale.sensor_reading import SensorReading
from mono_depth_ros.core.scale.sources import SOURCES
from mono_depth_ros.core.types import PredictionKind

CAMERA = PinholeCamera.from_fov(160, 120, 75.0)
AHEAD = RigidTransform.of((0.0, 0.0, 0.0), (0.5, -0.5, 0.5, 0.5))
"""x ahead, z up."""
SETTINGS = AlignmentSettings(source='range')
SCALE = 0.3


def message(range_m: float = 2.0, **fields: float) -> SimpleNamespace:
    usual = {'field_of_view': 0.4, 'min_range': 0.02, 'max_range': 4.0, 'range': range_m}
    return SimpleNamespace(**{**usual, **fields})


def prediction(inverse_depth: torch.Tensor) -> PredictedFrame:
    color = torch.zeros((120, 160, 3), dtype=torch.uint8)
    return PredictedFrame(
        inverse_depth / SCALE, color, CAMERA, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, ''
    )


def wall(depth_m: float) -> torch.Tensor:
    return torch.full((120, 160), 1 / depth_m)


def measure(
    seen: torch.Tensor, said: SimpleNamespace, pose: RigidTransform = AHEAD
) -> DepthMeasurement:
    reading = SensorReading.fixed(said, pose)
    return SOURCES['range'].measure(prediction(seen), reading, SETTINGS)


def known(measured: DepthMeasurement) -> torch.Tensor:
    return measured.inverse_depth.isfinite()


def test_it_is_of_pixels_in_its_cone_at_the_depth_of_its_sphere() -> None:
    measured = measure(wall(2.0), message(2.0))
    x, y = CAMERA.rays()
    angle = torch.atan((x * x + y * y).sqrt())
    assert bool((angle[known(measured)] <= 0.2 + 1e-4).all())
    assert int(known(measured).sum()) >= 9
    q = measured.inverse_depth[known(measured)]
    expected = 1 / (2.0 * torch.cos(angle[known(measured)]))
    torch.testing.assert_close(q, expected)


def test_the_nearest_thing_in_the_cone_is_meant() -> None:
    seen = wall(4.0)
    seen[55:62, 84:90] = 1 / 1.2  # a box right of the middle, in a cone of 12 degrees each side
    measured = measure(seen, message(1.2))
    v, u = known(measured).nonzero().unbind(1)
    assert len(v) >= 9
    assert 55 <= int(v.min()) <= int(v.max()) < 62
    assert 84 <= int(u.min()) <= int(u.max()) < 90


def test_the_more_the_scene_varies_in_the_cone_the_less_is_stated() -> None:
    box = wall(4.0)
    box[55:62, 84:90] = 1 / 1.2
    flat, varied = measure(wall(2.0), message(2.0)), measure(box, message(1.2))
    assert flat.relative_noise == pytest.approx(0.03, abs=1e-3)
    assert varied.relative_noise > 0.5


def test_a_sensor_beside_the_camera_sees_from_its_own_place() -> None:
    below = RigidTransform.of((0.0, 0.3, 0.1), (0.5, -0.5, 0.5, 0.5))
    measured = measure(wall(2.0), message(1.9, field_of_view=0.1), below)
    v, u = known(measured).nonzero().unbind(1)
    # The axis ends 0.3 m below the middle, at Z = 2.
    assert float(v.float().mean()) == pytest.approx(CAMERA.cy + CAMERA.fy * 0.3 / 2, abs=1.5)
    assert float(u.float().mean()) == pytest.approx(CAMERA.cx, abs=1.5)
    depth = measured.inverse_depth[known(measured)].reciprocal()
    assert float(depth.mean()) == pytest.approx(2.0, abs=0.01)


def test_a_beam_without_width_is_of_the_pixels_around_it() -> None:
    measured = measure(wall(2.0), message(2.0, field_of_view=0.0))
    assert 9 <= int(known(measured).sum()) <= 16


@pytest.mark.parametrize('range_m', [math.inf, -math.inf, math.nan, 0.0, -1.0, 0.01, 4.01])
def test_what_lies_outside_the_limits_is_no_measurement(range_m: float) -> None:
    with pytest.raises(AlignmentError, match=r'the range is .* nothing was measured between'):
        measured_range(message(range_m))


def test_the_end_of_the_range_is_no_distance() -> None:
    """Many drivers send it where nothing came back."""
    with pytest.raises(
        AlignmentError, match=r'the range is max_range, 4 m.* nothing was measured'
    ):
        measured_range(message(4.0, max_range=4.0))


def test_a_detector_of_a_fixed_distance_measures_none() -> None:
    for range_m in (-math.inf, math.inf, 0.8):
        fixed = message(range_m, min_range=0.8, max_range=0.8)
        with pytest.raises(AlignmentError, match='says whether something is nearer'):
            measured_range(fixed)


@pytest.mark.parametrize(
    'fields',
    [
        {'min_range': -1.0},
        {'min_range': 5.0},
        {'max_range': math.inf},
        {'max_range': math.nan},
        {'field_of_view': -0.1},
        {'field_of_view': math.pi},
        {'field_of_view': math.nan},
    ],
)
def test_limits_that_are_none_of_a_sensor_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(PointsError, match='a range has'):
        measured_range(message(2.0, **fields))


def test_a_sensor_that_looks_elsewhere_is_told_where_it_stands() -> None:
    behind = RigidTransform.of((0.1, 0.0, -0.2), (0.5, 0.5, -0.5, 0.5))
    with pytest.raises(AlignmentError) as caught:
        measure(wall(2.0), message(2.0), behind)
    assert 'does it look where the camera does?' in str(caught.value)
    assert 'it stands 0.10 m right, 0.00 m below and -0.20 m ahead' in str(caught.value)


def test_it_needs_a_camera() -> None:
    blind = PredictedFrame(
        wall(2.0), torch.zeros(120, 160, 3), None, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, ''
    )
    with pytest.raises(MonoDepthError, match='needs a camera_info'):
        SOURCES['range'].measure(blind, SensorReading.fixed(message(), AHEAD), SETTINGS)


def scale_of(seen: torch.Tensor, said: SimpleNamespace, **settings: object) -> FrameScale:
    alignment = AlignmentSettings(**{'source': 'range', **settings})
    estimator = ScaleEstimator(
        ScaleSettings(alignment=alignment), PredictionKind.RELATIVE_INVERSE_DEPTH
    )
    evidence = {'range': SensorReading.fixed(said, AHEAD)}
    return estimator.update(1, prediction(seen), (0.1, 80.0), lambda: evidence)


def test_alone_it_gives_the_level_where_it_measures_what_is_typical() -> None:
    scale = scale_of(wall(2.0), message(2.0))
    assert scale.applied is not None, scale.reason_unknown
    depth = scale.applied.inverse_depth(wall(2.0) / SCALE).reciprocal()
    assert float((depth / 2.0 - 1).abs().max()) < 0.02
    assert scale.state is not None
    assert 'only their common factor was corrected' in scale.state.note
    assert scale.fused is None, 'where in the cone it is, is a guess'


def test_alone_it_is_refused_where_the_level_there_says_little_of_the_rest() -> None:
    seen = wall(8.0)
    seen[45:75, 60:100] = 1 / 1.5  # all of the cone
    scale = scale_of(seen, message(1.5))
    assert scale.applied is None
    assert 'the scene is flat' in scale.refusal
    assert scale_of(seen, message(1.5), max_uncertainty=10.0).applied is not None


def test_what_may_be_anything_in_the_cone_is_no_level() -> None:
    seen = wall(2.0)
    seen[55:62, 84:90] = 1 / 0.4
    scale = scale_of(seen, message(0.4))
    assert scale.applied is None


def test_beside_the_floor_it_is_one_more_anchor() -> None:
    x, y = CAMERA.rays()
    seen = torch.maximum(y / 0.4, (1 + 0.3 * x) / 3)
    floor = {'camera_height': 0.4}
    right = scale_of(seen, message(2.95, field_of_view=0.05), source='range,ground', **floor)
    assert right.applied is not None, right.reason_unknown
    assert right.left_out == {}
    aligned = right.applied.inverse_depth(seen / SCALE)
    assert float((aligned / seen - 1).abs().mean()) < 0.05
    wrong = scale_of(seen, message(1.0, field_of_view=0.05), source='range,ground', **floor)
    assert 'ground' in wrong.left_out, 'the floor yields to what was measured, and says so'
