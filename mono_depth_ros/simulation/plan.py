"""Ground plans: the main room of a scene and its four walls."""

import math
from dataclasses import dataclass

from .builder import Builder, Vector


@dataclass(frozen=True)
class Plan:
    """The main room and how full it is.

    Attributes:
        width: Along x [m].
        length: Along y [m].
        height: Along z [m].
        pieces: Furniture to try in the open.
        wall_pieces: Furniture to try along the walls.
        pillars: Pillars to try.
        openings: Doorways into further rooms.
    """

    width: float
    length: float
    height: float
    pieces: int
    wall_pieces: int
    pillars: int
    openings: int


def draw_plan(b: Builder) -> Plan:
    """Return the plan of a room, a corridor or a hall."""
    rng = b.random
    kind = rng.random()
    if kind < 0.55:
        width, length = rng.uniform(2.6, 6.5), rng.uniform(2.6, 7.5)
        count = round(width * length * rng.uniform(0.1, 0.6))
        return Plan(
            width, length, rng.uniform(2.2, 3.4), count, rng.randint(1, 7), 0, rng.randint(0, 3)
        )
    if kind < 0.75:
        width, length = rng.uniform(1.4, 2.8), rng.uniform(6, 20)
        height = rng.uniform(2.2, 3.5)
        count = round(length * rng.uniform(0.1, 0.7))
        if rng.random() < 0.5:
            width, length = length, width
        return Plan(
            width, length, height, count, rng.randint(0, 3), rng.randint(0, 2), rng.randint(1, 5)
        )
    width, length = rng.uniform(7, 18), rng.uniform(7, 20)
    return Plan(
        width,
        length,
        rng.uniform(2.8, 8),
        rng.randint(12, 32),
        rng.randint(2, 8),
        rng.randint(0, 6),
        rng.randint(0, 4),
    )


@dataclass(frozen=True)
class Wall:
    """One wall of the main room: an axis, a side, and the way along it."""

    axis: int
    side: int
    plane: float
    span: float

    def point(self, along: float, out: float, z: float) -> Vector:
        """Return the world point `out` meters behind the wall plane (negative: in the room)."""
        across = self.plane + self.side * out
        return (across, along, z) if self.axis == 0 else (along, across, z)

    def box(
        self, along: tuple[float, float], out: tuple[float, float], z: tuple[float, float]
    ) -> tuple[Vector, Vector]:
        """Return the low and high corner of a box given along, behind and above."""
        one, two = self.point(along[0], out[0], z[0]), self.point(along[1], out[1], z[1])
        low = (min(one[0], two[0]), min(one[1], two[1]), min(one[2], two[2]))
        high = (max(one[0], two[0]), max(one[1], two[1]), max(one[2], two[2]))
        return low, high

    @property
    def facing(self) -> float:
        """Yaw [rad] from the wall into the room."""
        yaw = 0.0 if self.axis == 0 else math.pi / 2
        return yaw + (math.pi if self.side > 0 else 0.0)


def draw_wall(b: Builder, plan: Plan) -> Wall:
    """Return one of the four walls, long ones more often."""
    axis = 0 if b.random.random() < plan.length / (plan.length + plan.width) else 1
    side = b.random.choice((-1, 1))
    reach = plan.width if axis == 0 else plan.length
    span = plan.length if axis == 0 else plan.width
    return Wall(axis, side, side * reach / 2, span)
