"""Draws cameras for training: mixed fields of view, heights, pitches and distances."""

import math
import random
from typing import NamedTuple

from ..core.camera.pinhole import PinholeCamera
from .generator import generate_scene
from .pose import Pose
from .raycast import cast
from .renderer import View, render
from .scene import Scene

MIN_CLEARANCE_M = 0.25
MIN_SPREAD = 1.8
"""Least ratio of the far (95 %) to the near (5 %) depth in most views."""


class Shot(NamedTuple):
    """A picture to be taken."""

    scene: Scene
    camera: PinholeCamera
    pose: Pose


def sample_view(seed: int, width: int = 168, height: int = 126) -> Shot:
    """Return the shot of a seed: horizontal field of view 50..100 deg, 0.15..2.2 m high.

    Pitch is -10..35 deg, roll within 4 deg, no surface nearer than 0.25 m. The same seed gives
    the same shot; `width` and `height` are the image size [px].
    """
    scene = generate_scene(seed)
    rng = random.Random(f'view {seed}')
    camera = PinholeCamera.from_fov(width, height, rng.uniform(50, 100))
    small = camera.resized(28, 21)
    best, best_score = None, -math.inf
    tries = 0
    while best is None or (best_score < 0 and tries < 30):
        tries += 1
        pose = _pose(scene, rng)
        if float(scene.clearance(pose.position[None])[0]) < MIN_CLEARANCE_M:
            continue
        depth = cast(scene, small, pose).depth.flatten().sort().values
        near, far = float(depth[depth.numel() // 20]), float(depth[-depth.numel() // 20])
        score = min(far / near - MIN_SPREAD, near - MIN_CLEARANCE_M, far - 1.0)
        if score > best_score:
            best, best_score = pose, score
    return Shot(scene, camera, best)


def render_sample(seed: int, width: int = 168, height: int = 126) -> View:
    """Return the training image of a seed, color from 2x2 rays per pixel."""
    return render(*sample_view(seed, width, height), supersample=2)


def _pose(scene: Scene, rng: random.Random) -> Pose:
    low, high = scene.rooms.low[0].tolist(), scene.rooms.high[0].tolist()
    height = min(
        rng.choice((rng.uniform(0.15, 0.6), rng.uniform(0.15, 2.2), rng.uniform(1, 1.8))),
        high[2] - 0.3,
    )
    place = [rng.uniform(a + 0.3, b - 0.3) for a, b in zip(low[:2], high[:2], strict=True)]
    pitch = math.radians(rng.choice((rng.uniform(-10, 35), rng.gauss(6, 6))))
    yaw = rng.uniform(-math.pi, math.pi)
    kind = rng.random()
    if kind < 0.4:
        target = scene.solids.center[rng.randrange(scene.solids.shape.numel())].tolist()
        distance = math.exp(rng.uniform(math.log(0.5), math.log(4)))
        place = [target[0] - distance * math.cos(yaw), target[1] - distance * math.sin(yaw)]
        pitch = math.atan2(height - target[2], distance) + rng.gauss(0, 0.1)
        yaw += rng.gauss(0, 0.25)
    elif kind < 0.7:
        yaw = math.atan2(-place[1], -place[0]) + rng.gauss(0, 0.5)
    pitch = min(max(pitch, math.radians(-10)), math.radians(35))
    roll = math.radians(min(max(rng.gauss(0, 1.5), -4), 4))
    return Pose.looking((*place, height), yaw, pitch, roll)
