"""What a camera sees of a landscape that is given by its height at each place."""

import math
from collections.abc import Callable

import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.outputs.ground_plane import GroundPlane

Heights = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Height [m] at places ahead and to the left [m] of a camera's foot."""

FARTHEST_M, STEP_M = 9.0, 0.01
CAMERA = PinholeCamera.from_fov(160, 120, 80.0)


def places(depth: torch.Tensor, plane: GroundPlane) -> tuple[torch.Tensor, ...]:
    """Return (H, W) each [m]: how far ahead, left and above the plane the pixels are."""
    x, y = CAMERA.rays().double()
    points = torch.stack((x, y, torch.ones_like(x)), dim=-1) * depth.double()[..., None]
    ahead, left = (torch.tensor(axis, dtype=torch.float64) for axis in plane.horizontal)
    down = torch.tensor(plane.down, dtype=torch.float64)
    return points @ ahead, points @ left, plane.height_m - points @ down


def depth_of(landscape: Heights, plane: GroundPlane) -> torch.Tensor:
    """Return (H, W) float32 [m] to a centimeter, NaN where nothing is within 9 m."""
    unit = torch.ones(CAMERA.height, CAMERA.width)
    ahead, left, above = places(unit, plane)
    drop = plane.height_m - above
    depth = torch.full((CAMERA.height, CAMERA.width), torch.nan)
    for k in range(1, math.ceil(FARTHEST_M / STEP_M)):
        z = k * STEP_M
        is_hit = plane.height_m - z * drop <= landscape(z * ahead, z * left)
        depth[is_hit & depth.isnan()] = z
    return depth


def level(ahead: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    """Return the height of a level floor."""
    return torch.zeros_like(ahead)


def ramp(slope_deg: float, first_m: float = 1.5) -> Heights:
    """Return a landscape that rises, or falls, from a distance on."""
    slope = math.tan(math.radians(slope_deg))
    return lambda ahead, _: slope * (ahead - first_m).clamp(min=0)


def block(
    height_m: float, first_m: float, last_m: float = math.inf, half_width_m: float = math.inf
) -> Heights:
    """Return a floor with a block on it, or with a hole where its height is negative."""

    def heights(ahead: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        is_there = (ahead > first_m) & (ahead < last_m) & (left.abs() < half_width_m)
        return is_there * height_m

    return heights
