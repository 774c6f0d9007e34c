"""Rooms: floor, ceiling, walls with openings, skirting, and what is seen through windows."""

import itertools
import math
import random
from dataclasses import dataclass

import numpy as np

from .furnished_scene import box, quad
from .texture_choice import TextureChoice

WALL_M = 0.2
"""Thickness of walls."""
_SIDES = ((0, 0, 1, 0), (1, 0, 0, 1), (1, 1, -1, 0), (0, 1, 0, -1))
"""Of each wall: corner where it starts (0 = low, 1 = high in x and y), and its direction."""


@dataclass(frozen=True)
class Opening:
    """A hole in a wall, in meters along it and above the floor.

    Attributes:
        side: Wall 0..3: low y, high x, high y, low x.
        start: Where it begins, seen from the wall's start.
        width: Along the wall.
        bottom: Above the floor.
        top: Above the floor.
        kind: door, window or passage.
        model: What fills it; -1 for nothing.
    """

    side: int
    start: float
    width: float
    bottom: float
    top: float
    kind: str
    model: int = -1


@dataclass(frozen=True)
class Room:
    """An upright box with the floor at z = 0.

    Attributes:
        low: (x, y) of one corner [m].
        high: (x, y) of the other [m].
        height: Of the ceiling [m].
        openings: Holes in its walls.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    height: float
    openings: tuple[Opening, ...] = ()

    def length(self, side: int) -> float:
        """Return the length of a wall [m]."""
        return abs(self.high[side % 2] - self.low[side % 2])

    def wall_point(
        self, side: int, along: float, z: float, inward: float = 0.0
    ) -> tuple[float, float, float]:
        """Return a point of a wall, or `inward` meters in front of it."""
        corner_x, corner_y, dx, dy = _SIDES[side]
        x = (self.low[0], self.high[0])[corner_x] + dx * along - dy * inward
        y = (self.low[1], self.high[1])[corner_y] + dy * along + dx * inward
        return x, y, z


@dataclass(frozen=True)
class Finish:
    """Textures of a room by layer, and their sizes [m]."""

    walls: tuple[int, int, int, int]
    wall_tile: float
    floor: int
    floor_tile: float
    floor_gloss: float
    ceiling: int
    skirting: tuple[float, float, float]


def choose_finish(rng: random.Random, textures: TextureChoice, kind: str) -> Finish:
    """Return what the walls, the floor and the ceiling of a kind of room look like."""
    walls = {
        'bathroom': ('tiles', 'tiles', 'paint', 'marble'),
        'kitchen': ('paint', 'paint', 'tiles', 'wallpaper'),
        'hall': ('brick', 'concrete', 'paint'),
        'bedroom': ('paint', 'wallpaper', 'paint'),
        'living': ('paint', 'paint', 'wallpaper', 'brick'),
    }.get(kind, ('paint', 'paint', 'paint', 'concrete', 'brick'))
    floors = {
        'bathroom': ('tiles', 'marble'),
        'kitchen': ('tiles', 'planks', 'marble'),
        'hall': ('concrete', 'tiles', 'asphalt'),
        'bedroom': ('planks', 'fabric'),
        'living': ('planks', 'planks', 'fabric', 'tiles'),
    }.get(kind, ('fabric', 'tiles', 'concrete', 'planks', 'marble'))
    main = textures.pick(rng, *walls)
    accent = textures.pick(rng, *walls) if rng.random() < 0.25 else main
    return Finish(
        walls=(main, accent, main, main),
        wall_tile=rng.uniform(0.8, 2.0),
        floor=textures.pick(rng, *floors),
        floor_tile=rng.uniform(0.8, 2.2),
        floor_gloss=rng.choice((0.05, 0.15, 0.4)),
        ceiling=textures.pick(rng, 'paint') if rng.random() < 0.35 else -1,
        skirting=(rng.uniform(0.1, 0.9),) * 3,
    )


def shell(room: Room, finish: Finish) -> list[np.ndarray]:
    """Return the surfaces of a room, seen from inside."""
    (a, b), (c, d), h = room.low, room.high, room.height
    floor = np.array([(a, b, 0), (c, b, 0), (c, d, 0), (a, d, 0)])
    parts = [quad(floor, finish.floor, finish.floor_tile, gloss=finish.floor_gloss)]
    parts.append(quad(np.add(floor[::-1], (0, 0, h)), finish.ceiling, 2.0, (0.85, 0.85, 0.83)))
    for side in range(4):
        parts += _wall(room, finish, side)
    return parts


def _wall(room: Room, finish: Finish, side: int) -> list[np.ndarray]:
    parts = []
    openings = sorted((o for o in room.openings if o.side == side), key=lambda o: o.start)
    cuts = [0.0]
    for opening in openings:
        cuts += [opening.start, opening.start + opening.width]
        left, right = opening.start, opening.start + opening.width
        parts.append(_panel(room, finish, side, left, right, 0.0, opening.bottom))
        parts.append(_panel(room, finish, side, left, right, opening.top, room.height))
        parts += _reveal(room, opening, finish)
    cuts.append(room.length(side))
    for left, right in zip(cuts[::2], cuts[1::2], strict=True):
        parts.append(_panel(room, finish, side, left, right, 0.0, room.height))
        if right - left > 0.1:
            ends = room.wall_point(side, left, 0.0), room.wall_point(side, right, 0.0, 0.015)
            low = min(ends[0][0], ends[1][0]), min(ends[0][1], ends[1][1]), 0.0
            high = max(ends[0][0], ends[1][0]), max(ends[0][1], ends[1][1]), 0.08
            parts.append(box(low, high, -1, 1.0, finish.skirting))
    return [part for part in parts if len(part)]


def _panel(
    room: Room, finish: Finish, side: int, left: float, right: float, low: float, high: float
) -> np.ndarray:
    if right - left < 1e-3 or high - low < 1e-3:
        return np.zeros(0, quad(np.eye(4, 3), -1, 1.0).dtype)
    corners = [(left, low), (right, low), (right, high), (left, high)]
    points = np.array([room.wall_point(side, along, z) for along, z in corners])
    part = quad(points, finish.walls[side], finish.wall_tile)
    part['uv'] += np.float32((left / finish.wall_tile, -low / finish.wall_tile))
    return part


def _reveal(room: Room, opening: Opening, finish: Finish) -> list[np.ndarray]:
    """Return the four faces inside an opening."""
    left, right = opening.start, opening.start + opening.width
    ring = [(left, opening.bottom), (right, opening.bottom), (right, opening.top)]
    ring += [(left, opening.top), (left, opening.bottom)]
    faces = []
    for (along, z), (along_2, z_2) in itertools.pairwise(ring):
        near = room.wall_point(opening.side, along, z), room.wall_point(opening.side, along_2, z_2)
        far = [
            room.wall_point(opening.side, u, w, -WALL_M) for u, w in ((along_2, z_2), (along, z))
        ]
        faces.append(quad(np.array([*near, *far]), -1, 1.0, finish.skirting))
    return faces


def outside(
    rng: random.Random, textures: TextureChoice, room: Room, ground: float
) -> list[np.ndarray]:
    """Return what windows look at: ground `ground` meters below, and houses across the street."""
    layer = textures.pick(rng, 'grass', 'asphalt', 'pavement')
    corners = np.array([(-90, -90), (90, -90), (90, 90), (-90, 90)])
    parts = []
    hole = np.array(
        [[room.low[0] - 0.5, room.low[1] - 0.5], [room.high[0] + 0.5, room.high[1] + 0.5]]
    )
    z = -ground if ground > 1 else -0.05
    plane = np.column_stack([corners, np.full(4, z)]).astype(float)
    parts.append(quad(plane, layer, 3.0))
    for _ in range(rng.randrange(4, 14)):
        angle, distance = rng.uniform(-math.pi, math.pi), rng.uniform(10, 60)
        x = hole.mean(axis=0)[0] + (distance + np.ptp(hole[:, 0]) / 2) * math.cos(angle)
        y = hole.mean(axis=0)[1] + (distance + np.ptp(hole[:, 1]) / 2) * math.sin(angle)
        parts.append(house(rng, textures, x, y, z))
    return parts


def house(rng: random.Random, textures: TextureChoice, x: float, y: float, z: float) -> np.ndarray:
    """Return a house of some stories around a point of the ground."""
    story, stories = rng.uniform(2.6, 3.4), rng.randrange(1, 7)
    wide, deep = (story * rng.randrange(2, 7) / 2 for _ in range(2))
    front = textures.pick(rng, 'facade')
    walls = box((x - wide, y - deep, z), (x + wide, y + deep, z + story * stories), front, story)
    walls['look'][24:, 0] = textures.pick(rng, 'concrete')
    return walls
