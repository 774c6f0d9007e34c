"""Makes scenes: rooms, corridors and halls with openings, furniture, lamps and clutter."""

import math
from dataclasses import dataclass

from . import furniture
from .builder import Builder, Vector, linear_colour
from .scene import Scene, Shape

OVERLAP_M = 0.001
"""Neighbouring rooms share this much, so that a ray passes from one into the next."""


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


def generate_scene(seed: int) -> Scene:
    """Return the scene of a seed, the same one every time.

    Raises:
        ValueError: The seed is negative.
    """
    if seed < 0:
        raise ValueError(f'the seed is {seed}; it must not be negative')
    builder = Builder(seed)
    plan = _plan(builder)
    wall = builder.material('wall')
    low = (-plan.width / 2, -plan.length / 2, 0.0)
    high = (plan.width / 2, plan.length / 2, plan.height)
    builder.room(low, high, wall, builder.material('floor'), builder.material('ceiling'))
    for _ in range(plan.openings):
        _doorway(builder, plan, wall)
    _decorate(builder, plan)
    _furnish(builder, plan)
    return _illuminate(builder, plan)


def _plan(b: Builder) -> Plan:
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
        """Return the world point `out` metres behind the wall plane (negative: in the room)."""
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


def _wall(b: Builder, plan: Plan) -> Wall:
    """Return one of the four walls, long ones more often."""
    axis = 0 if b.random.random() < plan.length / (plan.length + plan.width) else 1
    side = b.random.choice((-1, 1))
    reach = plan.width if axis == 0 else plan.length
    span = plan.length if axis == 0 else plan.width
    return Wall(axis, side, side * reach / 2, span)


def _doorway(b: Builder, plan: Plan, skin: int) -> None:
    """Cut a doorway into a further room, or a recess, into a wall."""
    rng = b.random
    wall = _wall(b, plan)
    wide = min(rng.uniform(0.8, 2.2), 0.8 * wall.span)
    centre = rng.uniform(-0.5, 0.5) * (wall.span - wide)
    top = min(rng.uniform(1.9, 2.6), plan.height)
    along = (centre - wide / 2, centre + wide / 2)
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
        _lamp_colour(b, rng.uniform(0.1, 1.5) * depth),
    )
    for _ in range(rng.randint(0, 3)):
        piece = _draw(b, furniture.ANYWHERE)
        x, y = rng.uniform(low[0], high[0]), rng.uniform(low[1], high[1])
        piece.put(b.at(x, y, 0, rng.uniform(0, 2 * math.pi)))
    if rng.random() < 0.3:
        swing = b.at(*wall.point(along[0], -0.02, 0)[:2], 0, wall.facing + rng.uniform(0.2, 1.4))
        swing.box((0.45 * wide, 0, top / 2), (0.9 * wide, 0.04, top - 0.02), frame)


def _decorate(b: Builder, plan: Plan) -> None:
    """Hang closed doors, windows, pictures, skirtings, pipes and beams."""
    rng = b.random
    for _ in range(rng.randint(0, 2 + round((plan.width + plan.length) / 3))):
        wall = _wall(b, plan)
        spot = b.at(*wall.point(rng.uniform(-0.45, 0.45) * wall.span, 0, 0)[:2], 0, wall.facing)
        kind = rng.random()
        if kind < 0.2:
            wide = rng.uniform(0.7, 1.1)
            spot.box((0, 0, 1), (0.06, wide + 0.16, 2.08), b.material('wood'))
            spot.box((0.01, 0, 1), (0.08, wide, 2.0), b.material(rng.choice(('wood', 'paint'))))
            spot.ball((0.07, 0.4 * wide, 1.0), (0.08, 0.06, 0.06), b.material('metal'))
        elif kind < 0.45:
            _window(b, plan, wall)
        elif kind < 0.8:
            wide = rng.uniform(0.3, 1.5)
            z = rng.uniform(1.1, min(2.0, plan.height - 0.3))
            high = wide * rng.uniform(0.5, 1.5)
            spot.box((0, 0, z), (0.04, wide + 0.06, high + 0.06), b.material('wood'))
            spot.box((0.005, 0, z), (0.04, wide, high), b.material('print'))
        elif kind < 0.9:
            thick = rng.uniform(0.03, 0.2)
            spot.rod((thick, 0, 5), (thick, thick, 10), b.material('metal'))
        else:
            size = (rng.uniform(0.08, 0.2), rng.uniform(0.6, 1.8), rng.uniform(0.4, 0.8))
            spot.box((0.08, 0, 0.15 + size[2] / 2), size, b.material('metal'))
    if rng.random() < 0.3:
        _beams(b, plan)


def _window(b: Builder, plan: Plan, wall: Wall) -> None:
    """Cut a window: a shallow recess whose end glows, with a cross of bars."""
    rng = b.random
    wide, centre = rng.uniform(0.6, 1.8), rng.uniform(-0.4, 0.4) * (wall.span - 1.8)
    low, high = rng.uniform(0.4, 1.1), min(rng.uniform(1.6, 2.4), plan.height - 0.1)
    deep = rng.uniform(0.08, 0.4)
    frame = b.material('plain')
    along = (centre - wide / 2, centre + wide / 2)
    b.room(*wall.box(along, (-OVERLAP_M, deep), (low, high)), frame, frame, frame)
    pane = b.at(*wall.point(centre, deep, 0)[:2], 0, wall.facing)
    view = b.material(rng.choice(('plain', 'print')), glow=rng.uniform(1, 6))
    z = (low + high) / 2
    pane.box((0, 0, z), (0.02, wide, high - low), view)
    pane.box((0.02, 0, z), (0.05, 0.05, high - low), frame)
    pane.box((0.02, 0, z), (0.05, wide, 0.05), frame)
    if rng.random() < 0.4:
        curtain = b.material('cloth')
        for side in (-1, 1):
            y = side * (wide / 2 + 0.1)
            spot = b.at(*wall.point(centre, -0.08, 0)[:2], 0, wall.facing)
            for k in range(4):
                spot.rod((0, y + 0.08 * k * side, 1.15), (0.1, 0.1, 2.2), curtain)


def _beams(b: Builder, plan: Plan) -> None:
    look, size = b.material(b.random.choice(('wood', 'plain'))), b.random.uniform(0.1, 0.3)
    count = b.random.randint(1, 5)
    for k in range(count):
        x = plan.width * ((k + 0.5) / count - 0.5)
        b.at(x, 0).box((0, 0, plan.height - size / 2), (size, plan.length, size), look)


def _draw(b: Builder, pieces: tuple[furniture.Piece, ...]) -> furniture.Piece:
    return b.random.choices(pieces, [piece.weight for piece in pieces])[0]


def _furnish(b: Builder, plan: Plan) -> None:
    """Put furniture where it does not stand in other furniture."""
    rng = b.random
    taken: list[tuple[float, float, float]] = []

    def free(x: float, y: float, radius: float) -> bool:
        return all(math.hypot(x - u, y - v) > 0.85 * (radius + r) for u, v, r in taken)

    for _ in range(plan.wall_pieces):
        piece, wall = _draw(b, furniture.BY_WALL), _wall(b, plan)
        x, y, _z = wall.point(rng.uniform(-0.42, 0.42) * wall.span, -0.45 * piece.radius - 0.1, 0)
        if free(x, y, piece.radius):
            taken.append((x, y, piece.radius))
            piece.put(b.at(x, y, 0, wall.facing))
    for _ in range(plan.pieces):
        piece = _draw(b, furniture.ANYWHERE)
        x = rng.uniform(-0.5, 0.5) * (plan.width - 0.5)
        y = rng.uniform(-0.5, 0.5) * (plan.length - 0.5)
        if free(x, y, piece.radius):
            taken.append((x, y, piece.radius))
            piece.put(b.at(x, y, 0, rng.uniform(0, 2 * math.pi)))
    for _ in range(plan.pillars):
        x, y = rng.uniform(-0.4, 0.4) * plan.width, rng.uniform(-0.4, 0.4) * plan.length
        if free(x, y, 0.5):
            furniture.pillar(b.at(x, y, 0, 0))
    for _ in range(rng.randint(0, 2)):
        x, y = rng.uniform(-0.3, 0.3) * plan.width, rng.uniform(-0.3, 0.3) * plan.length
        furniture.rug(b.at(x, y, 0, rng.choice((0.0, math.pi / 2, rng.uniform(0, 3)))))
    _hang(b, plan)


def _hang(b: Builder, plan: Plan) -> None:
    """Hang lamps, signs and balloons from the ceiling."""
    rng = b.random
    for _ in range(rng.randint(0, 4)):
        x, y = rng.uniform(-0.4, 0.4) * plan.width, rng.uniform(-0.4, 0.4) * plan.length
        bottom = plan.height - rng.uniform(0.3, 0.45 * plan.height)
        spot = b.at(x, y, bottom, rng.uniform(0, 6))
        cord = plan.height - bottom
        spot.rod((0, 0, cord / 2), (0.015, 0.015, cord), b.material('metal'))
        look = b.material(rng.choice(('paint', 'print', 'plain')), glow=rng.choice((0, 0, 3.0)))
        shape = rng.choice((Shape.SPHERE, Shape.CYLINDER, Shape.BOX))
        wide = rng.uniform(0.12, 0.5)
        spot.put(shape, (0, 0, 0), (wide, wide, wide * rng.uniform(0.4, 1.2)), look)


def _lamp_colour(b: Builder, power: float) -> Vector:
    """Return RGB power of a lamp between warm and cold white."""
    warm = b.random.uniform(-0.25, 0.35)
    return power * (1 + warm), power * (1 + 0.2 * warm), power * max(0.1, 1 - 1.2 * warm)


def _illuminate(b: Builder, plan: Plan) -> Scene:
    """Place the lights; the first ones cast shadows."""
    rng = b.random
    main = []
    for _ in range(rng.choices((1, 2, 3), (4, 4, 2))[0]):
        x, y = rng.uniform(-0.4, 0.4) * plan.width, rng.uniform(-0.4, 0.4) * plan.length
        z = plan.height - rng.uniform(0.05, 0.3)
        power = plan.height**2 * rng.uniform(0.3, 1.2) * (1 + 0.04 * plan.width * plan.length)
        main.append(((x, y, z), _lamp_colour(b, min(power, 40.0))))
    further = b.take_lights()
    for place, power_rgb in main + further:
        b.light(place, power_rgb)
    level = rng.uniform(0.08, 0.6)
    tint = linear_colour(rng.random(), rng.uniform(0, 0.15), 1.0)
    sky = (level * tint[0], level * tint[1], level * tint[2])
    bounce = rng.uniform(0.4, 0.9)
    ground = (bounce * sky[0], bounce * sky[1], bounce * sky[2])
    return b.scene((ground, sky), rng.uniform(0.2, 0.8), min(len(main), 2))
