"""Generates furnished scenes from seeds."""

import colorsys
import math
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import home_rules, outdoor_rules, work_rules
from .furnished_scene import Daylight, FurnishedScene, Lamp
from .model_roles import ModelShelf
from .room_shell import WALL_M, Opening, Room, choose_finish, outside, shell
from .texture_choice import TextureChoice
from .wall_placement import Furnisher

Rule = Callable[[Furnisher], None]
INDOORS: dict[str, tuple[float, Rule, tuple[float, float], tuple[float, float], float]] = {
    'living': (0.18, home_rules.living, (3.2, 8.5), (3.0, 7.0), 3.1),
    'bedroom': (0.11, home_rules.bedroom, (2.7, 5.5), (2.6, 5.0), 2.9),
    'kitchen': (0.11, home_rules.kitchen, (2.5, 6.5), (2.2, 5.5), 2.9),
    'bathroom': (0.05, home_rules.bathroom, (1.9, 4.5), (1.8, 3.5), 2.8),
    'office': (0.14, work_rules.office, (3.0, 13.0), (3.0, 9.0), 3.4),
    'classroom': (0.07, work_rules.classroom, (5.0, 12.0), (4.5, 10.0), 3.6),
    'hall': (0.10, work_rules.hall, (8.0, 20.0), (6.0, 18.0), 7.0),
    'corridor': (0.07, work_rules.corridor, (6.0, 20.0), (1.4, 3.0), 3.2),
    'store': (0.05, work_rules.store, (2.5, 8.0), (2.5, 7.0), 3.4),
}
"""Share of the views, rules, range of length and width [m], and the highest ceiling [m]."""
OUTDOORS: dict[str, tuple[float, Rule]] = {
    'street': (0.06, outdoor_rules.street),
    'yard': (0.04, outdoor_rules.yard),
    'parking': (0.02, outdoor_rules.parking),
}


def generate(seed: int, shelf: ModelShelf, textures: TextureChoice) -> FurnishedScene:
    """Return the scene of a seed."""
    rng = random.Random(f'furnished {seed}')
    kinds = {**INDOORS, **OUTDOORS}
    kind = rng.choices(list(kinds), [row[0] for row in kinds.values()])[0]
    if kind in OUTDOORS:
        return _outdoors(rng, kind, shelf, textures)
    return _indoors(rng, kind, shelf, textures)


def _outdoors(
    rng: random.Random, kind: str, shelf: ModelShelf, textures: TextureChoice
) -> FurnishedScene:
    high = rng.uniform(0.15, 1.3)
    azimuth = rng.uniform(-math.pi, math.pi)
    sun = (
        math.cos(high) * math.cos(azimuth),
        math.cos(high) * math.sin(azimuth),
        math.sin(high),
    )
    sky = _daylight(rng)
    overcast = sky.clouds > 0.75
    warm = 0.55 + 0.4 * min(1.0, high)
    strength = 0.25 if overcast else 2.2
    color = (strength, strength * (0.6 + 0.4 * warm), strength * warm)
    half_y = 9.0 if kind != 'street' else 7.0
    scene = FurnishedScene(
        kind=kind,
        bounds=np.array([[-20.0, -half_y, 0.0], [20.0, half_y, 8.0]]),
        daylight=sky,
        ambient=(_scaled(sky.zenith, 0.7), (0.18, 0.17, 0.15)),
        sun=True,
        main_light=sun,
        main_color=color,
        enclosed=False,
    )
    place = Room((-20.0, -half_y), (20.0, half_y), 30.0)
    OUTDOORS[kind][1](Furnisher(rng, scene, place, shelf, textures))
    return scene


def _indoors(
    rng: random.Random, kind: str, shelf: ModelShelf, textures: TextureChoice
) -> FurnishedScene:
    room = _room(rng, kind, (0.0, 0.0), shelf)
    rooms = [(kind, room)]
    if rng.random() < 0.35:
        room, other_kind, other = _next_room(rng, room, shelf)
        rooms = [(kind, room), (other_kind, other)]
    sky = _daylight(rng)
    windows = [o for _, r in rooms for o in r.openings if o.kind == 'window']
    by_sun = bool(windows) and rng.random() < 0.45
    bright = rng.uniform(0.12, 0.5)
    warmth = rng.uniform(0.75, 1.05)
    ambient = (bright, bright * (1 + warmth) / 2, bright * warmth)
    scene = FurnishedScene(
        kind=kind,
        bounds=np.array([(*room.low, 0.0), (*room.high, room.height)]),
        daylight=sky,
        ambient=(ambient, _scaled(ambient, rng.uniform(0.5, 0.9))),
        sun=by_sun,
        main_light=_sun_through(rng, windows) if by_sun else _lamp_place(rng, room),
        main_color=(2.5, 2.3, 2.0) if by_sun else _warm(rng, rng.uniform(1.0, 4.0)),
        enclosed=len(rooms) == 1,
    )
    for place_kind, place in rooms:
        _furnish(rng, scene, place_kind, place, shelf, textures)
        lamp = _lamp_place(rng, place)
        scene.lamps.append(Lamp(lamp, _warm(rng, rng.uniform(0.2, 2.0))))
    if windows:
        ground = rng.choice((0.0, 0.0, rng.uniform(2.8, 12)))
        scene.surfaces += outside(rng, textures, room, ground)
    return scene


def _furnish(
    rng: random.Random,
    scene: FurnishedScene,
    kind: str,
    room: Room,
    shelf: ModelShelf,
    textures: TextureChoice,
) -> None:
    scene.surfaces += shell(room, choose_finish(rng, textures, kind))
    furnisher = Furnisher(rng, scene, room, shelf, textures)
    for opening in room.openings:
        furnisher.fill_opening(opening)
    INDOORS[kind][1](furnisher)
    if kind not in ('bathroom', 'corridor'):
        home_rules.fill(furnisher)


def _room(rng: random.Random, kind: str, low: tuple[float, float], shelf: ModelShelf) -> Room:
    _, _, lengths, widths, tallest = INDOORS[kind]
    length, width = rng.uniform(*lengths), rng.uniform(*widths)
    if rng.random() < 0.5:
        length, width = width, length
    height = rng.uniform(2.35 if tallest < 5 else 3.2, tallest)
    room = Room(low, (low[0] + length, low[1] + width), height)
    openings: list[Opening] = []
    outer = rng.sample(range(4), rng.choice((0, 1, 1, 2)))
    for side in range(4):
        kinds = ['window'] * rng.randrange(1, 4) if side in outer else []
        kinds += ['door'] * (rng.random() < 0.45)
        if kind == 'corridor' and room.length(side) > 4:
            kinds = ['door'] * rng.randrange(1, 5)
        openings += _openings(rng, room, side, kinds, shelf)
    return replace(room, openings=tuple(openings))


def _openings(
    rng: random.Random, room: Room, side: int, kinds: list[str], shelf: ModelShelf
) -> list[Opening]:
    """Return openings of the sizes of models, each in its share of a wall."""
    found = []
    share = room.length(side) / max(1, len(kinds))
    rng.shuffle(kinds)
    for number, kind in enumerate(kinds):
        model = shelf.pick(rng, kind)
        if model is None:
            continue
        width, _, height = shelf.models[model].size
        bottom = shelf.models[model].entry.elevation if kind == 'window' else 0.0
        if width + 0.4 > share or bottom + height > room.height - 0.05:
            continue
        start = number * share + rng.uniform(0.15, share - width - 0.15)
        found.append(Opening(side, start, width, bottom, bottom + height, kind, model))
    return found


def _next_room(rng: random.Random, room: Room, shelf: ModelShelf) -> tuple[Room, str, Room]:
    """Return the room with a passage in its wall at high x, and a room behind that."""
    kind = rng.choice(('living', 'kitchen', 'bedroom', 'office', 'corridor', 'store'))
    width = min(rng.uniform(0.8, 2.4), room.length(1) - 0.5)
    start = rng.uniform(0.2, room.length(1) - width - 0.2)
    top = min(room.height - 0.05, rng.uniform(2.0, 2.6))
    passage = Opening(1, start, width, 0.0, top, 'passage')
    kept = tuple(o for o in room.openings if o.side != 1)
    other = _room(rng, kind, (room.high[0] + WALL_M, 0.0), shelf)
    middle = room.low[1] + start + width / 2
    half = other.length(1) / 2
    shift = max(-(half - width / 2 - 0.1), min(half - width / 2 - 0.1, rng.gauss(0, 0.5)))
    low_y = middle - half + shift
    back = Opening(3, low_y + 2 * half - (room.low[1] + start + width), width, 0.0, top, 'passage')
    other = Room(
        (other.low[0], low_y),
        (other.high[0], low_y + 2 * half),
        max(other.height, top + 0.05),
        (*(o for o in other.openings if o.side != 3), back),
    )
    return replace(room, openings=(*kept, passage)), kind, other


def _lamp_place(rng: random.Random, room: Room) -> tuple[float, float, float]:
    x = rng.uniform(
        0.75 * room.low[0] + 0.25 * room.high[0], 0.25 * room.low[0] + 0.75 * room.high[0]
    )
    y = rng.uniform(
        0.75 * room.low[1] + 0.25 * room.high[1], 0.25 * room.low[1] + 0.75 * room.high[1]
    )
    return x, y, room.height - rng.uniform(0.1, 0.6)


def _sun_through(rng: random.Random, windows: list[Opening]) -> tuple[float, float, float]:
    """Return the direction of a sun that shines through one of the windows."""
    outward = rng.choice(windows).side * math.pi / 2 - math.pi / 2
    azimuth, high = outward + rng.gauss(0, 0.5), rng.uniform(0.2, 0.9)
    return (
        math.cos(high) * math.cos(azimuth),
        math.cos(high) * math.sin(azimuth),
        math.sin(high),
    )


def _daylight(rng: random.Random) -> Daylight:
    blue = colorsys.hsv_to_rgb(rng.uniform(0.55, 0.63), rng.uniform(0.1, 0.7), rng.uniform(0.5, 1))
    pale = colorsys.hsv_to_rgb(rng.uniform(0.5, 0.65), rng.uniform(0, 0.2), rng.uniform(0.8, 1.3))
    return Daylight(_scaled(blue, 0.9), pale, rng.random(), rng.randrange(1 << 30))


def _warm(rng: random.Random, strength: float) -> tuple[float, float, float]:
    warmth = rng.uniform(0.6, 1.0)
    return strength, strength * (0.3 + 0.7 * warmth), strength * warmth


def _scaled(color: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    red, green, blue = (factor * cell for cell in color)
    return red, green, blue
