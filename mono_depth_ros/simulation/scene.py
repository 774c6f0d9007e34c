"""A scene: rooms cut out of solid rock, solids standing in them, materials and lights."""

from dataclasses import dataclass
from enum import IntEnum

import torch


class Shape(IntEnum):
    """Unit shapes; a solid is one of them, scaled, rotated and moved."""

    BOX = 0
    """|x|, |y|, |z| <= 1."""
    SPHERE = 1
    """|(x, y, z)| <= 1."""
    CYLINDER = 2
    """|(x, y)| <= 1, |z| <= 1."""


@dataclass(frozen=True, eq=False)
class Solids:
    """What stands, lies or hangs in the rooms.

    Attributes:
        shape: (N,) int64, a `Shape` each.
        center: (N, 3) float64 [m].
        rotation: (N, 3, 3) float64, solid -> world.
        half_size: (N, 3) float64 [m], the scale of the unit shape.
        material: (N,) int64.
    """

    shape: torch.Tensor
    center: torch.Tensor
    rotation: torch.Tensor
    half_size: torch.Tensor
    material: torch.Tensor


@dataclass(frozen=True, eq=False)
class Rooms:
    """Axis-aligned boxes whose union is the free space; a ray ends where it leaves the union.

    Attributes:
        low: (N, 3) float64 [m].
        high: (N, 3) float64 [m].
        material: (N, 6) int64 of the faces -x, +x, -y, +y, -z (floor), +z (ceiling).
    """

    low: torch.Tensor
    high: torch.Tensor
    material: torch.Tensor


@dataclass(frozen=True, eq=False)
class Materials:
    """Two texture layers over three colors: mix(mix(c0, c1, pattern), c2, amount * stain).

    Attributes:
        pattern: (N,) int64, index into the texture bank.
        stain: (N,) int64, index into the texture bank.
        period: (N, 2) float32 [m], edge of one tile of pattern and stain.
        turn: (N,) float32 [rad], rotation of the pattern on its surface.
        offset: (N, 2) float32, shift in tiles.
        color: (N, 3, 3) float32, linear albedo of c0, c1, c2.
        amount: (N,) float32, strength of the stain.
        glow: (N,) float32, radiance given off, in units of the albedo.
    """

    pattern: torch.Tensor
    stain: torch.Tensor
    period: torch.Tensor
    turn: torch.Tensor
    offset: torch.Tensor
    color: torch.Tensor
    amount: torch.Tensor
    glow: torch.Tensor


@dataclass(frozen=True, eq=False)
class Lights:
    """Point lights with 1 / (r^2 + softness^2) falloff, and what comes from everywhere.

    Attributes:
        position: (N, 3) float64 [m].
        power: (N, 3) float32, RGB radiance at 1 m.
        softness: Radius [m] inside which a light does not get brighter.
        ambient: (2, 3) float32, RGB from below and from above.
        shadow_casters: How many lights, from the first on, cast shadows.
    """

    position: torch.Tensor
    power: torch.Tensor
    softness: float
    ambient: torch.Tensor
    shadow_casters: int


@dataclass(frozen=True, eq=False)
class Scene:
    """A closed world, z up, floor of the main room (the first one) at z = 0 [m].

    There is always at least one room, one solid and one light.
    """

    seed: int
    rooms: Rooms
    solids: Solids
    materials: Materials
    lights: Lights

    def clearance(self, points: torch.Tensor) -> torch.Tensor:
        """Return (P,) float64 [m]: a lower bound of the distance to the nearest surface.

        Solids count as their oriented bounding boxes; points (P, 3) outside every room or
        inside a solid get a value <= 0.
        """
        p = points.to(torch.float64)
        inset = torch.minimum(p[:, None] - self.rooms.low, self.rooms.high - p[:, None])
        free = inset.amin(-1).amax(-1)
        offset = p[:, None] - self.solids.center
        local = torch.einsum('pnc,nck->pnk', offset, self.solids.rotation)
        outside = local.abs() - self.solids.half_size
        gap = outside.clamp(min=0).norm(dim=-1) + outside.amax(-1).clamp(max=0)
        return torch.minimum(free, gap.amin(-1))
