"""A camera that drives a smooth closed path through one scene without touching anything."""

import math
import random

import torch

from .generator import generate_scene
from .pose import Pose
from .scene import Scene

CLEARANCE_M = 0.5
MIN_LENGTH_M, MAX_LENGTH_M = 7.0, 60.0
MIN_RADIUS_M = 0.6
SAMPLES = 256
CANDIDATES = 400
HARMONICS = 3
LOOK_AHEAD_M = 0.35
FIRST_SEED = 2**40
"""Scenes of drives are neither trained on nor in the exam."""


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
        rng = random.Random(f'drive {seed}')
        self.height_m = rng.uniform(0.6, 1.3)
        self.scene, path = _scene_with_path(rng, self.height_m)
        self._follow(path, speed_m_s)

    def _follow(self, path: torch.Tensor, speed_m_s: float) -> None:
        """Take the closed path (SAMPLES, 2) float64 [m] through `scene`."""
        if not 0 < speed_m_s < 100:
            raise ValueError(f'speed_m_s is {speed_m_s} m/s; it must lie between 0 and 100 m/s')
        step = (path.roll(-1, 0) - path).norm(dim=1)
        self._along = torch.cat((torch.zeros(1, dtype=torch.float64), step.cumsum(0)))
        self._path = torch.cat((path, path[:1]))
        self.length_m = float(self._along[-1])
        low, high = self.scene.rooms.low[0], self.scene.rooms.high[0]
        self._middle = ((low + high) / 2)[:2]
        self.period_s = self.length_m / speed_m_s

    def pose_at(self, t_s: float) -> Pose:
        """Return the pose at a time [s]; rounds repeat."""
        phase = (t_s / self.period_s) % 1.0
        place = self._point(phase)
        reach = LOOK_AHEAD_M / self.length_m
        ahead = self._point(phase + reach) - self._point(phase - reach)
        inwards = self._middle - place
        gaze = ahead / ahead.norm() + 0.5 * inwards / inwards.norm().clamp(min=1.0)
        turn = 2 * math.pi * phase
        yaw = math.atan2(float(gaze[1]), float(gaze[0])) + 0.2 * math.sin(3 * turn)
        pitch = math.radians(9 + 4 * math.sin(2 * turn))
        return Pose.looking((*place.tolist(), self.height_m), yaw, pitch)

    def _point(self, phase: float) -> torch.Tensor:
        """Return (2,) float64 [m], the place after a share of the round."""
        return self._between(self._path, phase)

    def _between(self, values: torch.Tensor, phase: float) -> torch.Tensor:
        """Return what (SAMPLES + 1, C) along the path are after a share of the round."""
        distance = torch.tensor((phase % 1.0) * self.length_m, dtype=torch.float64)
        i = int(torch.searchsorted(self._along, distance, right=True).clamp(1, SAMPLES)) - 1
        share = (distance - self._along[i]) / (self._along[i + 1] - self._along[i])
        return torch.lerp(values[i], values[i + 1], share)


def _scene_with_path(rng: random.Random, height_m: float) -> tuple[Scene, torch.Tensor]:
    """Return the first scene that has a path, and its longest: (SAMPLES, 2) float64 [m]."""
    while True:
        scene = generate_scene(FIRST_SEED + rng.randrange(2**31))
        path = _longest_path(scene, rng, height_m)
        if path is not None:
            return scene, path


def _longest_path(scene: Scene, rng: random.Random, height_m: float) -> torch.Tensor | None:
    """Return the longest of many random closed curves that keeps clear, or None."""
    curves = _random_curves(scene, rng)
    step = curves.roll(-1, 1) - curves
    step_length = step.norm(dim=2)
    heading = step / step_length[:, :, None]
    bend = (heading.roll(-1, 1) - heading).norm(dim=2)
    radius = (step_length / bend.clamp(min=1e-9)).amin(1)
    length = step_length.sum(1)
    fit = (radius > MIN_RADIUS_M) & (length > MIN_LENGTH_M) & (length < MAX_LENGTH_M)
    for i in sorted(fit.nonzero()[:, 0].tolist(), key=lambda i: -float(length[i])):
        points = torch.cat((curves[i], torch.full_like(curves[i, :, :1], height_m)), 1)
        if all(float(scene.clearance(points[k::8]).min()) > CLEARANCE_M for k in range(8)):
            return curves[i]
    return None


def _random_curves(scene: Scene, rng: random.Random) -> torch.Tensor:
    """Return (CANDIDATES, SAMPLES, 2) float64 [m]: sums of a few waves in the main room."""
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    angle = torch.arange(SAMPLES, dtype=torch.float64) * (2 * math.pi / SAMPLES)
    order = torch.arange(1, HARMONICS + 1, dtype=torch.float64)
    waves = torch.cat((torch.cos(order[:, None] * angle), torch.sin(order[:, None] * angle)))
    weight = torch.randn(CANDIDATES, 2, 2 * HARMONICS, generator=generator, dtype=torch.float64)
    curves = ((weight * order.repeat(2) ** -2) @ waves).transpose(1, 2)
    curves = curves / curves.abs().amax(1, keepdim=True)
    size = 0.35 + 0.55 * torch.rand(CANDIDATES, 1, 1, generator=generator, dtype=torch.float64)
    shift = torch.rand(CANDIDATES, 1, 2, generator=generator, dtype=torch.float64) - 0.5
    low, high = scene.rooms.low[0, :2], scene.rooms.high[0, :2]
    return (low + high) / 2 + (high - low) / 2 * (shift * (1 - size) + size * curves)
