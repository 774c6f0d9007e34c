"""One picture of a scene with its exact depth.

Color comes from two texture layers, point lights with shadows, and dark corners.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from ..core.camera.pinhole import PinholeCamera
from .pose import Pose
from .raycast import Hits, cast
from .scene import Materials, Scene
from .surfaces import Rays, SurfacePoints, dot, surface_points
from .textures import texture_bank

MIDDLE_GRAY = 0.20
"""Linear level at which the mean log radiance of an automatically exposed image lands."""
SHADOW_CAMERA = PinholeCamera.from_fov(128, 128, 125.0)
SHADOW_BIAS_M = 0.04


@dataclass(frozen=True, eq=False)
class View:
    """What a perfect camera sees.

    Attributes:
        rgb: (H, W, 3) uint8, gamma 2.2.
        depth: (H, W) float32 [m] along optical +Z through the pixel centers, finite.
        exposure: The factor from radiance to linear image level.
    """

    rgb: torch.Tensor
    depth: torch.Tensor
    exposure: float


def render(
    scene: Scene,
    camera: PinholeCamera,
    pose: Pose,
    supersample: int = 1,
    exposure: float | None = None,
) -> View:
    """Return the view of a camera; `exposure` None exposes automatically.

    Args:
        scene: The world.
        camera: Intrinsics of the image.
        pose: Where the camera is; it must stand inside a room.
        supersample: Color of pixels that see several surfaces is the mean over this squared
            rays; textures are filtered anyway, and depth is always the pixel center's.
        exposure: `View.exposure` of another view that this one should match.

    Raises:
        ValueError: The camera stands outside every room, or `supersample` is below 1.
    """
    if supersample < 1:
        raise ValueError(f'supersample is {supersample}; it must be at least 1')
    hits = cast(scene, camera, pose)
    radiance = shade(scene, pose, Rays.through(camera, hits))
    if exposure is None:
        luminance = radiance[:, ::7].mean(0).clamp(min=1e-4)
        exposure = MIDDLE_GRAY / float(luminance.log().mean().exp())
    level = tone(radiance * exposure)
    if supersample > 1:
        chosen, rays = _edge_rays(scene, camera, pose, hits, supersample)
        fine = tone(shade(scene, pose, rays) * exposure)
        level[:, chosen] = fine.view(3, chosen.numel(), supersample**2).mean(2)
    rgb = (level * 255).round_().to(torch.uint8).T.reshape(*hits.depth.shape, 3)
    return View(rgb, hits.depth, exposure)


def _edge_rays(
    scene: Scene, camera: PinholeCamera, pose: Pose, hits: Hits, supersample: int
) -> tuple[torch.Tensor, Rays]:
    """Return the pixels (P,) that see more than one surface, and their P * s^2 finer rays."""
    height, width = hits.depth.shape
    s = supersample
    fine = camera.resized(width * s, height * s)
    rays = Rays.through(fine, cast(scene, fine, pose))
    other = rays.surface.view(height, s, width, s) != hits.surface[:, None, :, None]
    chosen = other.any(3).any(1).flatten().nonzero()[:, 0]
    row, column = chosen.div(width, rounding_mode='floor'), chosen % width
    corner = (row * s * width + column) * s
    step = torch.arange(s)
    within = (step[:, None] * width * s + step).flatten()
    return chosen, rays.take((corner[:, None] + within).flatten())


def tone(linear: torch.Tensor) -> torch.Tensor:
    """Return image levels 0..1: a shoulder that saturates slowly, then gamma 2.2."""
    level = (1 - (-1.2 * linear).exp_()).clamp_(1e-6, 1)
    return level.log_().mul_(1 / 2.2).exp_()


def shade(scene: Scene, pose: Pose, rays: Rays) -> torch.Tensor:
    """Return (3, P) float32, the linear radiance along the rays."""
    on_room = rays.surface >= scene.solids.shape.numel()
    color = torch.empty(3, rays.depth.numel())
    for chosen in (on_room.nonzero()[:, 0], (~on_room).nonzero()[:, 0]):
        if chosen.numel():
            points, footprint = surface_points(scene, pose, rays.take(chosen))
            albedo, glow = _albedo(scene.materials, points, footprint)
            color[:, chosen] = albedo * (_light(scene, points) + glow)
    return color


def _albedo(
    materials: Materials, points: SurfacePoints, footprint: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return linear albedo (3, P) and glow (P,); `footprint` (P,) is the seen spot [m]."""
    turn = torch.stack((materials.turn.cos(), materials.turn.sin()))
    table = torch.cat(
        (
            turn,
            materials.offset.T,
            materials.period.T.reciprocal(),
            torch.stack((materials.amount, materials.glow)),
            materials.color.reshape(-1, 9).T,
        )
    )
    table = table.index_select(1, points.material)
    cosine, sine, shift_u, shift_v, per_pattern, per_stain, amount, glow = table[:8]
    u = cosine * points.u - sine * points.v
    v = sine * points.u + cosine * points.v
    layers = [
        texture_bank().sample(
            tile.index_select(0, points.material), u * k + shift_u, v * k + shift_v, footprint * k
        )
        for tile, k in ((materials.pattern, per_pattern), (materials.stain, per_stain))
    ]
    first, second, third = table[8:].view(3, 3, -1)
    base = torch.lerp(first, second, layers[0])
    return torch.lerp(base, third, amount * layers[1]), glow


def _light(scene: Scene, points: SurfacePoints) -> torch.Tensor:
    """Return (3, P) float32, the light that falls on the points."""
    lights = scene.lights
    below, above = lights.ambient[:, :, None]
    total = torch.lerp(below, above, 0.5 + 0.5 * points.normal[2]) * points.openness
    access = 0.4 + 0.6 * points.openness
    for i, place in enumerate(lights.position.float()):
        way = place[:, None] - points.position
        square = dot(way, way)
        facing = dot(way, points.normal).clamp(min=0)
        strength = access * facing / square.sqrt() / (square + lights.softness**2)
        if i < lights.shadow_casters:
            strength = strength * _lit(_shadow_map(scene, i), place, points)
        total += strength * lights.power[i][:, None]
    return total


def _light_pose(position: torch.Tensor) -> Pose:
    return Pose.looking(position.tolist(), 0.0, math.pi / 2)


@lru_cache(maxsize=8)
def _shadow_map(scene: Scene, index: int) -> torch.Tensor:
    """Return (H, W) float32 [m]: depth seen from a light that looks straight down."""
    return cast(scene, SHADOW_CAMERA, _light_pose(scene.lights.position[index])).depth


def _lit(shadow: torch.Tensor, light: torch.Tensor, points: SurfacePoints) -> torch.Tensor:
    """Return (P,) float32 in 0..1, how much of a light arrives; 1 outside its shadow map."""
    camera = SHADOW_CAMERA
    rotation = _light_pose(light).rotation.float()
    x, y, z = rotation.T @ (points.position - light[:, None])
    inverse = z.clamp(min=1e-3).reciprocal()
    u, v = camera.fx * x * inverse + camera.cx, camera.fy * y * inverse + camera.cy
    inside = (z > 0.05) & (u > 0) & (v > 0) & (u < camera.width - 1) & (v < camera.height - 1)
    u, v = u.clamp(0, camera.width - 1.001), v.clamp(0, camera.height - 1.001)
    column, row = u.floor(), v.floor()
    corner = (row * camera.width + column).int()
    reach = z * (1 - 0.015) - SHADOW_BIAS_M
    a, b, c, d = (
        (shadow.view(-1).index_select(0, corner + step) > reach).float()
        for step in (0, 1, camera.width, camera.width + 1)
    )
    across = u - column
    upper, lower = torch.lerp(a, b, across), torch.lerp(c, d, across)
    return torch.lerp(upper, lower, v - row).masked_fill_(~inside, 1.0)
