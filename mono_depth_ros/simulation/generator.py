"""Makes scenes: rooms, corridors and halls with openings, furniture, lamps and clutter."""

import math

from . import furniture
from .builder import Builder
from .looks import linear_color
from .plan import Plan, doorway, draw_plan, draw_wall, lamp_color, window
from .scene import Scene, Shape


def generate_scene(seed: int) -> Scene:
    """Return the scene of a seed, the same one every time.

    Raises:
        ValueError: The seed is negative.
    """
    if seed < 0:
        raise ValueError(f'the seed is {seed}; it must not be negative')
    builder = Builder(seed)
    plan = draw_plan(builder)
    wall = builder.material('wall')
    low = (-plan.width / 2, -plan.length / 2, 0.0)
    high = (plan.width / 2, plan.length / 2, plan.height)
    builder.room(low, high, wall, builder.material('floor'), builder.material('ceiling'))
    for _ in range(plan.openings):
        doorway(builder, plan, wall)
    _decorate(builder, plan)
    _furnish(builder, plan)
    return _illuminate(builder, plan)


def _decorate(b: Builder, plan: Plan) -> None:
    """Hang closed doors, windows, pictures, skirtings, pipes and beams."""
    rng = b.random
    for _ in range(rng.randint(0, 2 + round((plan.width + plan.length) / 3))):
        wall = draw_wall(b, plan)
        spot = b.at(*wall.point(rng.uniform(-0.45, 0.45) * wall.span, 0, 0)[:2], 0, wall.facing)
        kind = rng.random()
        if kind < 0.2:
            wide = rng.uniform(0.7, 1.1)
            spot.box((0, 0, 1), (0.06, wide + 0.16, 2.08), b.material('wood'))
            spot.box((0.01, 0, 1), (0.08, wide, 2.0), b.material(rng.choice(('wood', 'paint'))))
            spot.ball((0.07, 0.4 * wide, 1.0), (0.08, 0.06, 0.06), b.material('metal'))
        elif kind < 0.45:
            window(b, plan, wall)
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


def _beams(b: Builder, plan: Plan) -> None:
    look, size = b.material(b.random.choice(('wood', 'plain'))), b.random.uniform(0.1, 0.3)
    count = b.random.randint(1, 5)
    for k in range(count):
        x = plan.width * ((k + 0.5) / count - 0.5)
        b.at(x, 0).box((0, 0, plan.height - size / 2), (size, plan.length, size), look)


def _furnish(b: Builder, plan: Plan) -> None:
    """Put furniture where it does not stand in other furniture."""
    rng = b.random
    taken: list[tuple[float, float, float]] = []

    def free(x: float, y: float, radius: float) -> bool:
        return all(math.hypot(x - u, y - v) > 0.85 * (radius + r) for u, v, r in taken)

    for _ in range(plan.wall_pieces):
        piece, wall = furniture.draw_piece(b.random, furniture.BY_WALL), draw_wall(b, plan)
        x, y, _z = wall.point(rng.uniform(-0.42, 0.42) * wall.span, -0.45 * piece.radius - 0.1, 0)
        if free(x, y, piece.radius):
            taken.append((x, y, piece.radius))
            piece.put(b.at(x, y, 0, wall.facing))
    for _ in range(plan.pieces):
        piece = furniture.draw_piece(b.random, furniture.ANYWHERE)
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


def _illuminate(b: Builder, plan: Plan) -> Scene:
    """Place the lights; the first ones cast shadows."""
    rng = b.random
    main = []
    for _ in range(rng.choices((1, 2, 3), (4, 4, 2))[0]):
        x, y = rng.uniform(-0.4, 0.4) * plan.width, rng.uniform(-0.4, 0.4) * plan.length
        z = plan.height - rng.uniform(0.05, 0.3)
        power = plan.height**2 * rng.uniform(0.3, 1.2) * (1 + 0.04 * plan.width * plan.length)
        main.append(((x, y, z), lamp_color(b, min(power, 40.0))))
    further = b.take_lights()
    for place, power_rgb in main + further:
        b.light(place, power_rgb)
    level = rng.uniform(0.08, 0.6)
    tint = linear_color(rng.random(), rng.uniform(0, 0.15), 1.0)
    sky = (level * tint[0], level * tint[1], level * tint[2])
    bounce = rng.uniform(0.4, 0.9)
    ground = (bounce * sky[0], bounce * sky[1], bounce * sky[2])
    return b.scene((ground, sky), rng.uniform(0.2, 0.8), min(len(main), 2))
