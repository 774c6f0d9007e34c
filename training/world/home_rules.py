"""How rooms of a home are furnished."""

import math

from .placement import PlacedModel
from .wall_placement import Furnisher


def living(f: Furnisher) -> None:
    """Sofa with a table before it, television, shelves, plants, perhaps a dining table."""
    if f.rng.random() < 0.5:
        dining(f)
    for _ in range(f.rng.choice((1, 1, 2))):
        sofa = f.against_wall('sofa')
        if sofa is not None:
            seating(f, sofa)
    television(f)
    for _ in range(f.rng.randrange(1, 4)):
        shelf = f.against_wall(f.rng.choice(('bookcase', 'bookcase', 'sideboard')))
        scatter(f, shelf, ('small_thing', 'small_plant', 'table_lamp'), 2)
    for role in ('floor_plant', 'floor_lamp', 'armchair', 'floor_thing', 'chair'):
        if f.rng.random() < 0.55:
            f.anywhere(role, any_yaw=role != 'armchair')
    people(f, 0.25)
    on_the_walls(f)


def seating(f: Furnisher, sofa: PlacedModel) -> None:
    """Rug, coffee table and armchairs before a sofa."""
    front = sofa.size[1] / 2
    if f.rng.random() < 0.6:
        f.beside(sofa, 'rug', f.rng.gauss(0, 0.2), front + 0.1, 0.0, solid=False)
    if f.rng.random() < 0.8:
        gap = f.rng.uniform(0.3, 0.6)
        table = f.beside(sofa, 'coffee_table', f.rng.gauss(0, 0.1), front + gap, 0.0)
        scatter(f, table, ('small_thing', 'kitchen_thing', 'small_plant'), f.rng.randrange(1, 5))
    for right in (-1, 1):
        if f.rng.random() < 0.45:
            across = right * (sofa.size[0] / 2 + f.rng.uniform(0.1, 0.5))
            turn = right * f.rng.uniform(0.6, 1.6)
            f.beside(sofa, 'armchair', across, front + 0.4, turn)
        if f.rng.random() < 0.3:
            f.beside(sofa, 'floor_lamp', right * (sofa.size[0] / 2 + 0.35), -0.1, 0.0)
    if f.rng.random() < 0.15:
        f.beside(sofa, 'person_sitting', f.rng.uniform(-0.4, 0.4), -0.1, 0.0, solid=False)


def television(f: Furnisher) -> None:
    """A sideboard with a television on it."""
    board = f.against_wall('sideboard')
    if board is not None and board.size[2] < 0.9:
        f.on_top(board, 'tv')


def dining(f: Furnisher) -> None:
    """A table with chairs around it, laid or not."""
    table = f.anywhere('table', any_yaw=False)
    if table is None:
        return
    chairs_around(f, table, 'chair')
    kinds = ('kitchen_thing', 'kitchen_thing', 'small_plant', 'small_thing')
    scatter(f, table, kinds, f.rng.randrange(1, 7))


def chairs_around(f: Furnisher, table: PlacedModel, role: str) -> None:
    """Chairs at the four sides of a table, all of one model, some pulled out."""
    index = f.shelf.pick(f.rng, role)
    if index is None:
        return
    wide, deep, _ = f.shelf.models[index].size
    places: list[tuple[float, float, float]] = []
    per_side = max(1, int(table.size[0] / (wide + 0.1)))
    for k in range(per_side):
        across = (k - (per_side - 1) / 2) * (table.size[0] / per_side)
        ahead = table.size[1] / 2 + deep * f.rng.uniform(0.0, 0.5)
        places += [(across, ahead, math.pi), (across, -ahead, 0.0)]
    if table.size[1] > 0.7:
        side = table.size[0] / 2 + deep * f.rng.uniform(0.1, 0.5)
        places += [(side, 0.0, math.pi / 2), (-side, 0.0, -math.pi / 2)]
    c, s = math.cos(table.yaw), math.sin(table.yaw)
    for u, v, turn in places:
        if f.rng.random() < 0.15:
            continue
        x, y = table.x + c * u - s * v, table.y + s * u + c * v
        if f.room.low[0] + 0.3 < x < f.room.high[0] - 0.3 and (
            f.room.low[1] + 0.3 < y < f.room.high[1] - 0.3
        ):
            f.put(index, role, x, y, table.yaw + turn + f.rng.gauss(0, 0.12))


def bedroom(f: Furnisher) -> None:
    """Bed with bedside tables, wardrobe, perhaps a desk."""
    bed = f.against_wall('bed')
    if bed is not None:
        for right in (-1, 1):
            across = right * (bed.size[0] / 2 + 0.3)
            table = f.beside(bed, 'bedside', across, -bed.size[1] / 2 + 0.45, 0.0)
            scatter(f, table, ('table_lamp', 'small_thing'), 2)
        if f.rng.random() < 0.5:
            f.beside(bed, 'rug', f.rng.gauss(0, 0.5), bed.size[1] / 4, 0.0, solid=False)
        scatter(f, bed, ('small_thing',), f.rng.randrange(2))
        if f.rng.random() < 0.1:
            f.beside(bed, 'person_lying', 0.0, -0.9, 0.0, solid=False)
    for role in ('cupboard', 'cupboard', 'sideboard', 'bookcase'):
        if f.rng.random() < 0.65:
            scatter(f, f.against_wall(role), ('small_thing',), 2)
    if f.rng.random() < 0.4:
        workplace(f, f.against_wall('desk'))
    for role in ('chair', 'floor_thing', 'floor_thing', 'floor_plant', 'floor_lamp', 'armchair'):
        if f.rng.random() < 0.45:
            f.anywhere(role)
    people(f, 0.15)
    on_the_walls(f)


def workplace(f: Furnisher, desk: PlacedModel | None) -> None:
    """Things on a desk and a chair before it."""
    if desk is None:
        return
    scatter(f, desk, ('small_thing', 'tv', 'small_thing', 'table_lamp'), f.rng.randrange(2, 6))
    turn = math.pi + f.rng.gauss(0, 0.4)
    pulled = desk.size[1] / 2 - f.rng.uniform(0.0, 0.25)
    f.beside(desk, 'office_chair', f.rng.gauss(0, 0.15), pulled, turn)


def kitchen(f: Furnisher) -> None:
    """Rows of units along walls with others above, and a place to eat."""
    first = f.rng.randrange(4)
    for side in ((first,), (first, (first + 1) % 4), (first, (first + 2) % 4))[f.rng.randrange(3)]:
        kitchen_row(f, side)
    if f.rng.random() < 0.3:
        island = f.anywhere('kitchen_island', any_yaw=False)
        scatter(f, island, ('kitchen_thing',), f.rng.randrange(4))
    if f.rng.random() < 0.6:
        dining(f)
    for role in ('bar_stool', 'bar_stool', 'floor_thing', 'kitchen_tall', 'floor_plant'):
        if f.rng.random() < 0.35:
            f.anywhere(role) if role != 'kitchen_tall' else f.against_wall(role)
    people(f, 0.2)
    on_the_walls(f)


def kitchen_row(f: Furnisher, side: int) -> None:
    """Units in a row from one corner of a wall, upper ones above them."""
    length = f.room.length(side)
    along = f.rng.uniform(0.02, 0.5)
    while along < length - 0.4:
        role = 'kitchen_tall' if f.rng.random() < 0.12 else 'kitchen_unit'
        index = f.shelf.pick(f.rng, role)
        if index is None:
            return
        wide = f.shelf.models[index].size[0]
        unit = f.stand_at(index, role, side, along + wide / 2)
        if unit is None:
            along += 0.35
            continue
        if role == 'kitchen_unit':
            scatter(f, unit, ('kitchen_thing',), f.rng.randrange(3))
            if f.rng.random() < 0.6:
                f.hang_at('kitchen_upper', side, along + wide / 2)
        along += wide + 0.005


def bathroom(f: Furnisher) -> None:
    """Bath or shower, toilet, washbasin."""
    for role in ('bath', 'washbasin', 'toilet', 'washbasin', 'toilet'):
        placed = f.against_wall(role)
        if role == 'washbasin':
            scatter(f, placed, ('small_thing',), 1)
    for role in ('floor_thing', 'small_thing', 'floor_plant', 'kitchen_unit'):
        if f.rng.random() < 0.4:
            f.anywhere(role)
    if f.rng.random() < 0.6:
        f.anywhere('rug', any_yaw=False)
    people(f, 0.1)
    on_the_walls(f)


def scatter(f: Furnisher, carrier: PlacedModel | None, roles: tuple[str, ...], count: int) -> None:
    """Put some things on a carrier that may be missing."""
    if carrier is None:
        return
    for _ in range(count):
        f.on_top(carrier, f.rng.choice(roles))


def people(f: Furnisher, chance: float) -> None:
    """Somebody stands around, or an animal."""
    while f.rng.random() < chance:
        f.anywhere('person' if f.rng.random() < 0.8 else 'animal')


def on_the_walls(f: Furnisher) -> None:
    """Pictures, radiators, switches, lamps, and a lamp at the ceiling."""
    for _ in range(f.rng.randrange(5)):
        f.picture()
    for _ in range(f.rng.randrange(4)):
        f.on_wall('wall_thing')
    if f.rng.random() < 0.4:
        f.against_wall('radiator')
    f.curtains()
    f.at_ceiling('ceiling_lamp')


def fill(f: Furnisher) -> None:
    """More of everything, by the size of the room."""
    wide, deep = f.room.length(0), f.room.length(1)
    along = (
        'bookcase',
        'sideboard',
        'cupboard',
        'chair',
        'armchair',
        'floor_plant',
        'office_unit',
    )
    for _ in range(round(f.rng.uniform(0.0, 1.0) * (wide + deep) / 3)):
        placed = f.against_wall(f.rng.choice(along))
        if placed is not None and placed.size[2] < 1.4:
            scatter(f, placed, ('small_thing', 'small_plant', 'table_lamp'), f.rng.randrange(3))
    loose = ('floor_thing', 'floor_thing', 'chair', 'floor_plant', 'armchair', 'small_thing')
    loose += ('coffee_table', 'table', 'floor_lamp', 'kitchen_thing', 'bar_stool')
    for _ in range(round(f.rng.uniform(0.0, 1.0) * wide * deep / 4)):
        f.anywhere(f.rng.choice(loose), any_yaw=f.rng.random() < 0.6)
