"""Ground plans: the main room of a scene, its four walls, and the openings in them."""

import math
from dataclasses import dataclass

from . import furniture
from .builder import Builder, Vector

OVERLAP_M = 0.001
"""Neighboring rooms share this much, so that a ray passes from one into the next."""


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


def doorway(b: Builder, plan: Plan, skin: int) -> None:
    """Cut a doorway into a further room, or a recess, into a wall."""
    rng = b.random
    wall = draw_wall(b, plan)
    wide = min(rng.uniform(0.8, 2.2), 0.8 * wall.span)
    center = rng.uniform(-0.5, 0.5) * (wall.span - wide)
    top = min(rng.uniform(1.9, 2.6), plan.height)
    along = (center - wide / 2, center + wide / 2)
    thick = rng.uniform(0.08, 0.3)
    frame, floor = b.material('wood'), b.material('floor')
    if rng.random() < 0.25:
        niche = wall.box(along, (-OVERLAP_M, rng.uniform(0.2, 0.9)), (rng.uniform(0, 0.9), top))
        b.room(*niche, b.material('wall'), floor, frame)
        return
    b.room(*wall.box(along, (-OVERLAP_M, thick + OVERLAP_M), (0, top)), frame, floor, frame)
    depth, spread = rng.uniform(1.0, 7.0), rng.uniform(0.0, 2.5)
    far = (along[0] - spread * rng.random(), along[1] + spread * rng.random())
    low, high = wall.box(far, (thick, thick + depth), (0, max(top, rng.uniform(2.2, 3.4))))
    paint = skin if rng.random() < 0.4 else b.material('wall')
    b.room(low, high, paint, floor, b.material('ceiling'))
    b.light(
        ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[2] - 0.3),
        lamp_color(b, rng.uniform(0.1, 1.5) * depth),
    )
    for _ in range(rng.randint(0, 3)):
        piece = furniture.draw_piece(b.random, furniture.ANYWHERE)
        x, y = rng.uniform(low[0], high[0]), rng.uniform(low[1], high[1])
        piece.put(b.at(x, y, 0, rng.uniform(0, 2 * math.pi)))
    if rng.random() < 0.3:
        swing = b.at(*wall.point(along[0], -0.02, 0)[:2], 0, wall.facing + rng.uniform(0.2, 1.4))
        swing.box((0.45 * wide, 0, top / 2), (0.9 * wide, 0.04, top - 0.02), frame)


def window(b: Builder, plan: Plan, wall: Wall) -> None:
    """Cut a window: a shallow recess whose end glows, with a cross of bars."""
    rng = b.random
    wide, center = rng.uniform(0.6, 1.8), rng.uniform(-0.4, 0.4) * (wall.span - 1.8)
    low, high = rng.uniform(0.4, 1.1), min(rng.uniform(1.6, 2.4), plan.height - 0.1)
    deep = rng.uniform(0.08, 0.4)
    frame = b.material('plain')
    along = (center - wide / 2, center + wide / 2)
    b.room(*wall.box(along, (-OVERLAP_M, deep), (low, high)), frame, frame, frame)
    pane = b.at(*wall.point(center, deep, 0)[:2], 0, wall.facing)
    view = b.material(rng.choice(('plain', 'print')), glow=rng.uniform(1, 6))
    z = (low + high) / 2
    pane.box((0, 0, z), (0.02, wide, high - low), view)
    pane.box((0.02, 0, z), (0.05, 0.05, high - low), frame)
    pane.box((0.02, 0, z), (0.05, wide, 0.05), frame)
    if rng.random() < 0.4:
        curtain = b.material('cloth')
        for side in (-1, 1):
            y = side * (wide / 2 + 0.1)
            spot = b.at(*wall.point(center, -0.08, 0)[:2], 0, wall.facing)
            for k in range(4):
                spot.rod((0, y + 0.08 * k * side, 1.15), (0.1, 0.1, 2.2), curtain)


def lamp_color(b: Builder, power: float) -> Vector:
    """Return RGB power of a lamp between warm and cold white."""
    warm = b.random.uniform(-0.25, 0.35)
    return power * (1 + warm), power * (1 + 0.2 * warm), power * max(0.1, 1 - 1.2 * warm)
