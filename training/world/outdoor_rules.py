"""How streets, yards and parking lots look."""

import math

import numpy as np

from .furnished_scene import quad
from .home_rules import chairs_around, scatter
from .room_shell import house
from .wall_placement import Furnisher

REACH_M = 70.0
"""Where the ground ends, out of sight behind houses and in the haze."""


def street(f: Furnisher) -> None:
    """Road with sidewalks, houses on both sides, cars, trees, lamps and people."""
    road, walk = f.rng.uniform(2.6, 5.5), f.rng.uniform(1.5, 4.0)
    edge = road + walk
    _ground(f, 'grass' if f.rng.random() < 0.5 else 'pavement')
    _strip(f, -road, road, 0.0, f.textures.pick(f.rng, 'asphalt'), 3.0)
    slabs = f.textures.pick(f.rng, 'pavement', 'concrete', 'tiles')
    for low, high in ((road, edge), (-edge, -road)):
        _strip(f, low, high, 0.12, slabs, f.rng.uniform(1.0, 2.5))
    if f.rng.random() < 0.7:
        _dashes(f)
    for sign in (-1, 1):
        _row_of_houses(f, sign, edge + f.rng.choice((0.0, 0.0, f.rng.uniform(1, 8))))
        parked = f.rng.random() < 0.75
        x = -40.0
        while x < 40:
            if parked and f.rng.random() < 0.6:
                _car(f, x, sign * (road - 1.15), sign)
            x += f.rng.uniform(5.3, 8.0)
        _along_walk(f, sign, road, edge)
    for _ in range(f.rng.randrange(4)):
        sign = f.rng.choice((-1, 1))
        _car(f, f.rng.uniform(-40, 40), sign * road * 0.35, sign)
    _crowd(f, 10, road)


def _car(f: Furnisher, x: float, y: float, sign: int) -> None:
    role = 'large_vehicle' if f.rng.random() < 0.06 else 'car'
    model = f.shelf.pick(f.rng, role)
    if model is not None:
        yaw = sign * math.pi / 2 + f.rng.gauss(0, 0.03) + math.pi * (f.rng.random() < 0.15)
        f.put_if_free(model, role, x, y, yaw)


def _along_walk(f: Furnisher, sign: int, road: float, edge: float) -> None:
    step = f.rng.uniform(5, 15)
    kinds = ('street_lamp', 'tree', 'street_thing', 'tree', 'garden_seat', 'small_vehicle')
    x = -38 + f.rng.uniform(0, 5)
    while x < 38:
        role = f.rng.choice(kinds)
        model = f.shelf.pick(f.rng, role)
        if model is not None and f.rng.random() < 0.8:
            y = sign * (road + 0.5 if role in ('street_lamp', 'tree') else edge - 0.6)
            f.put(model, role, x, y, math.pi / 2 * (1 + sign), 0.12, scale=f.rng.uniform(0.6, 1))
        x += step * f.rng.uniform(0.6, 1.4)


def _row_of_houses(f: Furnisher, sign: int, start: float) -> None:
    x = -65.0
    while x < 65:
        wide, deep = f.rng.uniform(6, 18), f.rng.uniform(6, 12)
        if f.rng.random() < 0.85:
            front = f.textures.pick(f.rng, 'facade')
            story = f.rng.uniform(2.7, 3.4)
            high = story * f.rng.randrange(1, 6)
            f.building(x + wide / 2, sign * (start + deep / 2), (wide, deep, high), front, story)
            door = f.shelf.pick(f.rng, 'door')
            if door is not None:
                yaw = 0.0 if sign < 0 else math.pi
                f.put(door, 'door', x + wide * f.rng.uniform(0.2, 0.8), sign * start, yaw, 0.1)
        elif (tree := f.shelf.pick(f.rng, 'tree')) is not None:
            f.put(tree, 'tree', x + wide / 2, sign * (start + 4), f.rng.uniform(0, 6))
        x += wide + f.rng.choice((0.0, 0.0, f.rng.uniform(0.5, 5)))


def yard(f: Furnisher) -> None:
    """Lawn or terrace behind a house, with hedges, trees, chairs and toys."""
    _ground(f, 'grass' if f.rng.random() < 0.75 else 'pavement')
    wall = f.rng.uniform(4, 9)
    story = f.rng.uniform(2.7, 3.3)
    front = f.textures.pick(f.rng, 'facade')
    f.building(
        0.0, wall + 4, (f.rng.uniform(9, 20), 8.0, story * f.rng.randrange(1, 4)), front, story
    )
    for role in ('door', 'window', 'window', 'garage_door'):
        model = f.shelf.pick(f.rng, role)
        if model is not None:
            z = f.shelf.models[model].entry.elevation
            f.put(model, role, f.rng.uniform(-7, 7), wall, math.pi, z)
    if f.rng.random() < 0.6:
        terrace = f.textures.pick(f.rng, 'pavement', 'planks', 'tiles')
        _strip(f, wall - f.rng.uniform(2, 4), wall, 0.03, terrace, 1.5, f.rng.uniform(3, 9))
    _hedges(f)
    table = f.anywhere('garden_table')
    if table is not None:
        chairs_around(f, table, 'garden_seat')
        scatter(f, table, ('kitchen_thing', 'small_plant'), 3)
    kinds = ('tree', 'shrub', 'garden_seat', 'yard_thing', 'yard_thing', 'shrub', 'small_vehicle')
    for _ in range(f.rng.randrange(5, 22)):
        f.anywhere(f.rng.choice(kinds))
    if f.rng.random() < 0.4:
        f.anywhere('car')
    _around(f, 12)
    _crowd(f, 4, 8.0)


def _hedges(f: Furnisher) -> None:
    """Rows of one shrub, or a fence, along the sides."""
    model = f.shelf.pick(f.rng, 'shrub')
    if model is None:
        return
    wide = f.shelf.models[model].size[0]
    for x in (f.room.low[0] + 1, f.room.high[0] - 1):
        if f.rng.random() < 0.5:
            tall = (0.06, f.room.high[1] - f.room.low[1], f.rng.uniform(0.8, 2.0))
            f.block(x, 0.0, 0.0, tall, (0.35, 0.25, 0.15))
            continue
        y = f.room.low[1]
        while y < f.room.high[1]:
            f.put(model, 'shrub', x, y, math.pi / 2)
            y += max(0.5, wide * 0.9)


def parking(f: Furnisher) -> None:
    """Rows of cars before large buildings."""
    _ground(f, 'asphalt' if f.rng.random() < 0.7 else 'concrete')
    for row in range(f.rng.randrange(1, 4)):
        y = -12.0 + 11 * row
        x = -30.0
        while x < 30:
            marking = np.array([(x - 0.05, y - 2.4), (x + 0.05, y - 2.4), (x + 0.05, y + 2.4)])
            corners = np.vstack([marking, [(x - 0.05, y + 2.4)]])
            flat = np.column_stack([corners, np.full(4, 0.01)])
            f.scene.surfaces.append(quad(flat, -1, 1.0, (0.8, 0.8, 0.75)))
            if f.rng.random() < 0.6:
                model = f.shelf.pick(f.rng, 'car')
                if model is not None:
                    yaw = math.pi * f.rng.randrange(2) + f.rng.gauss(0, 0.03)
                    f.put_if_free(model, 'car', x + 1.3, y + f.rng.gauss(0, 0.2), yaw)
            x += 2.6
    for _ in range(f.rng.randrange(3, 12)):
        f.anywhere(f.rng.choice(('tree', 'street_lamp', 'street_thing', 'shrub', 'small_vehicle')))
    _around(f, 12)
    _crowd(f, 8, 14.0)


def _around(f: Furnisher, count: int) -> None:
    """Houses and trees in the distance."""
    for _ in range(f.rng.randrange(count)):
        angle, distance = f.rng.uniform(-math.pi, math.pi), f.rng.uniform(24, 60)
        x, y = distance * math.cos(angle), distance * math.sin(angle)
        if f.rng.random() < 0.5:
            f.scene.surfaces.append(house(f.rng, f.textures, x, y, 0.0))
        elif (tree := f.shelf.pick(f.rng, 'tree')) is not None:
            f.put(tree, 'tree', x, y, angle)


def _crowd(f: Furnisher, most: int, wide: float) -> None:
    for _ in range(f.rng.randrange(most)):
        role = 'person' if f.rng.random() < 0.85 else 'animal'
        model = f.shelf.pick(f.rng, role)
        if model is not None:
            x, y = f.rng.uniform(-18, 18), f.rng.uniform(-wide, wide)
            f.put_if_free(model, role, x, y, f.rng.uniform(-math.pi, math.pi))


def _ground(f: Furnisher, kind: str) -> None:
    layer = f.textures.pick(f.rng, kind)
    corners = REACH_M * np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) - (0, 0, 0.02)
    f.scene.surfaces.append(quad(corners, layer, f.rng.uniform(1.5, 4.0)))


def _strip(
    f: Furnisher, low: float, high: float, z: float, layer: int, tile: float, half: float = REACH_M
) -> None:
    """Add a strip of ground along x, with its edges if it is raised."""
    ends = np.array([(-half, low, z), (half, low, z), (half, high, z), (-half, high, z)])
    f.scene.surfaces.append(quad(ends, layer, tile))
    for y in (low, high):
        if z > 0.05:
            side = np.array([(-half, y, 0), (half, y, 0), (half, y, z), (-half, y, z)])
            f.scene.surfaces.append(quad(side, -1, 1.0, (0.4, 0.4, 0.4)))


def _dashes(f: Furnisher) -> None:
    for x in range(-66, 66, 6):
        ends = np.array([(x, -0.07), (x + 3, -0.07), (x + 3, 0.07), (x, 0.07)])
        flat = np.column_stack([ends, np.full(4, 0.01)])
        f.scene.surfaces.append(quad(flat, -1, 1.0, (0.8, 0.8, 0.78)))
