"""A camera that drives a smooth closed path through one scene without touching anything."""

import math
import random

import torch

from .generator import generate_scene
from .pose import Pose
from .scene import Scene

CLEARANCE_M = 0.4
MIN_LENGTH_M = 7.0
SAMPLES = 256
CANDIDATES = 300
HARMONICS = 3


class Drive:
    """A round trip at constant speed.

    Args:
        seed: Chooses the scene and the path; scenes without room for one are passed over.
        speed_m_s: Speed along the path [m/s].

    Attributes:
        scene: The world that is driven through.
        length_m: Length of one round [m].
        period_s: Duration of one round [s].
    """

    def __init__(self, seed: int, speed_m_s: float = 0.6) -> None:
        if not 0 < speed_m_s < 100:
            raise ValueError(f'speed_m_s is {speed_m_s} m/s; it must lie between 0 and 100 m/s')
        rng = random.Random(f'drive {seed}')
        self.height_m = rng.uniform(0.6, 1.3)
        self.scene, path = _scene_with_path(rng, self.height_m)
        step = (path.roll(-1, 0) - path).norm(dim=1)
        self._along = torch.cat((torch.zeros(1, dtype=torch.float64), step.cumsum(0)))
        self._path = torch.cat((path, path[:1]))
        self.length_m = float(self._along[-1])
        self.period_s = self.length_m / speed_m_s

    def pose_at(self, t_s: float) -> Pose:
        """Return the pose at a time [s]; rounds repeat."""
        phase = (t_s / self.period_s) % 1.0
        ahead = self._point(phase + 0.35 / self.length_m) - self._point(
            phase - 0.35 / self.length_m
        )
        round_angle = 2 * math.pi * phase
        yaw = math.atan2(float(ahead[1]), float(ahead[0])) + 0.25 * math.sin(3 * round_angle)
        pitch = math.radians(9 + 4 * math.sin(2 * round_angle))
        x, y = self._point(phase).tolist()
        return Pose.looking((x, y, self.height_m), yaw, pitch)

    def _point(self, phase: float) -> torch.Tensor:
        """Return (2,) float64 [m], the place after a share of the round."""
        distance = torch.tensor((phase % 1.0) * self.length_m, dtype=torch.float64)
        i = int(torch.searchsorted(self._along, distance, right=True).clamp(1, SAMPLES)) - 1
        share = (distance - self._along[i]) / (self._along[i + 1] - self._along[i])
        return torch.lerp(self._path[i], self._path[i + 1], share)


def _scene_with_path(rng: random.Random, height_m: float) -> tuple[Scene, torch.Tensor]:
    """Return the first scene that has a path, and its longest: (SAMPLES, 2) float64 [m]."""
    while True:
        scene = generate_scene(rng.randrange(2**31))
        path = _longest_path(scene, rng, height_m)
        if path is not None:
            return scene, path


def _longest_path(scene: Scene, rng: random.Random, height_m: float) -> torch.Tensor | None:
    """Return the longest of many random closed curves that keeps clear, or None."""
    angle = torch.arange(SAMPLES, dtype=torch.float64) * (2 * math.pi / SAMPLES)
    waves = torch.stack(
        [f(k * angle) for k in range(1, HARMONICS + 1) for f in (torch.cos, torch.sin)]
    )
    half = (scene.rooms.high[0] - scene.rooms.low[0])[:2] / 2
    middle = (scene.rooms.high[0] + scene.rooms.low[0])[:2] / 2
    best, best_length = None, MIN_LENGTH_M
    for _ in range(CANDIDATES):
        weights = [
            [rng.gauss(0, 1) / k**1.7 for k in range(1, HARMONICS + 1) for _ in range(2)]
            for _ in range(2)
        ]
        curve = (torch.tensor(weights, dtype=torch.float64) @ waves).T
        reach = curve.abs().amax(0)
        shift = torch.tensor([rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3)], dtype=torch.float64)
        size = rng.uniform(0.35, 0.9)
        curve = middle + half * (shift * (1 - size) + size * curve / reach)
        length = float((curve.roll(-1, 0) - curve).norm(dim=1).sum())
        if length <= best_length or length > 60:
            continue
        points = torch.cat((curve, torch.full((SAMPLES, 1), height_m, dtype=torch.float64)), 1)
        if float(scene.clearance(points).min()) > CLEARANCE_M:
            best, best_length = curve, length
    return best
