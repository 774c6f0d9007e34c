"""Furniture of a home, the same every time: tables, chairs, a sofa, a desk, a shelf; +x is front.

Sizes are those of usual furniture [m].
"""

import math

from .builder import Spot

_SIDES = (-1, 1)


def four_legs(spot: Spot, size: tuple[float, float, float], thick: float, material: int) -> None:
    """Put square legs at the corners of (x, y), as high as z."""
    x, y, z = size
    for sx in _SIDES:
        for sy in _SIDES:
            at = (sx * (x - thick) / 2, sy * (y - thick) / 2, z / 2)
            spot.box(at, (thick, thick, z), material)


def home_table(spot: Spot, size: tuple[float, float, float], top: int, leg: int) -> None:
    """Put a table of (x, y), as high as z."""
    x, y, z = size
    spot.box((0, 0, z - 0.02), (x, y, 0.04), top)
    four_legs(spot, (x - 0.08, y - 0.08, z - 0.04), 0.07, leg)
    for side in _SIDES:
        spot.box((0, side * (y / 2 - 0.08), z - 0.09), (x - 0.2, 0.03, 0.1), leg)
        spot.box((side * (x / 2 - 0.08), 0, z - 0.09), (0.03, y - 0.2, 0.1), leg)


def dining_chair(spot: Spot, wood: int, seat: int) -> None:
    """Put a wooden chair with a cushion and a closed back."""
    four_legs(spot, (0.42, 0.42, 0.44), 0.045, wood)
    spot.box((0, 0, 0.44), (0.44, 0.44, 0.03), wood)
    spot.box((0.01, 0, 0.47), (0.4, 0.4, 0.04), seat)
    lean = (0.0, -0.12, 0.0)
    for side in _SIDES:
        spot.box((-0.23, side * 0.19, 0.7), (0.035, 0.045, 0.52), wood, lean)
    spot.box((-0.245, 0, 0.81), (0.025, 0.36, 0.27), wood, lean)


def office_chair(spot: Spot, cloth: int, metal: int) -> None:
    """Put a swivel chair: a star of five feet, a column, a seat, a back and arms."""
    for k in range(5):
        foot = spot.shift(0, 0, 0, 2 * math.pi * (k + 0.5) / 5)
        foot.box((0.15, 0, 0.07), (0.3, 0.05, 0.035), metal)
        foot.ball((0.29, 0, 0.03), (0.06, 0.06, 0.06), metal)
    spot.rod((0, 0, 0.26), (0.06, 0.06, 0.38), metal)
    spot.box((0, 0, 0.47), (0.5, 0.5, 0.09), cloth)
    spot.box((-0.25, 0, 0.58), (0.03, 0.08, 0.3), metal, (0, -0.1, 0))
    spot.box((-0.27, 0, 0.82), (0.07, 0.46, 0.5), cloth, (0, -0.1, 0))
    for side in _SIDES:
        spot.box((0.0, side * 0.28, 0.57), (0.04, 0.03, 0.2), metal)
        spot.box((0.0, side * 0.28, 0.68), (0.26, 0.06, 0.03), metal)


def home_sofa(spot: Spot, seats: int, cloth: int, pillow: int, wood: int) -> None:
    """Put a sofa of one to three seats, 0.65 m each."""
    long = 0.65 * seats
    four_legs(spot, (0.78, long + 0.3, 0.1), 0.05, wood)
    spot.box((0, 0, 0.2), (0.85, long + 0.36, 0.2), cloth)
    spot.box((-0.34, 0, 0.55), (0.18, long + 0.02, 0.52), cloth, (0, -0.1, 0))
    for side in _SIDES:
        at = (0.0, side * (long / 2 + 0.1), 0.37)
        spot.box(at, (0.85, 0.18, 0.5), cloth)
        spot.rod((0, at[1], 0.62), (0.18, 0.18, 0.85), cloth, (0, math.pi / 2, 0))
    for k in range(seats):
        y = 0.65 * (k + 0.5) - long / 2
        spot.box((0.06, y, 0.37), (0.72, 0.635, 0.15), cloth)
        spot.box((-0.24, y, 0.62), (0.15, 0.62, 0.36), cloth, (0, -0.25, 0))
    for side in _SIDES[: seats - 1]:
        at = (-0.08, side * (long / 2 - 0.25), 0.62)
        spot.ball(at, (0.2, 0.44, 0.42), pillow)


def bookcase(spot: Spot, wood: int, backs: list[int], things: list[int]) -> None:
    """Put an open shelf 1.2 m wide and 1.9 m high, with books and things."""
    spot.box((-0.15, 0, 0.95), (0.02, 1.2, 1.9), wood)
    for side in _SIDES:
        spot.box((0, side * 0.6, 0.95), (0.32, 0.03, 1.9), wood)
    for k in range(6):
        spot.box((0, 0, 0.015 + 0.374 * k), (0.32, 1.2, 0.03), wood)
    thicknesses = (0.05, 0.035, 0.07, 0.04, 0.06, 0.045)
    for k, (begin, end) in enumerate(((-0.55, 0.5), (-0.1, 0.55), (-0.55, 0.15), (-0.3, 0.55))):
        y, number = begin, k
        while y < end:
            thick = thicknesses[number % 6]
            high = 0.22 + 0.02 * (number * 5 % 4)
            at = (0.02, y + thick / 2, 0.374 * k + 0.03 + high / 2)
            spot.box(at, (0.2, 0.94 * thick, high), backs[number % len(backs)])
            y, number = y + thick, number + 1
    spot.ball((0.02, -0.36, 0.374 + 0.14), (0.22, 0.22, 0.22), things[0])
    spot.rod((0.02, 0.36, 2 * 0.374 + 0.14), (0.15, 0.15, 0.22), things[1])
    spot.box((0.02, -0.45, 3 * 0.374 + 0.12), (0.2, 0.2, 0.18), things[2])
    spot.box((0.02, 0.2, 4 * 0.374 + 0.1), (0.24, 0.45, 0.14), things[0])
    spot.ball((0.02, -0.3, 4 * 0.374 + 0.14), (0.16, 0.16, 0.24), things[1])


def desk(spot: Spot, top: int, leg: int, case: int, screen: int) -> None:
    """Put a desk with a drawer unit, a computer screen and a keyboard."""
    home_table(spot, (0.7, 1.4, 0.74), top, leg)
    spot.box((0, -0.45, 0.33), (0.55, 0.4, 0.56), leg)
    for k in range(3):
        spot.box((0.28, -0.45, 0.15 + 0.19 * k), (0.02, 0.36, 0.17), top)
        spot.box((0.3, -0.45, 0.18 + 0.19 * k), (0.02, 0.12, 0.02), case)
    spot.box((-0.15, 0.1, 0.75), (0.2, 0.26, 0.02), case)
    spot.box((-0.18, 0.1, 0.86), (0.03, 0.06, 0.22), case)
    spot.box((-0.16, 0.1, 1.1), (0.03, 0.62, 0.37), case)
    spot.box((-0.143, 0.1, 1.1), (0.004, 0.59, 0.34), screen)
    spot.box((0.15, 0.1, 0.75), (0.15, 0.44, 0.025), case)
    spot.ball((0.16, 0.42, 0.755), (0.11, 0.065, 0.05), case)


def sideboard(spot: Spot, body: int, door: int, metal: int) -> None:
    """Put a low cupboard with three doors."""
    spot.box((0, 0, 0.42), (0.4, 1.3, 0.64), body)
    four_legs(spot, (0.36, 1.26, 0.1), 0.05, metal)
    for y in (-0.43, 0.0, 0.43):
        spot.box((0.205, y, 0.42), (0.02, 0.4, 0.56), door)
        spot.box((0.225, y + 0.15, 0.46), (0.02, 0.02, 0.14), metal)
