"""A level floor with boxes, as depth."""

import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.scale.tilt import Tilt

PINHOLE = PinholeCamera.from_fov(160, 120, 70.0)
HEIGHT_M = 0.5
PITCH_RAD = 0.15
CAMERA = PosedCamera.above_floor(PINHOLE, HEIGHT_M, Tilt(PITCH_RAD))
Box = tuple[float, float, float]
"""x at which it begins [m], and y from right to left [m]; it is 0.6 m high."""


def room(*boxes: Box, wall_m: float = 8.0, camera: PosedCamera = CAMERA) -> torch.Tensor:
    """Return depth (H, W) float32 [m] of a floor, a wall at x and the fronts of boxes."""
    x, y = PINHOLE.rays().double()
    rays = torch.stack((x, y, torch.ones_like(x)), dim=-1) @ camera.pose[:3, :3].T
    origin = camera.position
    depth = (wall_m - origin[0]) / rays[..., 0].clamp(min=1e-6)
    down = -origin[2] / rays[..., 2].clamp(max=-1e-6)
    depth = torch.minimum(depth, down)
    for front_m, right_m, left_m in boxes:
        z = (front_m - origin[0]) / rays[..., 0]
        place = origin + rays * z[..., None]
        hit = (place[..., 1] > right_m) & (place[..., 1] < left_m)
        hit &= (place[..., 2] > 0) & (place[..., 2] < 0.6) & (z > 0)
        depth = torch.where(hit, torch.minimum(depth, z), depth)
    return depth.float()
