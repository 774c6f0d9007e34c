"""What stands in rooms: each function puts one piece on a spot; +x is its front."""

import math
import random
from dataclasses import dataclass

from .builder import Spot
from .clutter import SMALL, Put, balls, barrel, crates, figure, litter, machine, plant, pole, ramp


@dataclass(frozen=True)
class Piece:
    """A piece of furniture: how to put it, the radius [m] it claims, its weight in the draw."""

    put: Put
    radius: float
    weight: float


def table(spot: Spot) -> None:
    """Put a table with things on it."""
    rng, b = spot.random, spot.builder
    long, wide, high = rng.uniform(0.8, 1.8), rng.uniform(0.5, 0.9), rng.uniform(0.4, 0.8)
    top = b.material(rng.choice(('wood', 'wood', 'plain', 'paint')))
    leg = b.material(rng.choice(('metal', 'wood', 'paint')))
    spot.box((0, 0, high - 0.02), (wide, long, 0.04), top)
    thick = rng.uniform(0.03, 0.08)
    for sx in (-1, 1):
        for sy in (-1, 1):
            at = (sx * (wide / 2 - thick), sy * (long / 2 - thick), high / 2 - 0.02)
            spot.box(at, (thick, thick, high - 0.04), leg)
    for _ in range(rng.randint(1, 7)):
        x, y = rng.uniform(-0.4, 0.4) * wide, rng.uniform(-0.45, 0.45) * long
        rng.choice(SMALL)(spot.shift(x, y, high, rng.uniform(-1, 1)))
    if rng.random() < 0.5:
        screen(spot.shift(-0.25 * wide, rng.uniform(-0.2, 0.2) * long, high))


def screen(spot: Spot) -> None:
    """Put a computer screen."""
    rng, b = spot.random, spot.builder
    wide = rng.uniform(0.4, 0.7)
    high = wide * rng.uniform(0.55, 0.75)
    case = b.material('metal')
    spot.box((0, 0, 0.01), (0.2, 0.25, 0.02), case)
    spot.box((-0.03, 0, 0.1), (0.03, 0.05, 0.2), case)
    spot.box((0, 0, 0.12 + high / 2), (0.04, wide, high), case)
    face = b.material('print', glow=rng.choice((0.0, 0.5, 1.5)))
    spot.box((0.022, 0, 0.12 + high / 2), (0.004, 0.94 * wide, 0.92 * high), face)


def chair(spot: Spot) -> None:
    """Put a chair with legs or on one foot."""
    rng, b = spot.random, spot.builder
    cloth = b.material(rng.choice(('cloth', 'wood', 'paint', 'metal')))
    leg = b.material(rng.choice(('metal', 'wood')))
    wide, high = rng.uniform(0.38, 0.5), rng.uniform(0.4, 0.5)
    spot.box((0, 0, high), (wide, wide, 0.05), cloth)
    rise = rng.uniform(0.35, 0.6)
    spot.box((-wide / 2, 0, high + rise / 2), (0.04, wide, rise), cloth, (0, -0.1, 0))
    if rng.random() < 0.35:
        spot.rod((0, 0, high / 2), (0.06, 0.06, high), leg)
        for k in range(5):
            arm = spot.shift(0, 0, 0.06, 2 * math.pi * k / 5)
            arm.box((0.15, 0, 0), (0.3, 0.05, 0.04), leg)
        return
    for sx in (-1, 1):
        for sy in (-1, 1):
            at = (sx * 0.45 * wide, sy * 0.45 * wide, high / 2)
            spot.rod(at, (0.035, 0.035, high), leg)


def sofa(spot: Spot) -> None:
    """Put a sofa or an armchair."""
    rng, b = spot.random, spot.builder
    cloth, pillow = b.material('cloth'), b.material('cloth')
    long, deep = rng.choice((0.9, 1.5, 2.1)), rng.uniform(0.75, 0.95)
    spot.box((0, 0, 0.22), (deep, long, 0.38), cloth)
    spot.box((-deep / 2 + 0.1, 0, 0.6), (0.2, long, 0.45), cloth, (0, -0.12, 0))
    for side in (-1, 1):
        spot.box((0, side * (long / 2), 0.33), (deep, 0.18, 0.6), cloth)
    for _ in range(rng.randint(0, 3)):
        at = (rng.uniform(-0.1, 0.1), rng.uniform(-0.35, 0.35) * long, 0.55)
        spot.box(at, (0.12, 0.42, 0.4), pillow, (0, -0.4, rng.uniform(-0.4, 0.4)))


def bed(spot: Spot) -> None:
    """Put a bed with pillows."""
    rng, b = spot.random, spot.builder
    cloth, white, wood = b.material('cloth'), b.material('plain'), b.material('wood')
    wide, long = rng.choice((0.9, 1.4, 1.8)), rng.uniform(1.9, 2.1)
    spot.box((0, 0, 0.15), (long, wide, 0.3), wood)
    spot.box((0.02, 0, 0.42), (long - 0.06, wide - 0.03, 0.25), cloth)
    spot.box((-long / 2, 0, 0.5), (0.06, wide, 1.0), wood)
    spot.ball((-long / 2 + 0.3, -0.2 * wide, 0.58), (0.35, 0.55, 0.18), white)
    spot.ball((-long / 2 + 0.3, 0.22 * wide, 0.58), (0.35, 0.55, 0.18), white)


def cabinet(spot: Spot) -> None:
    """Put a cabinet with doors, sometimes things on top."""
    rng, b = spot.random, spot.builder
    body = b.material(rng.choice(('wood', 'wood', 'plain', 'metal', 'paint')))
    deep, wide, high = rng.uniform(0.3, 0.65), rng.uniform(0.5, 1.6), rng.uniform(0.5, 2.2)
    spot.box((0, 0, high / 2), (deep, wide, high), body)
    door, knob = b.material(rng.choice(('wood', 'plain', 'paint'))), b.material('metal')
    doors = rng.randint(1, 3)
    for k in range(doors):
        y = wide * ((k + 0.5) / doors - 0.5)
        spot.box((deep / 2 + 0.01, y, high / 2), (0.02, wide / doors - 0.02, high - 0.06), door)
        spot.ball((deep / 2 + 0.04, y + 0.35 * wide / doors, high / 2), (0.04,) * 3, knob)
    if high < 1.3:
        for _ in range(rng.randint(0, 4)):
            y = rng.uniform(-0.4, 0.4) * wide
            rng.choice(SMALL)(spot.shift(0, y, high, rng.uniform(-1, 1)))


def shelf(spot: Spot) -> None:
    """Put an open shelf with rows of books and things."""
    rng, b = spot.random, spot.builder
    deep, wide, high = rng.uniform(0.22, 0.4), rng.uniform(0.6, 1.4), rng.uniform(0.9, 2.2)
    wood = b.material(rng.choice(('wood', 'plain', 'metal')))
    for side in (-1, 1):
        spot.box((0, side * wide / 2, high / 2), (deep, 0.03, high), wood)
    if rng.random() < 0.7:
        spot.box((-deep / 2, 0, high / 2), (0.015, wide, high), wood)
    boards = max(2, round(high / rng.uniform(0.32, 0.5)))
    step = high / boards
    for k in range(boards + 1):
        spot.box((0, 0, k * step + 0.012), (deep, wide, 0.025), wood)
        if k < boards and rng.random() < 0.8:
            share = rng.uniform(0.3, 0.95)
            tall = step * rng.uniform(0.45, 0.85)
            y = wide * (1 - share) / 2 * rng.uniform(-0.95, 0.95)
            at = (rng.uniform(-0.04, 0.03), y, k * step + 0.025 + tall / 2)
            look = rng.choice(('print', 'print', 'paint', 'loud'))
            spot.box(at, (0.75 * deep, share * wide - 0.04, tall), b.material(look))


def lamp(spot: Spot) -> None:
    """Put a floor lamp."""
    rng, b = spot.random, spot.builder
    metal, shade = b.material('metal'), b.material('plain', glow=rng.choice((0.0, 1.0, 4.0)))
    high = rng.uniform(1.2, 1.8)
    spot.rod((0, 0, 0.015), (0.3, 0.3, 0.03), metal)
    spot.rod((0, 0, high / 2), (0.03, 0.03, high), metal)
    wide = rng.uniform(0.2, 0.45)
    spot.rod((0, 0, high), (wide, wide, 0.3), shade)


def pillar(spot: Spot) -> None:
    """Put a pillar that reaches beyond any ceiling."""
    rng, b = spot.random, spot.builder
    wide, look = rng.uniform(0.2, 0.8), b.material(rng.choice(('wall', 'plain', 'paint')))
    if rng.random() < 0.5:
        spot.rod((0, 0, 5), (wide, wide, 10), look)
    else:
        spot.box((0, 0, 5), (wide, wide * rng.uniform(0.6, 1.4), 10), look)


def rug(spot: Spot) -> None:
    """Put a rug."""
    rng = spot.random
    size = (rng.uniform(0.8, 2.0), rng.uniform(0.8, 2.8), 0.012)
    spot.box((0, 0, 0.006), size, spot.builder.material(rng.choice(('cloth', 'loud'))))


BY_WALL = (
    Piece(cabinet, 0.7, 3),
    Piece(shelf, 0.6, 3),
    Piece(sofa, 0.9, 2),
    Piece(table, 0.8, 2),
    Piece(bed, 1.1, 1),
)
"""Put with their backs to a wall."""

ANYWHERE = (
    Piece(table, 0.9, 3),
    Piece(chair, 0.35, 4),
    Piece(crates, 0.6, 3),
    Piece(barrel, 0.5, 2),
    Piece(balls, 0.4, 2),
    Piece(plant, 0.35, 2),
    Piece(lamp, 0.25, 1),
    Piece(pole, 0.3, 2),
    Piece(figure, 0.35, 1.5),
    Piece(ramp, 0.8, 0.6),
    Piece(machine, 0.8, 1.5),
    Piece(litter, 0.5, 3),
    Piece(sofa, 1.0, 0.7),
    Piece(shelf, 0.7, 0.7),
)
"""Put in the open."""


def draw_piece(rng: random.Random, pieces: tuple[Piece, ...]) -> Piece:
    """Return one of the pieces, by weight."""
    return rng.choices(pieces, [piece.weight for piece in pieces])[0]
