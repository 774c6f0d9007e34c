"""Clouds of ground and obstacles, the height gate, and what becomes of them without a plane."""

from typing import Any

import numpy as np
import pytest
import torch
from terrain import CAMERA, Heights, block, depth_of, level

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import SettingsError, TransformError
from mono_depth_ros.core.evaluation.costmap import FREE, LETHAL, NO_INFORMATION, VoxelLayer
from mono_depth_ros.core.network.prediction import Prediction, metric_prediction
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.outputs.ground_plane import GroundFinder, GroundPlane
from mono_depth_ros.core.outputs.output_settings import CloudSettings, GroundSettings
from mono_depth_ros.core.outputs.output_table import CLOUDS, SEGMENTS
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings, Result
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.tilt import Tilt
from mono_depth_ros.core.types import PredictionKind

PLANE = GroundPlane(Tilt(0.2).down, 0.5, 'tf')
RGB = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
GATE = CloudSettings(min_height=0.03, max_height=0.6)


class SeesDepth:
    """A network that predicts a depth, whatever the picture."""

    device = torch.device('cpu')
    precision = torch.float32
    kind = PredictionKind.DEPTH
    needs_camera = False

    def __init__(self, depth: torch.Tensor) -> None:
        self._depth = depth

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(
        self,
        images: list[torch.Tensor],
        size: tuple[int, int],
        cameras: list[PinholeCamera | None],
    ) -> list[Prediction]:
        return [metric_prediction(self._depth.nan_to_num(1e6), None)]


def by_tf() -> GroundPlane:
    return PLANE


def unknown() -> GroundPlane:
    raise TransformError("TF has no frame 'base_footprint'", 'publish it')


def seen(
    depth: torch.Tensor, wanted: Output = CLOUDS, find_plane: Any = by_tf, **values: Any
) -> Result:
    whole = {'edge_filter': EdgeFilterSettings(enabled=False), 'max_depth': 50.0}
    pipeline = Pipeline(SeesDepth(depth), PipelineSettings(**(whole | values)))
    calibration = CameraCalibration.of_pinhole(CAMERA)
    ground = find_plane and GroundFinder(find_plane)
    return pipeline.step(RGB, calibration, wanted, ground=ground)


def heights(points: np.ndarray) -> np.ndarray:
    return PLANE.height_m - points[..., :3] @ np.array(PLANE.down)


def rows_of(*clouds: np.ndarray) -> set[bytes]:
    """Return the points of clouds, each as its bytes."""
    return {point.tobytes() for cloud in clouds for point in cloud}


def with_box_and_hole() -> torch.Tensor:
    box, hole = block(0.3, 1.2, 1.6, 0.4), block(-0.4, 2.2)
    return depth_of(lambda x, y: box(x, y) + hole(x, y), PLANE)


@pytest.mark.parametrize('cloud', [CloudSettings(), CloudSettings(color=False, stride=2)])
def test_ground_obstacles_and_what_is_below_are_all_points(cloud: CloudSettings) -> None:
    result = seen(with_box_and_hole(), cloud=cloud, ground=GroundSettings(min_cell_points=0))
    ground, nonground = result.points_ground, result.points_nonground
    everything = rows_of(result.points)
    assert rows_of(ground) | rows_of(nonground) < everything
    assert not rows_of(ground) & rows_of(nonground)
    assert len(ground) > 500 / cloud.stride**2
    assert np.abs(heights(ground)).max() < 0.06
    assert heights(nonground).min() > 0.04
    assert heights(nonground).max() == pytest.approx(0.3, abs=0.02)
    left = everything - rows_of(ground) - rows_of(nonground)
    below = np.array([np.frombuffer(point, np.float32) for point in left])
    assert heights(below).max() < -0.04
    assert heights(below).min() == pytest.approx(-0.4, abs=0.02)
    assert (result.reason_withheld, result.ground_plane) == ('', PLANE)


def test_the_gate_cuts_points_and_obstacles_but_not_the_ground() -> None:
    depth = with_box_and_hole()
    depth[:40] = 2.0  # a wall from the height of 0.7 m on
    gated, plain = seen(depth, cloud=GATE), seen(depth)
    for cloud in (gated.points, gated.points_nonground):
        assert heights(cloud).min() >= 0.03 - 1e-6
        assert heights(cloud).max() <= 0.6 + 1e-6
        assert len(cloud) > 100
    assert heights(plain.points).max() > 0.7
    assert heights(plain.points).min() < -0.3
    np.testing.assert_array_equal(gated.points_ground, plain.points_ground)
    kept = heights(plain.points)
    inside = plain.points[(kept >= 0.03) & (kept <= 0.6)]
    assert len(inside) == pytest.approx(len(gated.points), abs=2)


def test_the_gate_leaves_holes_in_an_organized_cloud() -> None:
    cloud = CloudSettings(organized=True, min_height=0.03, max_height=0.6)
    result = seen(with_box_and_hole(), cloud=cloud)
    assert result.points.shape[:2] == (120, 160)
    known = np.isfinite(result.points[..., 2])
    assert heights(result.points[known]).min() >= 0.03 - 1e-6
    assert 100 < known.sum() < 0.3 * known.size
    # Consumers of these two do not look for NaN.
    assert np.isfinite(result.points_ground[:, :3]).all()
    assert np.isfinite(result.points_nonground[:, :3]).all()


def test_without_a_plane_the_gated_clouds_are_withheld_and_the_reason_told() -> None:
    result = seen(depth_of(level, PLANE), find_plane=unknown, cloud=GATE)
    assert result.points is result.points_clearing is result.points_nonground is None
    assert 'cloud.min_height and cloud.max_height count from the ground' in result.reason_withheld
    assert "TF has no frame 'base_footprint'; publish it" in result.reason_withheld
    assert result.reason_unknown == ''
    plain = seen(depth_of(level, PLANE), Output.POINTS | Output.DEPTH, unknown)
    assert plain.points is not None
    assert plain.reason_withheld == ''


def test_only_what_needs_the_plane_asks_for_it() -> None:
    def never() -> GroundPlane:
        raise AssertionError('asked')

    depth = depth_of(level, PLANE)
    for wanted in (Output.POINTS, Output.POINTS_CLEARING, Output.DEPTH):
        assert seen(depth, wanted, never).ground_plane is None
    assert seen(depth, Output.DEPTH, never, cloud=GATE).reason_withheld == ''
    by_depth = seen(depth, SEGMENTS, never, ground=GroundSettings(plane_from='depth'))
    assert by_depth.ground_plane.origin == 'depth'


@pytest.mark.parametrize(('plane_from', 'origin'), [('auto', 'depth'), ('tf', None)])
def test_without_tf_and_mount_auto_fits_the_plane(plane_from: str, origin: str | None) -> None:
    ground = GroundSettings(plane_from=plane_from)
    result = seen(depth_of(level, PLANE), SEGMENTS, unknown, ground=ground)
    if origin is None:
        assert result.points_ground is result.points_nonground is result.ground_plane is None
        assert 'no points_ground and points_nonground: TF has no frame' in result.reason_withheld
    else:
        assert result.ground_plane.height_m == pytest.approx(0.5, rel=0.02)
        assert len(result.points_ground) > 5000
        assert result.reason_withheld == ''


def test_a_fit_that_fails_says_both_reasons() -> None:
    result = seen(torch.full((120, 160), 2.0), SEGMENTS, unknown)
    assert result.points_ground is None
    assert 'TF has no frame' in result.reason_withheld
    assert 'no ground is seen' in result.reason_withheld


def test_the_mount_is_the_plane_where_nobody_else_tells_it() -> None:
    mounted = AlignmentSettings(camera_height=0.5, camera_pitch=0.2)
    result = seen(depth_of(level, PLANE), SEGMENTS, None, alignment=mounted)
    assert result.ground_plane.origin == 'mount'
    assert len(result.points_nonground) == 0


@pytest.mark.parametrize('cloud', [CloudSettings(), GATE])
def test_without_a_camera_there_is_no_cloud_and_no_talk_of_the_ground(
    cloud: CloudSettings,
) -> None:
    network, settings = SeesDepth(depth_of(level, PLANE)), PipelineSettings(cloud=cloud)
    result = Pipeline(network, settings).step(RGB, None, ~Output(0), ground=GroundFinder(unknown))
    assert result.depth is not None
    assert result.points is result.points_ground is result.points_nonground is None
    assert (result.reason_withheld, result.ground_plane) == ('', None)


def test_a_plane_far_above_the_floor_is_refused() -> None:
    high = GroundPlane(PLANE.down, 0.2, 'tf')
    result = seen(depth_of(level, PLANE), SEGMENTS, lambda: high)
    assert result.points_ground is result.points_nonground is None
    assert 'of the known pixels lie below the ground plane by tf, 0.20 m' in result.reason_withheld
    assert 'base_frame or alignment.camera_height is wrong' in result.reason_withheld


def test_specks_of_few_points_are_no_obstacles() -> None:
    depth = depth_of(block(0.3, 1.2, 1.6, 0.4), PLANE)
    depth[95, 30] = depth[95, 31] = 0.45  # two pixels that float before the camera
    kept = seen(depth, SEGMENTS, ground=GroundSettings(min_cell_points=2)).points_nonground
    dropped = seen(depth, SEGMENTS, ground=GroundSettings(min_cell_points=3)).points_nonground
    everything = seen(depth, SEGMENTS, ground=GroundSettings(min_cell_points=0)).points_nonground
    assert rows_of(everything) == rows_of(kept)
    gone = rows_of(kept) - rows_of(dropped)
    assert 2 <= len(gone) < 0.02 * len(kept)
    floating = [p for p in kept if p[2] == np.float32(0.45)]
    assert len(floating) == 2
    assert rows_of(floating) <= gone


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'min_height': 0.5, 'max_height': 0.5}, 'min_height must be smaller'),
        ({'min_height': 0.1}, r'cloud.max_height 0.0 m; min_height must be smaller; 100 is no'),
    ],
)
def test_a_gate_that_keeps_nothing_is_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        CloudSettings(**values)


def test_a_gate_by_a_plane_fitted_to_depth_is_refused() -> None:
    with pytest.raises(SettingsError, match=r'set ground\.plane_from to auto, tf or mount'):
        PipelineSettings(cloud=GATE, ground=GroundSettings(plane_from='depth'))


# A table in Nav2's VoxelLayer: its top is 1.2 to 2 m ahead, 0.7 m above the floor.

TABLE = block(0.7, 1.2, 2.0, 0.8)


def driven(view: Heights, plane: GroundPlane, gate: CloudSettings) -> VoxelLayer:
    """Return the map after a view from the middle of its floor, x ahead."""
    layer = VoxelLayer()
    result = seen(depth_of(view, plane), CLOUDS, lambda: plane, cloud=gate)
    axes = np.array([*plane.horizontal, [-part for part in plane.down]])
    origin = np.array([0.0, 0.0, plane.height_m])
    layer.clear(result.points_clearing[:, :3] @ axes.T + origin, origin)
    layer.mark(result.points[:, :3] @ axes.T + origin, origin)
    return layer


def test_what_a_table_top_hides_is_not_free_though_the_top_is_gated_away() -> None:
    plane = GroundPlane(Tilt(0.5).down, 1.2, 'tf')
    gate = CloudSettings(min_height=0.03, max_height=0.6)
    cells = [(1.45, 0.0), (1.6, 0.2), (1.75, -0.2)]
    plain = driven(TABLE, plane, CloudSettings())
    assert {int(plain.cost[plain.cell(x, y)]) for x, y in cells} == {LETHAL}
    gated = driven(TABLE, plane, gate)
    assert {int(gated.cost[gated.cell(x, y)]) for x, y in cells} == {NO_INFORMATION}
    assert int(gated.cost[gated.cell(0.9, 0.0)]) == FREE


def test_a_ray_over_what_is_gated_away_ends_at_the_gate() -> None:
    plane = GroundPlane(Tilt(0.0).down, 0.4, 'tf')
    depth = torch.full((120, 160), 4.0)
    gate = CloudSettings(min_height=0.03, max_height=0.6)
    cut = seen(depth, CLOUDS, lambda: plane, cloud=gate).points_clearing
    whole = seen(depth, CLOUDS, lambda: plane).points_clearing
    assert len(cut) == len(whole)
    height = 0.4 - cut[:, 1]
    assert height.max() == pytest.approx(0.6, abs=1e-5)
    same = 0.4 - whole[:, 1] < 0.6
    np.testing.assert_allclose(cut[same], whole[same], rtol=1e-6)
    along = np.cross(cut, whole) / np.linalg.norm(whole, axis=1)[:, None] ** 2
    np.testing.assert_allclose(along, 0, atol=1e-6, err_msg='ends stay on their rays')
