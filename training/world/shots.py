"""Where cameras stand, and which of their views are worth keeping."""

import math
import random

import numpy as np

from .furnished_scene import FurnishedScene
from .furniture_pack import FurniturePack
from .world_camera import WorldCamera

CLEARANCE_M = 0.22
NEAREST_M = 0.25
"""No surface of a view is nearer: inverse depth is kept up to 4 / m."""
MIN_EDGES = 0.003
"""Share of pixels at depth edges below which most views are passed over: bare walls."""
MIN_SPREAD = 1.7
"""Least ratio of the far (95 %) to the near (5 %) depth."""


def sample_camera(
    rng: random.Random, scene: FurnishedScene, width: int, height: int
) -> WorldCamera:
    """Return a camera: field of view 45..120 deg, 0.1..2.5 m high, pitched and rolled."""
    wide = rng.random() < 0.2
    fov = math.radians(rng.uniform(90, 120) if wide else rng.uniform(45, 90))
    low, high = scene.bounds
    ceiling = min(2.5, high[2] - 0.15)
    z = rng.choice(
        (
            rng.uniform(0.1, 0.6),
            rng.uniform(0.2, 1.3),
            rng.uniform(1.2, 1.8),
            rng.uniform(0.1, 2.5),
        )
    )
    position = np.array(
        [
            *(rng.uniform(a + 0.2, b - 0.2) for a, b in zip(low[:2], high[:2], strict=True)),
            min(z, ceiling),
        ]
    )
    yaw, pitch = _look(rng, scene, position)
    pitch = min(max(pitch, math.radians(-25)), math.radians(50))
    roll = math.radians(rng.gauss(0, 2) if rng.random() < 0.8 else rng.uniform(-15, 15))
    focal = width / 2 / math.tan(fov / 2)
    return WorldCamera(width, height, focal, position, axes(yaw, pitch, roll))


def _look(rng: random.Random, scene: FurnishedScene, position: np.ndarray) -> tuple[float, float]:
    """Return yaw and pitch [rad]; a camera that looks at a thing may be moved toward it."""
    low, high = scene.bounds
    pitch = math.radians(rng.choice((rng.gauss(4, 7), rng.uniform(-15, 40))))
    yaw = rng.uniform(-math.pi, math.pi)
    if scene.targets and rng.random() < 0.7:
        target = np.array(rng.choice(scene.targets))
        distance = math.exp(rng.uniform(math.log(0.6), math.log(6)))
        place = target[:2] - distance * np.array([math.cos(yaw), math.sin(yaw)])
        if np.all(place > low[:2] + 0.15) and np.all(place < high[:2] - 0.15):
            position[:2] = place
        away = target - position
        yaw = math.atan2(away[1], away[0]) + rng.gauss(0, 0.25)
        flat = max(0.3, float(np.hypot(away[0], away[1])))
        pitch = math.atan2(-away[2], flat) * rng.uniform(0.3, 1.1) + rng.gauss(0, 0.08)
    elif rng.random() < 0.6:
        middle = (low + high) / 2 - position
        yaw = math.atan2(middle[1], middle[0]) + rng.gauss(0, 0.6)
    return yaw, pitch


def axes(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Return the rows right, down and forward; positive pitch looks down, yaw 0 along +x [rad]."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    forward = np.array([cy * cp, sy * cp, -sp])
    right = np.array([sy, -cy, 0.0])
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    return np.stack([c * right + s * down, c * down - s * right, forward])


def is_clear(scene: FurnishedScene, pack: FurniturePack, position: np.ndarray) -> bool:
    """Tell whether no model's box reaches the camera."""
    for instance in scene.instances:
        wide, deep, high = (instance.scale * e for e in pack.models[instance.model].size)
        dx, dy = position[0] - instance.position[0], position[1] - instance.position[1]
        c, s = math.cos(instance.yaw), math.sin(instance.yaw)
        if (
            abs(c * dx + s * dy) < wide / 2 + CLEARANCE_M
            and abs(-s * dx + c * dy) < deep / 2 + CLEARANCE_M
            and -CLEARANCE_M < position[2] - instance.position[2] < high + CLEARANCE_M
        ):
            return False
    return True


def is_worth_keeping(depth: np.ndarray) -> bool:
    """Tell whether a view is neither blocked, nor empty, nor a single surface."""
    known = depth[np.isfinite(depth)]
    if known.size < 0.35 * depth.size:
        return False
    near, far = np.quantile(known, (0.05, 0.95))
    return bool(known.min() > NEAREST_M and far / near > MIN_SPREAD and far > 1.0)


def edge_share(depth: np.ndarray) -> float:
    """Return the share of pixels (H, W) whose depth differs by a tenth from the next one's."""
    inverse = 1 / depth
    rows = np.abs(np.diff(inverse, axis=1)) > 0.1 * np.maximum(inverse[:, 1:], inverse[:, :-1])
    return float(rows.mean())
