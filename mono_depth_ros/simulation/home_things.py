"""What else a home has: lamps, a plant, a door, a window, pictures, dishes; +x is front."""

import math

from .builder import Builder, Spot
from .plan import OVERLAP_M, Wall
from .scene import Shape

LEAVES = 14


def floor_lamp(spot: Spot, metal: int, shade: int) -> None:
    """Put a lamp 1.6 m high."""
    spot.rod((0, 0, 0.015), (0.3, 0.3, 0.03), metal)
    spot.rod((0, 0, 0.7), (0.03, 0.03, 1.4), metal)
    spot.rod((0, 0, 1.48), (0.42, 0.42, 0.3), shade)


def hanging_lamp(spot: Spot, cord: int, shade: int, cord_m: float) -> None:
    """Hang a lamp from a spot at the ceiling."""
    spot.rod((0, 0, -cord_m / 2), (0.02, 0.02, cord_m), cord)
    spot.rod((0, 0, -cord_m), (0.45, 0.45, 0.2), shade)


def potted_plant(spot: Spot, pot: int, stem: int, leaf: int) -> None:
    """Put a plant 1.5 m high in a pot."""
    spot.rod((0, 0, 0.2), (0.4, 0.4, 0.4), pot)
    spot.rod((0, 0, 0.75), (0.04, 0.04, 0.8), stem)
    for k in range(LEAVES):
        turn = 2.4 * k  # the golden angle
        rise = 0.7 + 0.75 * k / LEAVES
        reach = 0.3 - 0.17 * k / LEAVES
        twig = spot.shift(0, 0, rise, turn)
        size = (0.5 - 0.2 * k / LEAVES, 0.17, 0.04)
        twig.put(Shape.SPHERE, (reach, 0, 0.05), size, leaf, (0, -0.5, 0))


def door(spot: Spot, frame: int, leaf: int, metal: int) -> None:
    """Put a closed door, 0.9 m wide, on a wall."""
    for side in (-1, 1):
        spot.box((0.02, side * 0.5, 1.02), (0.05, 0.1, 2.12), frame)
    spot.box((0.02, 0, 2.08), (0.05, 1.1, 0.1), frame)
    spot.box((0.005, 0, 1.0), (0.03, 0.9, 2.04), leaf)
    for z, high in ((0.52, 0.7), (1.45, 0.85)):
        spot.box((0.02, 0, z), (0.02, 0.62, high), frame)
    spot.box((0.06, 0.37, 1.02), (0.08, 0.03, 0.03), metal)
    spot.box((0.09, 0.32, 1.02), (0.025, 0.13, 0.03), metal)


def home_window(builder: Builder, wall: Wall, center_m: float, frame: int, view: int) -> None:
    """Cut a window, 1.8 m wide, into a wall; what is outside glows."""
    along, z = (center_m - 0.9, center_m + 0.9), (0.9, 2.2)
    builder.room(*wall.box(along, (-OVERLAP_M, 0.15), z), frame, frame, frame)
    pane = builder.at(*wall.point(center_m, 0.15, 0)[:2], 0, wall.facing)
    pane.box((0, 0, 1.55), (0.02, 1.8, 1.3), view)
    for y in (-0.87, 0.0, 0.87):
        pane.box((0.05, y, 1.55), (0.06, 0.06, 1.3), frame)
    for height in (0.93, 2.17):
        pane.box((0.05, 0, height), (0.06, 1.8, 0.06), frame)
    pane.box((0.22, 0, 0.88), (0.2, 1.9, 0.04), frame)


def curtains(spot: Spot, cloth: int) -> None:
    """Hang curtains on both sides of a window 1.8 m wide."""
    spot.rod((0.1, 0, 2.36), (0.03, 0.03, 2.9), cloth, (math.pi / 2, 0, 0))
    for side in (-1, 1):
        for k in range(4):
            spot.rod((0.1, side * (0.98 + 0.11 * k), 1.2), (0.12, 0.12, 2.3), cloth)


def picture(spot: Spot, size: tuple[float, float], frame: int, print_: int) -> None:
    """Hang a picture of (y, z)."""
    y, z = size
    spot.box((0.015, 0, 0), (0.03, y + 0.1, z + 0.1), frame)
    spot.box((0.02, 0, 0), (0.03, y, z), print_)


def dishes(spot: Spot, china: int, glass: int) -> None:
    """Put a plate and a cup."""
    spot.rod((0, 0, 0.008), (0.25, 0.25, 0.016), china)
    spot.rod((0, 0.22, 0.05), (0.08, 0.08, 0.1), glass)


def fruit_bowl(spot: Spot, china: int, fruits: list[int]) -> None:
    """Put a bowl with fruit."""
    spot.rod((0, 0, 0.04), (0.3, 0.3, 0.08), china)
    for k, fruit in enumerate(fruits):
        piece = spot.shift(0, 0, 0, 2 * math.pi * k / len(fruits))
        piece.ball((0.07, 0, 0.1), (0.1, 0.1, 0.1), fruit)


def vase(spot: Spot, china: int, leaf: int, flower: int) -> None:
    """Put a vase with five flowers."""
    spot.rod((0, 0, 0.1), (0.1, 0.1, 0.2), china)
    for k in range(5):
        stalk = spot.shift(0, 0, 0, 2 * math.pi * k / 5)
        stalk.rod((0.03, 0, 0.28), (0.012, 0.012, 0.24), leaf, (0, 0.25, 0))
        stalk.ball((0.06, 0, 0.4), (0.08, 0.08, 0.07), flower)
