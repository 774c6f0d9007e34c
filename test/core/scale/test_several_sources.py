"""Several sources measure one image: together, one without another, and one against another."""

import math

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import AlignmentError, SettingsError
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement, measure_depth
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.core.scale.ground_source import measure_ground
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import NAMES, POSED, AlignmentSettings, ScaleSettings
from mono_depth_ros.core.scale.sources import SOURCES
from mono_depth_ros.core.scale.tilt import Tilt
from mono_depth_ros.core.types import PredictionKind

CAMERA = PinholeCamera.from_fov(160, 120, 75.0)
HEIGHT_M, PITCH, WALL_M = 0.5, 0.3, 3.0
RANGE = (0.1, 80.0)
S = 1_000_000_000
SCALE, SHIFT = 0.3, -0.05


def world() -> torch.Tensor:
    """Return (H, W) inverse depth [1/m] of a floor that ends at a wall, which runs away."""
    x, y = CAMERA.rays()
    floor = (y * math.cos(PITCH) + math.sin(PITCH)) / HEIGHT_M
    return torch.maximum(floor, (1 + 0.5 * x) / WALL_M)


PREDICTION = PredictedFrame(
    (world() - SHIFT) / SCALE,
    torch.full((120, 160, 3), 90, dtype=torch.uint8),
    CAMERA,
    PredictionKind.RELATIVE_INVERSE_DEPTH,
    1,
    '',
)


def row(v: int, values: torch.Tensor | None = None) -> DepthMeasurement:
    """Return what a laser says of one row."""
    line = torch.full((120, 160), torch.nan)
    line[v] = world()[v] if values is None else values
    return DepthMeasurement(line, 0.0, relative_noise=0.02)


def estimator(source: str, **alignment: object) -> ScaleEstimator:
    settings = AlignmentSettings(
        source=source,
        **{'camera_height': HEIGHT_M, 'camera_pitch': PITCH, 'smoothing': 0.0, **alignment},
    )
    return ScaleEstimator(ScaleSettings(alignment=settings), PredictionKind.RELATIVE_INVERSE_DEPTH)


def show(of: ScaleEstimator, t_s: float, **evidence: object) -> FrameScale:
    return of.update(round(t_s * S), PREDICTION, RANGE, lambda: evidence)


def error(scale: FrameScale) -> float:
    assert scale.applied is not None, scale.reason_unknown
    aligned = scale.applied.inverse_depth(PREDICTION.values)
    return float((aligned / world() - 1).abs().mean())


def test_all_are_fitted_to_together() -> None:
    scale = show(estimator('scan, ground'), 1, scan=row(20))
    assert scale.state is not None
    assert set(scale.state.sources) == {'scan', 'ground'}
    assert scale.verdicts == {'scan': '', 'ground': ''}
    assert scale.left_out == {}
    assert error(scale) < 0.01
    alone = show(estimator('scan'), 1, scan=row(20))
    assert alone.state is not None
    assert scale.state.uncertainty < alone.state.uncertainty
    assert scale.fused is not None
    assert int(scale.fused.inverse_depth.isfinite().sum()) == 160, 'the floor is not fused'


def test_the_floor_tells_the_shape_where_a_laser_sees_a_flat_wall() -> None:
    flat = torch.full((160,), 1 / WALL_M)
    straight = PredictedFrame(
        (torch.maximum(world(), torch.tensor(1 / WALL_M)) - SHIFT) / SCALE,
        *(PREDICTION.color, CAMERA, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, ''),
    )
    alone = estimator('scan').update(S, straight, RANGE, lambda: {'scan': row(20, flat)})
    assert alone.state is not None
    assert alone.state.uncertainty > 0.15
    both = show(estimator('scan,ground'), 1, scan=row(20))
    assert both.state is not None
    assert both.state.uncertainty < 0.03
    assert error(both) < 0.01


@pytest.mark.parametrize('height_m', [0.5 * HEIGHT_M, 1.5 * HEIGHT_M])
def test_a_floor_that_contradicts_what_was_measured_is_left_out(height_m: float) -> None:
    scale = show(estimator('scan,ground', camera_height=height_m), 1, scan=row(20))
    assert error(scale) < 0.01
    assert scale.state is not None
    assert scale.state.sources == ('scan',)
    assert 'of its points agree with the fit to' in scale.left_out['ground']
    assert scale.refusal == ''
    alone = show(estimator('ground', camera_height=height_m), 1)
    assert error(alone) > 0.3


def test_what_has_nothing_to_say_does_not_take_the_others_down() -> None:
    cause = AlignmentError('none of 360 rays has an echo')
    scale = show(estimator('scan,ground'), 1, scan=cause)
    assert error(scale) < 0.01
    assert scale.left_out == {'scan': str(cause)}
    assert scale.refusal == ''
    blind = show(estimator('scan,ground', camera_pitch=-1.5), 1, scan=row(20))
    assert error(blind) < 0.1
    assert 'no floor can be in view' in blind.left_out['ground']
    millimeters = row(20, world()[20] / 1000)
    wrong = show(estimator('scan,ground'), 1, scan=millimeters)
    assert error(wrong) < 0.01
    assert 'lie within min_depth' in wrong.left_out['scan']


def test_every_reason_is_told_where_nothing_can_be_used() -> None:
    of = estimator('scan,ground', camera_pitch=-1.5)
    scale = show(of, 1, scan=AlignmentError('no echo'))
    assert scale.applied is None
    assert 'scan: no echo' in scale.reason_unknown
    assert 'ground: no floor can be in view' in scale.reason_unknown


def test_the_floor_alone_does_not_undo_a_measured_fit_until_that_is_too_old() -> None:
    of = estimator('scan,ground', camera_height=1.5 * HEIGHT_M, max_age=1.0)
    assert error(show(of, 1, scan=row(20))) < 0.01
    for t_s in (1.3, 1.6, 1.9):
        assert error(show(of, t_s)) < 0.01
    late = show(of, 2.5)
    assert late.state is not None
    assert late.state.sources == ('ground',)
    assert error(late) > 0.3
    again = show(of, 2.6, scan=row(20))
    assert error(again) < 0.01


def test_no_source_keeps_another_from_being_fitted_to() -> None:
    of = estimator('scan,points', refit_period=0.2)
    stamps: list[int] = []
    for k in range(20):
        evidence = {'scan': row(20)} if k % 2 else {'points': row(40)}
        scale = show(of, 1 + 0.1 * k, **evidence)
        assert scale.state is not None
        stamps.append(scale.state.stamp_ns)
        assert scale.verdicts.get('scan', '') == scale.verdicts.get('points', '') == ''
    assert len(set(stamps)) == 20


def test_of_two_sensors_that_contradict_each_other_one_is_named() -> None:
    most = measure_depth(world().reciprocal()[::4])
    scale = show(estimator('depth,scan'), 1, depth=most, scan=row(60, 3 * world()[60]))
    assert error(scale) < 0.05
    assert '% of its points agree with the fit to' in scale.left_out['scan']
    assert scale.fused is not None
    assert torch.equal(scale.fused.inverse_depth, most.inverse_depth), 'only what agrees is fused'


def test_the_order_of_names_does_not_matter() -> None:
    texts = ('scan,ground,points', ' points , scan,ground', 'ground,points,scan')
    found = [AlignmentSettings(source=text, camera_height=0.5).sources for text in texts]
    assert len(set(found)) == 1
    assert set(found[0]) == {'scan', 'ground', 'points'}
    assert AlignmentSettings().sources == ()
    assert AlignmentSettings(source='scan').sources == ('scan',)


@pytest.mark.parametrize(
    ('source', 'reason'),
    [
        ('scan,lidar', "source is 'scan,lidar'; choose one of none, disparity, .*, or several"),
        ('scan,', "source is 'scan,'; choose one of"),
        ('', "source is ''; choose one of"),
        ('scan, scan', "source is 'scan, scan'; name each of them once"),
        ('none,scan', "alignment.source is 'none,scan'; none means .* name it alone, or leave"),
        ('scan;depth', 'choose one of'),
        ('scan,ground', 'alignment.camera_height is 0.0 m, which means not set'),
    ],
)
def test_what_cannot_be_combined_is_refused(source: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        AlignmentSettings(source=source)


def test_the_settings_know_the_sources_without_loading_them() -> None:
    assert tuple(SOURCES) == NAMES
    assert tuple(name for name, source in SOURCES.items() if source.has_pose) == POSED


def test_poses_of_several_sensors() -> None:
    text = 'scan 0 0.25 0 0.5 -0.5 0.5 0.5; points: 0 -0.2 0 0.5 -0.5 0.5 0.5'
    both = AlignmentSettings(source='scan,points', sensor_pose=text)
    scan, points = both.pose_of('scan'), both.pose_of('points')
    assert scan is not None
    assert points is not None
    np.testing.assert_array_equal(scan.position, (0, 0.25, 0))
    np.testing.assert_array_equal(points.position, (0, -0.2, 0))
    assert both.pose_of('range') is None, 'TF tells'
    one = AlignmentSettings(source='scan,ground', camera_height=1.0, sensor_pose='0 1 0 0 0 0 1')
    pose = one.pose_of('scan')
    assert pose is not None
    assert pose.position[1] == 1
    assert one.pose_of('ground') is None


@pytest.mark.parametrize(
    ('pose', 'reason'),
    [
        ('0 0 0 0 0 0 1', 'it does not say which of points, scan stands there; name it, as in'),
        ('scan 0 0 0 0 0 0 1; scan 0 0 0 0 0 0 1', "two poses of 'scan'"),
        ('0 0 0 0 0 0 1; 0 0 0 0 0 0 1', 'two poses without a name'),
        ('lidar 0 0 0 0 0 0 1', "names 'lidar', which is none of points, scan, range"),
        ('scan 0 0 0', 'give seven numbers'),
        ('scan 0 0 0 0 0 0 1;', 'give seven numbers'),
    ],
)
def test_poses_that_are_not_clear_are_refused(pose: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        AlignmentSettings(source='scan,points', sensor_pose=pose)


def test_the_floor_is_what_the_tilt_of_the_moment_says() -> None:
    of = estimator('scan,ground', camera_pitch=0.0)
    scale = show(of, 1, scan=row(20), ground=Tilt(PITCH))
    assert scale.left_out == {}
    measured = measure_ground(CAMERA, HEIGHT_M, Tilt(PITCH))
    assert float((measured.inverse_depth - world()).nanmedian().abs()) < 0.05


def test_a_range_is_not_needed_beside_measured_pixels() -> None:
    """It would make a shape of a flat wall and one distance, which no one measured."""
    distance = DepthMeasurement(torch.full((120, 160), torch.nan), 0.0, relative_noise=0.03)
    distance.inverse_depth[50:60, 70:80] = 3 * world()[50:60, 70:80]
    scale = show(estimator('scan,range'), 1, scan=row(20), range=distance)
    assert scale.state is not None
    assert scale.state.sources == ('scan',)
    assert error(scale) < 0.01
    flat = row(20, torch.full((160,), 1 / WALL_M))
    assert show(estimator('scan,range'), 1, scan=flat, range=distance).state is None
