"""What shading needs to know of the points that rays hit: normals and texture coordinates."""

from dataclasses import dataclass

import torch

from ..core.camera.pinhole import PinholeCamera
from .pose import Pose
from .raycast import Hits
from .scene import Rooms, Scene, Shape, Solids


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
            self.x.index_select(0, chosen),
            self.y.index_select(0, chosen),
            self.depth.index_select(0, chosen),
            self.surface.index_select(0, chosen),
            self.spot,
        )


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points on surfaces, and how they are seen.

    Attributes:
        position: (3, P) float32 [m].
        normal: (3, P) float32, unit, toward the free space.
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


def surface_points(scene: Scene, pose: Pose, rays: Rays) -> tuple[SurfacePoints, torch.Tensor]:
    """Return the points that rays hit, all on rooms or all on solids, and their footprint.

    The footprint (P,) float32 [m] is the size of the spot that a ray sees, a compromise between
    its long and its short side where the surface is seen at a slant.
    """
    direction = torch.stack((rays.x, rays.y, torch.ones_like(rays.x)))
    direction = pose.rotation.float() @ direction
    position = direction * rays.depth + pose.position.float()[:, None]
    count = scene.solids.shape.numel()
    if int(rays.surface[0]) >= count:
        points = _on_rooms(scene.rooms, position, rays.surface - count)
    else:
        points = _on_solids(scene.solids, position, rays.surface)
    length = dot(direction, direction).sqrt()
    cosine = (dot(points.normal, direction).abs() / length).clamp(min=0.05)
    return points, rays.depth * length * rays.spot / cosine.sqrt()


def dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return (P,), the scalar products of (3, P) vectors."""
    return (a * b).sum(0)


def _on_rooms(rooms: Rooms, position: torch.Tensor, room: torch.Tensor) -> SurfacePoints:
    low = rooms.low.float().T.index_select(1, room)
    high = rooms.high.float().T.index_select(1, room)
    gaps = torch.stack((position - low, high - position), 1).view(6, -1)
    nearest, face = gaps[0], torch.zeros_like(room, dtype=torch.int32)
    for k in range(1, 6):
        face.masked_fill_(gaps[k] < nearest, k)
        nearest = torch.minimum(nearest, gaps[k])
    on_face = (face == torch.arange(6, dtype=torch.int32)[:, None]).float()
    x, y, z = position
    on_x, _, on_z = on_face[0::2] + on_face[1::2]
    corner = 1 - 0.45 * (1 - on_face) / (1 + 25 * gaps * gaps)
    return SurfacePoints(
        position,
        on_face[0::2] - on_face[1::2],
        torch.lerp(x, y, on_x),
        torch.lerp(z, y, on_z),
        rooms.material.flatten().index_select(0, 6 * room + face),
        corner.prod(0),
    )


def _on_solids(solids: Solids, position: torch.Tensor, solid: torch.Tensor) -> SurfacePoints:
    table = torch.cat(
        (solids.center.T, solids.half_size.T, solids.rotation.reshape(-1, 9).T)
    ).float()
    table = table.index_select(1, solid)
    offset, half, rotation = position - table[:3], table[3:6], table[6:].view(3, 3, -1)
    local = (rotation * offset[:, None]).sum(0)
    unit = local / half
    size = unit.abs()
    on_x = (size[0] >= size[1]) & (size[0] >= size[2])
    on_z = ~on_x & (size[2] >= size[1])
    side = torch.stack((on_x, ~on_x & ~on_z, on_z)).float()
    normal = side * unit.sign()
    x, y, z = local
    u, v = torch.lerp(x, y, side[0]), torch.lerp(z, y, side[2])
    shape = solids.shape.index_select(0, solid)
    curved = (shape != int(Shape.BOX)).nonzero()[:, 0]
    if curved.numel():
        round_normal, turn, rise = _on_curve(
            *(part.index_select(-1, curved) for part in (local, half, shape))
        )
        normal[:, curved] = round_normal
        u[curved], v[curved] = turn, rise
    openness = 1 - 0.4 / (1 + (position[2] / 0.12).square())
    return SurfacePoints(
        position,
        (rotation * normal).sum(1),
        u,
        v,
        solids.material.index_select(0, solid),
        openness,
    )


def _on_curve(
    local: torch.Tensor, half: torch.Tensor, shape: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return local normal (3, P), u and v (P,) [m] of points on balls and cylinders."""
    unit = local / half
    ball = shape == int(Shape.SPHERE)
    cap = ~ball & (unit[2].square() > unit[0].square() + unit[1].square())
    normal = unit / half
    normal[:2] *= (~cap).float()
    normal[2] *= (ball | cap).float()
    normal = normal / dot(normal, normal).sqrt()
    turn = torch.atan2(unit[1], unit[0]) * half[0]
    on_cap = cap.float()
    return normal, torch.lerp(turn, local[0], on_cap), torch.lerp(local[2], local[1], on_cap)
