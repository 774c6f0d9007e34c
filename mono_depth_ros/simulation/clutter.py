"""Loose things: what stands about, lies on the floor, or lies on tables and in shelves."""

import math
from collections.abc import Callable

from .builder import Spot

Put = Callable[[Spot], None]


def crates(spot: Spot) -> None:
    """Put a heap of crates or parcels, some askew."""
    rng, b = spot.random, spot.builder
    looks = [b.material(rng.choice(('wood', 'paint', 'print', 'loud'))) for _ in range(2)]
    z, x, y = 0.0, 0.0, 0.0
    for _ in range(rng.randint(1, 4)):
        size = (rng.uniform(0.2, 0.7), rng.uniform(0.2, 0.7), rng.uniform(0.15, 0.6))
        turn = rng.uniform(-0.5, 0.5)
        spot.box((x, y, z + size[2] / 2), size, rng.choice(looks), (0, 0, turn))
        if rng.random() < 0.7:
            z += size[2]
        else:
            x, y, z = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), 0.0


def barrel(spot: Spot) -> None:
    """Put one to three barrels, bins or rolls."""
    rng, b = spot.random, spot.builder
    for k in range(rng.randint(1, 3)):
        wide, high = rng.uniform(0.15, 0.6), rng.uniform(0.25, 1.1)
        at = (rng.uniform(-0.1, 0.1), 0.45 * k, high / 2)
        look = b.material(rng.choice(('paint', 'metal', 'loud', 'wood')))
        if rng.random() < 0.2:
            lying = (at[0], at[1], wide / 2)
            spot.rod(lying, (wide, wide, high), look, (math.pi / 2, 0, rng.uniform(0, 3)))
        else:
            spot.rod(at, (wide, wide, high), look)


def balls(spot: Spot) -> None:
    """Put a few balls or stones."""
    rng, b = spot.random, spot.builder
    for _ in range(rng.randint(1, 4)):
        wide = rng.uniform(0.08, 0.6)
        high = wide * rng.choice((1.0, 1.0, rng.uniform(0.4, 1.5)))
        at = (rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), high / 2)
        spot.ball(at, (wide, wide, high), b.material(rng.choice(('paint', 'loud', 'cloth'))))


def plant(spot: Spot) -> None:
    """Put a pot with leaves."""
    rng, b = spot.random, spot.builder
    pot, leaf, stem = b.material('paint'), b.material('leaf'), b.material('wood')
    wide, high = rng.uniform(0.2, 0.45), rng.uniform(0.2, 0.5)
    tall = rng.uniform(0.3, 1.3)
    spot.rod((0, 0, high / 2), (wide, wide, high), pot)
    spot.rod((0, 0, high + tall / 2), (0.03, 0.03, tall), stem)
    for _ in range(rng.randint(4, 10)):
        at = (rng.gauss(0, 0.15), rng.gauss(0, 0.15), high + tall * rng.uniform(0.4, 1.1))
        size = (rng.uniform(0.1, 0.35), rng.uniform(0.1, 0.35), rng.uniform(0.05, 0.25))
        spot.ball(at, size, leaf)


def pole(spot: Spot) -> None:
    """Put thin poles: mop, tripod, rope line."""
    rng, b = spot.random, spot.builder
    look = b.material(rng.choice(('metal', 'paint', 'wood', 'loud')))
    for _ in range(rng.randint(1, 3)):
        high, thin = rng.uniform(0.8, 2.4), rng.uniform(0.015, 0.08)
        at = (rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), high / 2)
        lean = (rng.gauss(0, 0.12), rng.gauss(0, 0.12), 0.0)
        spot.rod(at, (thin, thin, high), look, lean)


def figure(spot: Spot) -> None:
    """Put something of a standing person's shape."""
    rng, b = spot.random, spot.builder
    top, trousers, skin = b.material('cloth'), b.material('cloth'), b.material('plain')
    k = rng.uniform(0.85, 1.1)
    for side in (-1, 1):
        spot.rod((0, side * 0.1 * k, 0.42 * k), (0.15 * k, 0.15 * k, 0.84 * k), trousers)
        arm = (rng.gauss(0, 0.2), rng.gauss(0, 0.3), 0.0)
        spot.rod((0, side * 0.26 * k, 1.1 * k), (0.1 * k, 0.1 * k, 0.6 * k), top, arm)
    spot.ball((0, 0, 1.13 * k), (0.28 * k, 0.44 * k, 0.72 * k), top)
    spot.ball((0, 0, 1.6 * k), (0.2 * k, 0.17 * k, 0.25 * k), skin)


def ramp(spot: Spot) -> None:
    """Put a ramp or a few steps."""
    rng, b = spot.random, spot.builder
    look, wide = b.material(rng.choice(('wood', 'floor', 'plain'))), rng.uniform(0.7, 1.5)
    if rng.random() < 0.5:
        rise = rng.uniform(0.1, 0.35)
        spot.box((0, 0, 0.6 * math.sin(rise) - 0.05), (1.3, wide, 0.1), look, (0, -rise, 0))
        return
    for k in range(rng.randint(2, 4)):
        spot.box((0.28 * k - 0.4, 0, 0.09 * (k + 1)), (0.28, wide, 0.18 * (k + 1)), look)


def machine(spot: Spot) -> None:
    """Put wheels, rods and blocks: bicycles, tools, engines."""
    rng, b = spot.random, spot.builder
    rubber, metal, paint = b.material('metal'), b.material('metal'), b.material('paint')
    wheel = rng.uniform(0.3, 0.7)
    for side in (-1, 1):
        at = (side * rng.uniform(0.4, 0.6), 0.0, wheel / 2)
        thick = rng.uniform(0.04, 0.15)
        spot.rod(at, (wheel, wheel, thick), rubber, (math.pi / 2, 0, 0))
        spot.rod(at, (0.6 * wheel, 0.6 * wheel, thick + 0.02), metal, (math.pi / 2, 0, 0))
    for _ in range(rng.randint(4, 9)):
        at = (rng.uniform(-0.4, 0.4), rng.uniform(-0.12, 0.12), rng.uniform(0.3, 1.0))
        tilt = (rng.uniform(-1, 1), rng.uniform(-2, 2), rng.uniform(-0.5, 0.5))
        size = (rng.uniform(0.02, 0.05),) * 2 + (rng.uniform(0.3, 0.8),)
        spot.rod(at, size, rng.choice((metal, paint)), tilt)
    for _ in range(rng.randint(1, 4)):
        at = (rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.1), rng.uniform(0.4, 0.8))
        size = (rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.25), rng.uniform(0.08, 0.3))
        spot.box(at, size, rng.choice((metal, paint)), (0, rng.uniform(-0.4, 0.4), 0))


def litter(spot: Spot) -> None:
    """Put small things on the floor."""
    rng = spot.random
    for _ in range(rng.randint(2, 6)):
        x, y = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6)
        rng.choice(SMALL)(spot.shift(x, y, 0, rng.uniform(0, 6)))


def _book(spot: Spot) -> None:
    rng = spot.random
    z = 0.0
    for _ in range(rng.randint(1, 4)):
        size = (rng.uniform(0.12, 0.3), rng.uniform(0.15, 0.35), rng.uniform(0.01, 0.06))
        look = spot.builder.material(rng.choice(('print', 'paint')))
        spot.box((0, 0, z + size[2] / 2), size, look, (0, 0, rng.uniform(-0.4, 0.4)))
        z += size[2]


def _cup(spot: Spot) -> None:
    rng = spot.random
    wide, high = rng.uniform(0.05, 0.13), rng.uniform(0.06, 0.32)
    look = spot.builder.material(rng.choice(('paint', 'plain', 'loud', 'metal')))
    spot.rod((0, 0, high / 2), (wide, wide, high), look)
    if high > 0.2:
        spot.rod((0, 0, high + 0.03), (wide / 2.5, wide / 2.5, 0.08), look)


def _fruit(spot: Spot) -> None:
    wide = spot.random.uniform(0.05, 0.22)
    look = spot.builder.material(spot.random.choice(('paint', 'loud', 'leaf')))
    spot.ball((0, 0, wide / 2), (wide, wide, wide), look)


def _packet(spot: Spot) -> None:
    rng = spot.random
    size = (rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.35), rng.uniform(0.05, 0.35))
    look = spot.builder.material(rng.choice(('print', 'paint', 'loud', 'wood')))
    spot.box((0, 0, size[2] / 2), size, look)


def _keyboard(spot: Spot) -> None:
    rng = spot.random
    size = (rng.uniform(0.12, 0.2), rng.uniform(0.3, 0.46), 0.02)
    spot.box((0, 0, 0.012), size, spot.builder.material(rng.choice(('print', 'metal'))))


def _figurine(spot: Spot) -> None:
    rng, b = spot.random, spot.builder
    look = b.material(rng.choice(('paint', 'loud', 'plain')))
    wide = rng.uniform(0.06, 0.16)
    spot.ball((0, 0, 0.7 * wide), (wide, wide, 1.4 * wide), look)
    spot.ball((0, 0, 1.6 * wide), (0.7 * wide,) * 3, b.material('paint'))


SMALL: tuple[Put, ...] = (_book, _cup, _fruit, _packet, _keyboard, _figurine)
