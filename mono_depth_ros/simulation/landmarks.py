"""Landmarks of visual-inertial odometry: sparse points with errors of their own, seen again."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.camera.pinhole import PinholeCamera
from .drive import Drive
from .pose import Pose
from .raycast import cast
from .robots import SimulatedRobot

Array = npt.NDArray[np.float64]

_STEP_M = 0.4
"""The camera travels so far from one keyframe to the next."""
_SAME_SURFACE = 0.03
"""A landmark is hidden where the scene is nearer than it by more than this share."""
_BORDER_PX = 3


@dataclass(frozen=True)
class LandmarkSettings:
    """How odometry triangulates.

    Attributes:
        count: Most landmarks of an image.
        per_keyframe: New ones of each keyframe.
        matching_px: Standard deviation of a match.
        parallax_m: Baseline that a landmark is triangulated by. Depth Z errs by
            Z^2 matching_px / (f parallax_m).
        farthest_m: Farther ones are not kept.
        outliers: Share of them that slides along, as false tracks on edges and reflections do.
        drift_m_s: Speed of those.
        forgotten_s: Then odometry finds them out, and they start anew.
    """

    count: int = 100
    per_keyframe: int = 40
    matching_px: float = 1.0
    parallax_m: float = 0.5
    farthest_m: float = 10.0
    outliers: float = 0.1
    drift_m_s: float = 0.15
    forgotten_s: float = 4.0


class LandmarkMap:
    """The landmarks of one round of a drive, the same in every round.

    Args:
        drive: Through the scene.
        robot: What carries the camera.
        camera: That sees them.
        seed: Of places and errors.
        settings: How odometry triangulates.
    """

    def __init__(
        self,
        drive: Drive,
        robot: SimulatedRobot,
        camera: PinholeCamera,
        seed: int = 0,
        settings: LandmarkSettings = LandmarkSettings(),
    ) -> None:
        self._scene, self._settings = drive.scene, settings
        self._camera = camera.resized(camera.width // 2, camera.height // 2)
        rng = np.random.default_rng(seed)
        keyframes = max(1, round(drive.length_m / _STEP_M))
        poses = [robot.camera_at(drive, k * drive.period_s / keyframes) for k in range(keyframes)]
        pairs = [self._triangulated(pose, rng) for pose in poses]
        self._true = np.concatenate([true for true, _ in pairs])
        self._found = np.concatenate([found for _, found in pairs])
        count = len(self._true)
        angle = rng.uniform(-math.pi, math.pi, count)
        drift = np.stack((np.cos(angle), np.sin(angle), np.zeros(count)), axis=1)
        self.is_outlier = rng.random(count) < settings.outliers
        self._drift_m_s = settings.drift_m_s * self.is_outlier[:, None] * drift
        self._since_s = rng.uniform(0, settings.forgotten_s, count)
        self._priority = rng.permutation(count)

    def seen(self, pose: Pose, t_s: float) -> tuple[Array, npt.NDArray[np.uint32]]:
        """Return what odometry says of an image: (N, 3) [m] in the world, and their numbers.

        The numbers (N,) stay with the landmarks.
        """
        local = (self._true - pose.position.numpy()) @ pose.rotation.numpy()
        z = np.maximum(local[:, 2], 1e-6)
        u = np.rint(self._camera.fx * local[:, 0] / z + self._camera.cx)
        v = np.rint(self._camera.fy * local[:, 1] / z + self._camera.cy)
        width, height = self._camera.width, self._camera.height
        seen = (local[:, 2] > 0) & (u >= 0) & (v >= 0) & (u < width) & (v < height)
        numbers = np.flatnonzero(seen)
        depth = cast(self._scene, self._camera, pose).depth.double().numpy()
        surface = depth[v[numbers].astype(int), u[numbers].astype(int)]
        numbers = numbers[local[numbers, 2] < surface * (1 + _SAME_SURFACE)]
        kept = numbers[np.argsort(self._priority[numbers])][: self._settings.count]
        age_s = (t_s + self._since_s[kept]) % self._settings.forgotten_s
        places: Array = self._found[kept] + self._drift_m_s[kept] * age_s[:, None]
        return places, kept.astype(np.uint32)

    def _triangulated(self, pose: Pose, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return the true places (N, 3) [m] of new landmarks, and those that were found."""
        settings, camera = self._settings, self._camera
        depth = cast(self._scene, camera, pose).depth.double().numpy()
        x, y = camera.rays().double().numpy()
        u = rng.integers(_BORDER_PX, camera.width - _BORDER_PX, settings.per_keyframe)
        v = rng.integers(_BORDER_PX, camera.height - _BORDER_PX, settings.per_keyframe)
        near = depth[v, u] < settings.farthest_m
        u, v = u[near], v[near]
        z = depth[v, u]
        rays = np.stack((x[v, u], y[v, u], np.ones_like(z)), axis=1)
        # The matches are made in the whole image, whose pixels are half as large.
        deviation = z**2 * settings.matching_px / (2 * camera.fx * settings.parallax_m)
        wrong = np.maximum(z + deviation * rng.normal(size=len(z)), 0.5 * z)
        rotation, position = pose.rotation.numpy(), pose.position.numpy()
        true, found = (rays * depths[:, None] @ rotation.T + position for depths in (z, wrong))
        return true, found
