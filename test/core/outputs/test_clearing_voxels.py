"""Marking and clearing clouds through the rules of Nav2's VoxelLayer.

A camera 0.4 m above a floor looks ahead; a box 0.6 m wide and high stands 2 m away, a wall 4 m.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.evaluation.costmap import FREE, LETHAL, VoxelLayer
from mono_depth_ros.core.network.prediction import Prediction, metric_prediction
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings, Result
from mono_depth_ros.core.scale.depth_measurement import measure_depth
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.types import PredictionKind

CAMERA = PinholeCamera.from_fov(320, 240, 70.0)
HEIGHT_M = 0.4
ORIGIN = np.array([0.0, 0.0, HEIGHT_M])
CLOUDS = Output.POINTS | Output.POINTS_CLEARING
RGB = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
X, Y = CAMERA.rays()
BOX = (X.abs() < 0.15) & (Y > -0.1) & (Y < 0.2)
"""The pixels of the box."""
FAR_SIDE = [(2.0, y) for y in (-0.2, -0.1, 0.0, 0.1, 0.2)]
"""Places of the box that no ray touches which does not end on it."""


def calibration() -> CameraCalibration:
    k = ((CAMERA.fx, 0.0, CAMERA.cx), (0.0, CAMERA.fy, CAMERA.cy), (0.0, 0.0, 1.0))
    eye = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    return CameraCalibration(320, 240, k, (), '', eye, tuple((*row, 0.0) for row in k))


class Told:
    """A network that predicts what it was told last.

    Args:
        kind: What that is.
    """

    device = torch.device('cpu')
    needs_camera = False

    def __init__(self, kind: PredictionKind) -> None:
        self.kind = kind
        self.inverse_depth = torch.zeros(240, 320)

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(
        self,
        images: list[torch.Tensor],
        size: tuple[int, int],
        cameras: list[PinholeCamera | None],
    ) -> list[Prediction]:
        if self.kind is PredictionKind.DEPTH:
            return [metric_prediction(self.inverse_depth.reciprocal(), 20.0)]
        return [Prediction(self.inverse_depth.clone(), self.kind)]


def room(box: bool, behind: float = 1 / 4) -> torch.Tensor:
    """Return inverse depth [1/m]; `behind` is that of what stands behind all."""
    q = torch.maximum(Y / HEIGHT_M, torch.full_like(Y, behind))
    return torch.where(BOX, 0.5, q) if box else q


class Robot:
    """A camera, its pipeline and a map; the network is relative and its scale known."""

    def __init__(self, kind: PredictionKind = PredictionKind.RELATIVE_INVERSE_DEPTH) -> None:
        self.network = Told(kind)
        self.relative = kind is PredictionKind.RELATIVE_INVERSE_DEPTH
        self.pipeline = Pipeline(self.network, self.settings())
        self.map = VoxelLayer()

    def settings(self, **values: object) -> PipelineSettings:
        scale = 1.0 if self.relative else 0.0
        return PipelineSettings(**({'scale': scale} | values))

    def sees(self, inverse_depth: torch.Tensor, stamp_ns: int = 0) -> Result:
        """Update the map with a view, cleared by one source, then marked by the other."""
        self.network.inverse_depth = inverse_depth
        result = self.pipeline.step(RGB, calibration(), CLOUDS, stamp_ns)
        if result.points_clearing is not None:
            self.map.clear(in_map(result.points_clearing), ORIGIN)
        if result.points is not None:
            self.map.mark(in_map(result.points[:, :3]), ORIGIN)
        return result

    def costs(self, places: list[tuple[float, float]]) -> set[int]:
        return {int(self.map.cost[self.map.cell(x, y)]) for x, y in places}


def in_map(points: np.ndarray) -> np.ndarray:
    """Return points of the optical frame in that of the map: x forward, z up."""
    x, y, z = points.T
    return np.stack([z, -x, HEIGHT_M - y], axis=1)


@pytest.fixture
def robot() -> Robot:
    """Return a robot that has seen the box."""
    robot = Robot()
    robot.sees(room(box=True))
    assert robot.costs(FAR_SIDE) == {LETHAL}
    assert robot.costs([(1.5, 0.0), (1.0, 0.2)]) == {FREE}
    return robot


def test_what_is_gone_is_cleared(robot: Robot) -> None:
    robot.sees(room(box=False))
    assert robot.costs(FAR_SIDE) == {FREE}
    assert robot.costs([(2.5, y) for y in (-0.5, 0.0, 0.5)]) == {FREE}


def test_the_marking_source_alone_does_not_clear_what_stood_on_the_floor() -> None:
    """Why a second source is needed: points of the floor are below the band of the first."""
    robot = Robot()
    for box in (True, False):
        robot.network.inverse_depth = room(box)
        result = robot.pipeline.step(RGB, calibration(), CLOUDS)
        points = in_map(result.points[:, :3])
        robot.map.clear(points[robot.map.is_obstacle(points)], ORIGIN)
        robot.map.mark(points, ORIGIN)
    assert robot.costs(FAR_SIDE) == {LETHAL}


def test_what_stands_still_stays(robot: Robot) -> None:
    for _ in range(2):
        robot.sees(room(box=True))
    assert robot.costs(FAR_SIDE) == {LETHAL}


def test_masked_pixels_never_clear(robot: Robot, tmp_path: Path) -> None:
    mask = tmp_path / 'mask.png'
    cv2.imwrite(str(mask), np.where(BOX, 0, 255).astype(np.uint8))
    robot.pipeline.settings = robot.settings(mask=str(mask))
    robot.sees(room(box=False))
    assert robot.costs(FAR_SIDE) == {LETHAL}
    robot.pipeline.settings = robot.settings()
    robot.sees(room(box=False))
    assert robot.costs(FAR_SIDE) == {FREE}


def test_pixels_too_near_never_clear(robot: Robot) -> None:
    """Somebody stands before the lens: what is behind cannot be seen."""
    robot.sees(torch.where(BOX, 1 / 0.05, room(box=False)))
    assert robot.costs(FAR_SIDE) == {LETHAL}


def test_pixels_without_a_prediction_never_clear(robot: Robot) -> None:
    robot.sees(torch.where(BOX, torch.nan, room(box=False)))
    assert robot.costs(FAR_SIDE) == {LETHAL}


def test_edges_never_clear(robot: Robot) -> None:
    """Bars of 2 px, all edges: what the network makes of the gaps says nothing."""
    bars = (torch.arange(320) // 2 % 2 == 0).expand(240, 320)
    robot.sees(torch.where(BOX & bars, 1 / 0.5, room(box=False)))
    assert robot.costs(FAR_SIDE) == {LETHAL}
    robot.pipeline.settings = robot.settings(edge_filter=EdgeFilterSettings(enabled=False))
    robot.sees(torch.where(BOX & bars, 1 / 10, room(box=False)))
    assert robot.costs(FAR_SIDE) == {FREE}


def test_saturated_pixels_never_clear() -> None:
    robot = Robot(PredictionKind.DEPTH)
    robot.sees(room(box=True))
    assert robot.costs(FAR_SIDE) == {LETHAL}
    robot.sees(torch.where(BOX, 1 / 19.9, room(box=False)))
    assert robot.costs(FAR_SIDE) == {LETHAL}
    robot.sees(torch.where(BOX, 1 / 15, room(box=False)))
    assert robot.costs(FAR_SIDE) == {FREE}, 'known depth, farther than the range'


@pytest.mark.parametrize('sky', [0.04, 0.0, -0.2])
def test_the_sky_of_a_relative_network_clears(sky: float) -> None:
    robot = Robot()
    robot.sees(room(box=True, behind=sky))
    assert robot.costs(FAR_SIDE) == {LETHAL}
    result = robot.sees(room(box=False, behind=sky))
    assert robot.costs(FAR_SIDE) == {FREE}
    distance = np.linalg.norm(result.points_clearing, axis=1)
    assert distance.max() == pytest.approx(5.0, rel=1e-5)
    # The upper half of the view, but for the rows at the horizon.
    assert (distance > 4.99).mean() > 0.45


def test_the_floor_is_kept() -> None:
    robot = Robot()
    ends = in_map(robot.sees(room(box=False)).points_clearing)
    floor = ends[(np.abs(ends[:, 2]) < 0.02) & (np.abs(ends[:, 1]) < 0.3)]
    ahead = np.sort(floor[:, 0])
    assert ahead[0] < 0.8, 'where the view begins'
    assert ahead[-1] > 3.0
    assert len(ends) == 80 * 106, 'nothing in this room is unknown'


def test_without_a_live_scale_there_is_nothing_to_clear_with() -> None:
    """The disparity unplugged: consumers' sources time out, the map stays."""
    robot = Robot()
    robot.pipeline.settings = robot.settings(
        scale=0.0, alignment=AlignmentSettings('depth', max_age=1.0, min_points=10)
    )
    depth = measure_depth(room(box=True).reciprocal())
    robot.sees(room(box=True))
    robot.pipeline.observe(0, {'depth': depth})
    assert robot.pipeline.scale.alignment_at(0).refusal == ''
    assert robot.sees(room(box=True), stamp_ns=500_000_000).points_clearing is not None
    assert robot.costs(FAR_SIDE) == {LETHAL}
    late = robot.sees(room(box=False), stamp_ns=1_600_000_000)
    assert late.points_clearing is None
    assert late.points is None
    assert late.reason_unknown
    assert robot.costs(FAR_SIDE) == {LETHAL}
