"""The room of the demo: a living room with a dining table, a sofa and a desk, always the same."""

import math

from .builder import Builder
from .home_furniture import (
    bookcase,
    desk,
    dining_chair,
    home_sofa,
    home_table,
    office_chair,
    sideboard,
)
from .home_things import (
    curtains,
    dishes,
    door,
    floor_lamp,
    fruit_bowl,
    hanging_lamp,
    home_window,
    picture,
    potted_plant,
    vase,
)
from .plan import Wall
from .scene import Scene

WIDTH_M, LENGTH_M, HEIGHT_M = 7.2, 5.8, 2.6
"""Along x, y and z; the middle of the floor is the origin."""
EAST, WEST = (Wall(0, side, side * WIDTH_M / 2, LENGTH_M) for side in (1, -1))
NORTH, SOUTH = (Wall(1, side, side * LENGTH_M / 2, WIDTH_M) for side in (1, -1))
DINING_AT = (1.9, 1.35)
_FINISHES: dict[str, tuple[str, float, tuple[str, str], int]] = {
    'wall': ('fine', 1.5, ('#d8cfbf', '#efe8da'), 0),
    'floor': ('planks', 1.6, ('#6f4a2e', '#b98f63'), 0),
    'ceiling': ('fine', 2.0, ('#e8e6e0', '#fbfaf6'), 1),
    'white': ('fine', 1.0, ('#dcdad4', '#f4f2ec'), 2),
    'oak': ('grain', 0.9, ('#a8743f', '#dcab70'), 0),
    'walnut': ('grain', 0.8, ('#3d2413', '#7a4e2c'), 1),
    'black': ('fine', 0.5, ('#17181a', '#2c2e31'), 3),
    'steel': ('fine', 0.5, ('#767b80', '#b4b8bc'), 0),
    'red': ('fine', 0.15, ('#9b2a22', '#c8453a'), 1),
    'blue': ('fine', 0.2, ('#2b4a78', '#47699c'), 2),
    'mustard': ('fine', 0.15, ('#c08a1c', '#e6b23c'), 3),
    'gray': ('fine', 0.15, ('#55585c', '#7b7f84'), 4),
    'green': ('fine', 0.6, ('#2f6b3a', '#57a05a'), 5),
    'leaf': ('cells', 0.25, ('#1f4f22', '#4c8b3a'), 0),
    'clay': ('fine', 0.3, ('#9c4f30', '#c9764f'), 6),
    'china': ('fine', 0.3, ('#e6e8ea', '#ffffff'), 7),
    'teal': ('fine', 0.3, ('#1c6f73', '#3aa0a2'), 0),
    'apple': ('noise', 0.2, ('#b3261e', '#e05a3a'), 0),
    'orange': ('noise', 0.2, ('#d96c0f', '#f59a34'), 1),
    'curtain': ('stripes', 0.4, ('#b9c4c2', '#e4ebe8'), 0),
    'rug': ('plaid', 1.2, ('#7c2f2c', '#e3d3b0'), 0),
    'poster': ('poster', 0.8, ('#20344f', '#f0c070'), 0),
    'print': ('poster', 0.7, ('#7a2030', '#e8e0c8'), 3),
    'painting': ('marble', 1.1, ('#2a5a4a', '#e6d9a8'), 1),
}


def furnished_room() -> Scene:
    """Return the scene."""
    builder = Builder(0)
    look = {
        name: builder.finish(group, period_m, colors, tile=tile)
        for name, (group, period_m, colors, tile) in _FINISHES.items()
    }
    half = (WIDTH_M / 2, LENGTH_M / 2)
    low, high = (-half[0], -half[1], 0.0), (*half, HEIGHT_M)
    builder.room(low, high, look['wall'], look['floor'], look['ceiling'])
    _hang(builder, look)
    _dine(builder, look)
    _rest(builder, look)
    _work(builder, look)
    builder.light((0.0, 0.0, 2.5), (5.0, 4.8, 4.4))
    builder.light((*DINING_AT, 1.6), (2.0, 1.75, 1.4))
    builder.light((0.5, 1.9, 1.7), (2.2, 2.4, 2.8))
    builder.light((-2.9, -2.3, 1.7), (1.4, 1.1, 0.8))
    return builder.scene(((0.22, 0.21, 0.2), (0.34, 0.34, 0.34)), 0.5, 2)


def _hang(b: Builder, look: dict[str, int]) -> None:
    """Put what belongs to the walls."""
    sky = b.finish('noise', 3.0, ('#9fc4e8', '#f2f7ff'), tile=2, glow=1.3)
    home_window(b, NORTH, 0.4, look['white'], sky)
    curtains(b.at(*NORTH.point(0.4, 0, 0)[:2], 0, NORTH.facing), look['curtain'])
    door(
        b.at(*SOUTH.point(0.9, 0, 0)[:2], 0, SOUTH.facing),
        look['white'],
        look['oak'],
        look['steel'],
    )
    for wall, along, size, print_ in (
        (EAST, 1.35, (1.1, 0.75), 'painting'),
        (WEST, -0.2, (0.9, 0.65), 'poster'),
        (SOUTH, -1.9, (1.3, 0.7), 'print'),
    ):
        spot = b.at(*wall.point(along, 0, 0)[:2], 1.6, wall.facing)
        picture(spot, size, look['black'], look[print_])
    for wall in (EAST, WEST, NORTH):
        spot = b.at(*wall.point(0, 0, 0)[:2], 0, wall.facing)
        spot.box((0.01, 0, 0.05), (0.02, wall.span, 0.1), look['white'])


def _dine(b: Builder, look: dict[str, int]) -> None:
    """Put the dining table and its chairs, one of them pulled out."""
    x, y = DINING_AT
    home_table(b.at(x, y), (1.7, 0.9, 0.75), look['oak'], look['oak'])
    for at, yaw in (
        ((-0.42, -0.62), 1.57),
        ((0.42, -0.68), 1.75),
        ((-0.42, 0.62), -1.57),
        ((0.42, 0.62), -1.57),
        ((-1.25, -0.1), 0.35),
    ):
        dining_chair(b.at(x + at[0], y + at[1], 0, yaw), look['walnut'], look['red'])
    for dx in (-0.42, 0.42):
        dishes(b.at(x + dx, y - 0.28, 0.75, math.pi), look['china'], look['teal'])
        dishes(b.at(x + dx, y + 0.28, 0.75), look['china'], look['teal'])
    fruit_bowl(b.at(x + 0.05, y, 0.75), look['china'], [look[n] for n in ('apple', 'orange') * 2])
    vase(b.at(x - 0.45, y, 0.75), look['teal'], look['leaf'], look['mustard'])
    shade = b.finish('fine', 0.5, ('#e8d9b0', '#fff3d0'), glow=1.2)
    hanging_lamp(b.at(x, y, HEIGHT_M), look['black'], shade, 0.85)


def _rest(b: Builder, look: dict[str, int]) -> None:
    """Put the sofa, the armchair and the low table between them, and the shelf."""
    b.at(-1.9, -1.05).box((0, 0, 0.006), (2.4, 1.7, 0.012), look['rug'])
    home_table(b.at(-1.9, -1.0), (1.05, 0.6, 0.42), look['walnut'], look['walnut'])
    b.at(-2.1, -1.0, 0.42, 0.3).box((0, 0, 0.02), (0.22, 0.3, 0.04), look['poster'])
    vase(b.at(-1.6, -0.95, 0.42), look['china'], look['leaf'], look['apple'])
    home_sofa(b.at(-1.9, -2.4, 0, math.pi / 2), 3, look['blue'], look['mustard'], look['walnut'])
    home_sofa(b.at(-3.0, -0.75, 0, 0.15), 1, look['green'], look['mustard'], look['walnut'])
    shade = b.finish('fine', 0.5, ('#f0dcae', '#fff2cc'), glow=1.5)
    floor_lamp(b.at(-3.25, -2.5), look['black'], shade)
    backs = [look[name] for name in ('red', 'blue', 'mustard', 'teal', 'china', 'walnut')]
    things = [look[name] for name in ('clay', 'teal', 'orange')]
    bookcase(b.at(-3.42, 1.3), look['white'], backs, things)


def _work(b: Builder, look: dict[str, int]) -> None:
    """Put the desk and its chair, a sideboard and a plant."""
    screen = b.finish('script', 0.6, ('#123a66', '#9fd0ff'), glow=0.8)
    desk(b.at(3.2, -1.5, 0, math.pi), look['oak'], look['white'], look['black'], screen)
    office_chair(b.at(2.4, -1.6, 0, 0.4), look['gray'], look['black'])
    sideboard(b.at(-1.75, 2.66, 0, -math.pi / 2), look['white'], look['oak'], look['black'])
    potted_plant(b.at(-3.1, 2.4), look['clay'], look['walnut'], look['leaf'])
