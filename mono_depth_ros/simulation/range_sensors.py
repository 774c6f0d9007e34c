"""What a spinning LiDAR, a 2D laser, time of flight and ultrasound see of a scene."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..core.camera.pinhole import PinholeCamera
from ..core.camera.rigid_transform import RigidTransform
from .pose import Pose
from .raycast import cast
from .scene import Scene

Array = npt.NDArray[np.float64]

_SIDES = 4
_SIDE_PX = 256
"""Columns of each side's view of a quarter turn: rays lie 0.22 to 0.45 degrees apart."""
_BODY_TO_OPTICAL = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""From x forward, y left, z up to x right, y down, z forward (REP-103)."""
_OF_OPTICAL = RigidTransform.of((0, 0, 0), (-0.5, 0.5, -0.5, 0.5))
_NEAREST_M = 0.1
_CONE_PX = 40
"""Rays across the view of a cone: 0.4 degrees apart for one of 15."""


@dataclass(frozen=True)
class SpinningLidar:
    """A LiDAR that turns about its z axis, which points up; x points forward.

    Attributes:
        elevations_deg: Of its beams, above the horizon.
        columns: Rays of each beam during a turn.
        farthest_m: Beyond there is no echo.
        noise_m: Standard deviation of each range.
    """

    elevations_deg: tuple[float, ...]
    columns: int = 720
    farthest_m: float = 100.0
    noise_m: float = 0.02

    @classmethod
    def of_beams(cls, count: int) -> 'SpinningLidar':
        """Return one of 16 beams within +-15 degrees, or of others within +-22.5 degrees."""
        half = 15.0 if count == 16 else 22.5
        return cls(tuple(np.linspace(-half, half, count).tolist()))

    def scan(self, scene: Scene, pose: Pose, mount: RigidTransform, seed: int = 0) -> Array:
        """Return the points (N, 3) [m] of one turn, in the frame of the LiDAR.

        Args:
            scene: The world.
            pose: Of the camera.
            mount: Place of the LiDAR in the optical frame of the camera.
            seed: Of the noise.
        """
        ranges = self.ranges(scene, pose, mount, seed)
        has_echo = np.isfinite(ranges)
        points: Array = ranges[has_echo, None] * self._directions()[has_echo]
        return points

    def ranges(self, scene: Scene, pose: Pose, mount: RigidTransform, seed: int = 0) -> Array:
        """Return (beams, columns) distances [m], infinite without an echo.

        Columns begin behind the LiDAR and turn to its left, counterclockwise from above.
        """
        directions = self._directions()
        exact = np.full(directions.shape[:2], np.inf)
        azimuth = self.azimuths()
        for side in range(_SIDES):
            center = -math.pi + (side + 0.5) * 2 * math.pi / _SIDES
            chosen = np.abs(azimuth - center) <= math.pi / _SIDES + 1e-9
            turned = RigidTransform.of((0, 0, 0), _about_z(center))
            seen = _look(scene, pose, mount @ turned, directions[:, chosen] @ turned.rotation)
            exact[:, chosen] = seen
        noise: Array = np.random.default_rng(seed).normal(0.0, self.noise_m, exact.shape)
        has_echo = (exact > _NEAREST_M) & (exact < self.farthest_m)
        found: Array = exact + noise
        found[~has_echo] = np.inf
        return found

    def azimuths(self) -> Array:
        """Return (columns,) angles from x toward y [rad], ascending from -pi."""
        first = -math.pi + math.pi / self.columns
        return np.linspace(first, -first, self.columns)

    def _directions(self) -> Array:
        elevation = np.radians(self.elevations_deg)[:, None]
        azimuth = self.azimuths()
        flat = np.cos(elevation)
        up = np.broadcast_to(np.sin(elevation), (len(elevation), self.columns))
        return np.stack((flat * np.cos(azimuth), flat * np.sin(azimuth), up), axis=-1)


@dataclass(frozen=True)
class MultizoneSensor:
    """A time-of-flight sensor that tells one distance for each zone of a square view.

    Attributes:
        zones: Along each side.
        fov_deg: Of a side.
        farthest_m: Beyond there is no echo.
        noise: Standard deviation as a share of each distance.
    """

    zones: int = 8
    fov_deg: float = 45.0
    farthest_m: float = 4.0
    noise: float = 0.03

    def scan(self, scene: Scene, pose: Pose, mount: RigidTransform, seed: int = 0) -> Array:
        """Return the points (N, 3) [m] of the zones with an echo; x forward, z up.

        Each lies on the ray through the middle of its zone, in the median depth of the zone.
        """
        per_zone = 5
        camera = PinholeCamera.from_fov(*2 * (self.zones * per_zone,), self.fov_deg)
        depth = cast(scene, camera, _world_pose(pose, mount)).depth.double().numpy()
        zone = depth.reshape(self.zones, per_zone, self.zones, per_zone)
        median = np.median(zone, axis=(1, 3))
        noise = self.noise * np.random.default_rng(seed).normal(size=median.shape)
        x, y = camera.resized(self.zones, self.zones).rays().double().numpy()
        optical = np.stack((x, y, np.ones_like(x)), axis=-1) * (median * (1 + noise))[..., None]
        has_echo = (median > _NEAREST_M) & (median < self.farthest_m)
        points: Array = (optical @ _BODY_TO_OPTICAL)[has_echo]
        return points


@dataclass(frozen=True)
class ConeRanger:
    """An ultrasonic sensor: one distance, that of the nearest surface within a cone about x.

    The numbers are those of small sonars such as the HC-SR04.

    Attributes:
        fov_deg: Angle across the cone.
        nearest_m: Nothing is measured nearer.
        farthest_m: Beyond there is no echo.
        noise_m: Standard deviation of a distance.
    """

    fov_deg: float = 15.0
    nearest_m: float = 0.02
    farthest_m: float = 4.0
    noise_m: float = 0.01

    def range(self, scene: Scene, pose: Pose, mount: RigidTransform, seed: int = 0) -> float:
        """Return the distance [m], infinite without an echo (REP-117)."""
        camera = PinholeCamera.from_fov(*2 * (_CONE_PX,), self.fov_deg)
        depth = cast(scene, camera, _world_pose(pose, mount)).depth.double().numpy()
        x, y = camera.rays().double().numpy()
        lengthened = np.sqrt(1 + x * x + y * y)
        in_cone = lengthened <= 1 / math.cos(math.radians(self.fov_deg / 2))
        nearest = float((depth * lengthened)[in_cone].min())
        if not self.nearest_m < nearest < self.farthest_m:
            return math.inf
        return nearest + float(np.random.default_rng(seed).normal(0.0, self.noise_m))


def _look(scene: Scene, pose: Pose, mount: RigidTransform, directions: Array) -> Array:
    """Return the distances (h, w) [m] along directions (h, w, 3) that look about along x.

    They are those of the nearest rays of a pinhole camera.
    """
    right, below, ahead = np.moveaxis(directions @ _BODY_TO_OPTICAL.T, -1, 0)
    x, y = right / ahead, below / ahead
    focal = _SIDE_PX / 2
    top, bottom = focal * y.min() - 1, focal * y.max() + 1
    height = math.ceil(bottom - top) + 1
    camera = PinholeCamera(_SIDE_PX, height, focal, focal, (_SIDE_PX - 1) / 2, -top)
    depth = cast(scene, camera, _world_pose(pose, mount)).depth.double().numpy()
    u = np.rint(focal * x + camera.cx).clip(0, _SIDE_PX - 1).astype(np.intp)
    v = np.rint(focal * y + camera.cy).clip(0, height - 1).astype(np.intp)
    distances: Array = depth[v, u] * np.sqrt(1 + x * x + y * y)
    return distances


def _world_pose(pose: Pose, mount: RigidTransform) -> Pose:
    """Return the pose of a view along x of a sensor, from that of the camera."""
    placed = mount @ _OF_OPTICAL
    position = pose.position + pose.rotation @ torch.from_numpy(placed.position)
    return Pose(position, pose.rotation @ torch.from_numpy(placed.rotation))


def _about_z(angle: float) -> tuple[float, float, float, float]:
    return 0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2)
