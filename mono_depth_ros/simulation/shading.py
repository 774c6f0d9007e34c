"""Colour of hit points: textures, Lambert light of point lights, shadows, dark corners."""

import math
from collections import OrderedDict
from dataclasses import dataclass

import torch

from ..core.camera import PinholeCamera
from .pose import Pose
from .raycast import Hits, cast
from .scene import Materials, Scene, Shape
from .textures import texture_bank

SHADOW_CAMERA = PinholeCamera.from_fov(128, 128, 125.0)
SHADOW_BIAS_M = 0.04


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Hit points with what shading needs of them.

    Attributes:
        position: (3, P) float32 [m].
        normal: (3, P) float32, unit, towards the free space.
        u: (P,) float32 [m] along the surface.
        v: (P,) float32 [m] along the surface.
        material: (P,) int64.
        openness: (P,) float32 in 0..1, how much of the surroundings the point sees.
    """

    position: torch.Tensor
    normal: torch.Tensor
    u: torch.Tensor
    v: torch.Tensor
    material: torch.Tensor
    openness: torch.Tensor


@dataclass(frozen=True, eq=False)
class Rays:
    """Rays of one camera that have hit something.

    Attributes:
        x: (P,) float32, x / z of the ray.
        y: (P,) float32, y / z of the ray.
        depth: (P,) float32 [m].
        surface: (P,) int64, as in `Hits`.
        spot: Size of a ray at depth 1, i.e. 1 / focal length [1/px].
    """

    x: torch.Tensor
    y: torch.Tensor
    depth: torch.Tensor
    surface: torch.Tensor
    spot: float

    @classmethod
    def through(cls, camera: PinholeCamera, hits: Hits) -> 'Rays':
        """Return the rays of all pixels, row by row."""
        x, y = camera.rays().view(2, -1)
        return cls(x, y, hits.depth.flatten(), hits.surface.flatten(), 1 / camera.fx)

    def take(self, chosen: torch.Tensor) -> 'Rays':
        """Return the rays of the given indices."""
        return Rays(
            self.x[chosen], self.y[chosen], self.depth[chosen], self.surface[chosen], self.spot
        )


def shade(scene: Scene, pose: Pose, rays: Rays) -> torch.Tensor:
    """Return (P, 3) float32, the linear radiance along the rays."""
    count = scene.solids.shape.numel()
    rotation, eye = pose.rotation.float(), pose.position.float()[:, None]
    colour = torch.empty(rays.depth.numel(), 3)
    for chosen, describe in (
        ((rays.surface >= count).nonzero()[:, 0], _on_rooms),
        ((rays.surface < count).nonzero()[:, 0], _on_solids),
    ):
        if not chosen.numel():
            continue
        part = rays.take(chosen)
        direction = rotation @ torch.stack((part.x, part.y, torch.ones_like(part.x)))
        points = describe(scene, direction * part.depth + eye, part.surface)
        length = direction.norm(dim=0)
        cosine = ((points.normal * direction).sum(0).abs() / length).clamp(min=0.05)
        footprint = part.depth * length * part.spot / cosine.sqrt()
        albedo, glow = _albedo(scene.materials, points, footprint)
        colour[chosen] = albedo * (_light(scene, points) + glow[:, None])
    return colour


def _on_rooms(scene: Scene, position: torch.Tensor, surface: torch.Tensor) -> SurfacePoints:
    rooms = scene.rooms
    room = surface - scene.solids.shape.numel()
    low = position - rooms.low.float().T[:, room]
    high = rooms.high.float().T[:, room] - position
    gaps = torch.stack((low, high), 1).view(6, -1)
    face = gaps.argmin(0)
    axis = face // 2
    normal = torch.zeros_like(position)
    normal.scatter_(0, axis[None], (1 - 2 * (face % 2)).float()[None])
    u = torch.where(axis == 0, position[1], position[0])
    v = torch.where(axis == 2, position[1], position[2])
    corner = 1 - 0.45 / (1 + (gaps / 0.2).square())
    corner.scatter_(0, face[None], 1.0)
    return SurfacePoints(position, normal, u, v, rooms.material[room, face], corner.prod(0))


def _on_solids(scene: Scene, position: torch.Tensor, surface: torch.Tensor) -> SurfacePoints:
    solids = scene.solids
    half = solids.half_size.float().T[:, surface]
    offset = position - solids.centre.float().T[:, surface]
    rotation = solids.rotation.float()[surface]
    local = torch.einsum('pij,ip->jp', rotation, offset)
    unit = local / half
    shape = solids.shape[surface]
    axis = unit.abs().argmax(0)
    flat_normal = torch.zeros_like(local)
    flat_normal.scatter_(0, axis[None], unit.gather(0, axis[None]).sign())
    x, y, z = local
    u, v = torch.where(axis == 0, y, x), torch.where(axis == 2, y, z)
    normal = flat_normal
    curved = (shape != int(Shape.BOX)).nonzero()[:, 0]
    if curved.numel():
        part, extent = unit[:, curved], half[:, curved]
        round_normal = part / extent
        ball = shape[curved] == int(Shape.SPHERE)
        cap = ~ball & (part[2].abs() > torch.hypot(part[0], part[1]))
        side = ~ball & ~cap
        round_normal[2].masked_fill_(side, 0)
        round_normal = torch.where(cap, part * torch.tensor([[0.0], [0.0], [1.0]]), round_normal)
        normal[:, curved] = round_normal / round_normal.norm(dim=0)
        turn = torch.atan2(part[1], part[0]) * extent[0]
        u[curved] = torch.where(cap, local[0, curved], turn)
        v[curved] = torch.where(cap, local[1, curved], local[2, curved])
    normal = torch.einsum('pij,jp->ip', rotation, normal)
    openness = 1 - 0.4 / (1 + (position[2] / 0.12).square())
    return SurfacePoints(position, normal, u, v, solids.material[surface], openness)


def _albedo(
    materials: Materials, points: SurfacePoints, footprint: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return linear albedo (P, 3) and glow (P,); `footprint` (P,) is the seen spot [m]."""
    bank = texture_bank()
    chosen = points.material
    cosine, sine = materials.turn.cos()[chosen], materials.turn.sin()[chosen]
    u = cosine * points.u - sine * points.v
    v = sine * points.u + cosine * points.v
    scale = materials.period.reciprocal()[chosen]
    offset = materials.offset[chosen]
    layers = []
    for i, tile in enumerate((materials.pattern, materials.stain)):
        k = scale[:, i]
        layers.append(
            bank.sample(tile[chosen], u * k + offset[:, 0], v * k + offset[:, 1], footprint * k)
        )
    pattern, stain = layers
    colour = materials.colour[chosen]
    base = torch.lerp(colour[:, 0], colour[:, 1], pattern[:, None])
    weight = (materials.amount[chosen] * stain)[:, None]
    return torch.lerp(base, colour[:, 2], weight), materials.glow[chosen]


def _light(scene: Scene, points: SurfacePoints) -> torch.Tensor:
    """Return (P, 3) float32, the light that falls on the points."""
    lights = scene.lights
    sky = (0.5 + 0.5 * points.normal[2])[:, None]
    total = torch.lerp(lights.ambient[0], lights.ambient[1], sky) * points.openness[:, None]
    for i, place in enumerate(lights.position.float()):
        way = place[:, None] - points.position
        square = (way * way).sum(0)
        facing = (way * points.normal).sum(0).clamp(min=0)
        strength = facing / square.sqrt() / (square + lights.softness**2)
        if i < lights.shadow_casters:
            strength = strength * _lit(_shadow_map(scene, i), place, points)
        total = total + strength[:, None] * lights.power[i] * (
            0.4 + 0.6 * points.openness[:, None]
        )
    return total


def _light_pose(position: torch.Tensor) -> Pose:
    return Pose.looking(position.tolist(), 0.0, math.pi / 2)


_SHADOWS: OrderedDict[tuple[int, int], tuple[Scene, torch.Tensor]] = OrderedDict()


def _shadow_map(scene: Scene, index: int) -> torch.Tensor:
    """Return (H, W) float32 [m]: depth seen from a light that looks straight down; kept."""
    key = (id(scene), index)
    if key not in _SHADOWS:
        pose = _light_pose(scene.lights.position[index])
        _SHADOWS[key] = (scene, cast(scene, SHADOW_CAMERA, pose).depth)
        while len(_SHADOWS) > 8:
            _SHADOWS.popitem(last=False)
    return _SHADOWS[key][1]


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
    fu, fv = u - column, v - row
    corner = (row * camera.width + column).long()
    reach = z * (1 - 0.015) - SHADOW_BIAS_M
    flat = shadow.flatten()
    a, b, c, d = (
        (flat[corner + k] > reach).float() for k in (0, 1, camera.width, camera.width + 1)
    )
    open_share = torch.lerp(torch.lerp(a, b, fu), torch.lerp(c, d, fu), fv)
    return torch.where(inside, open_share, 1.0)
