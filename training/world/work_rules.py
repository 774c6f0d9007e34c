"""How offices, classrooms, halls, corridors and stores are furnished."""

import math

from .home_rules import chairs_around, on_the_walls, people, scatter, workplace
from .wall_placement import Furnisher


def office(f: Furnisher) -> None:
    """Desks in rows or along the walls, cupboards, plants."""
    if f.rng.random() < 0.5:
        _grid_of_desks(f)
    for _ in range(f.rng.randrange(1, 5)):
        workplace(f, f.against_wall('desk'))
    for role in ('bookcase', 'bookcase', 'office_unit', 'office_unit', 'sideboard'):
        if f.rng.random() < 0.6:
            scatter(f, f.against_wall(role), ('small_thing', 'small_plant'), 1)
    for role in ('floor_plant', 'floor_thing', 'office_chair', 'office_unit', 'table'):
        if f.rng.random() < 0.5:
            f.anywhere(role)
    people(f, 0.45)
    on_the_walls(f)


def _grid_of_desks(f: Furnisher) -> None:
    index = f.shelf.pick(f.rng, 'desk')
    if index is None:
        return
    wide, deep, _ = f.shelf.models[index].size
    yaw = math.pi / 2 * f.rng.randrange(4)
    step_x, step_y = wide + f.rng.uniform(0.1, 1.2), deep + f.rng.uniform(1.1, 1.8)
    if abs(math.sin(yaw)) > 0.5:
        step_x, step_y = step_y, step_x
    x = f.room.low[0] + 1.5
    while x < f.room.high[0] - 1.2:
        y = f.room.low[1] + 1.5
        while y < f.room.high[1] - 1.2:
            desk = f.put_if_free(index, 'desk', x, y, yaw)
            workplace(f, desk)
            y += step_y
        x += step_x


def classroom(f: Furnisher) -> None:
    """Tables with chairs in rows, or one long table of a meeting."""
    index = f.shelf.pick(f.rng, 'table')
    if index is None:
        return
    wide, deep, _ = f.shelf.models[index].size
    x = f.room.low[0] + 1.2
    while x < f.room.high[0] - wide / 2:
        y = f.room.low[1] + 1.4
        while y < f.room.high[1] - 1.0:
            table = f.put_if_free(index, 'table', x + wide / 2, y, f.rng.gauss(0, 0.03))
            if table is not None and f.rng.random() < 0.9:
                chairs_around(f, table, f.rng.choice(('chair', 'chair', 'office_chair')))
                scatter(f, table, ('small_thing', 'kitchen_thing'), f.rng.randrange(3))
            y += deep + f.rng.uniform(1.2, 1.7)
        x += wide + f.rng.uniform(0.5, 1.4)
    f.against_wall('bookcase')
    people(f, 0.5)
    on_the_walls(f)


def hall(f: Furnisher) -> None:
    """Machines, racks, stacks of boxes and pillars in a large room."""
    for _ in range(f.rng.randrange(0, 5)):
        _rack(f)
    for _ in range(f.rng.randrange(2, 8)):
        f.anywhere(f.rng.choice(('hall_thing', 'hall_thing', 'floor_thing', 'small_vehicle')))
    for _ in range(f.rng.randrange(6)):
        f.against_wall(f.rng.choice(('bookcase', 'cupboard', 'office_unit', 'hall_thing')))
    for _ in range(f.rng.randrange(8)):
        x = f.rng.uniform(f.room.low[0] + 0.6, f.room.high[0] - 0.6)
        y = f.rng.uniform(f.room.low[1] + 0.6, f.room.high[1] - 0.6)
        z = 0.0
        for _ in range(f.rng.randrange(1, 4)):
            size = (f.rng.uniform(0.3, 1.1), f.rng.uniform(0.3, 0.8), f.rng.uniform(0.2, 0.7))
            if z == 0.0 and not f.is_free((x - 0.6, y - 0.6, x + 0.6, y + 0.6)):
                break
            f.crate(x + f.rng.gauss(0, 0.03), y, z, size)
            z += size[2]
    _pillars(f)
    people(f, 0.5)
    on_the_walls(f)


def _pillars(f: Furnisher) -> None:
    if f.rng.random() < 0.4:
        thick = f.rng.uniform(0.25, 0.6)
        for x in (f.room.low[0] * 0.4, f.room.high[0] * 0.4):
            for y in (f.room.low[1] * 0.4, f.room.high[1] * 0.4):
                if f.is_free((x - thick, y - thick, x + thick, y + thick)):
                    f.crate(x, y, 0.0, (thick, thick, f.room.height))


def _rack(f: Furnisher) -> None:
    """A shelf of steel with boxes on its boards."""
    wide, deep = f.rng.uniform(1.2, 3.0), f.rng.uniform(0.4, 1.0)
    if f.rng.random() < 0.5:
        wide, deep = deep, wide
    x = f.rng.uniform(f.room.low[0] + wide / 2, f.room.high[0] - wide / 2)
    y = f.rng.uniform(f.room.low[1] + deep / 2, f.room.high[1] - deep / 2)
    if not f.is_free((x - wide / 2, y - deep / 2, x + wide / 2, y + deep / 2), margin=0.5):
        return
    boards, step = f.rng.randrange(2, 5), f.rng.uniform(0.4, 0.8)
    color = (f.rng.random() * 0.5, f.rng.random() * 0.4, f.rng.random() * 0.6)
    high = boards * step
    for sx in (-1, 1):
        for sy in (-1, 1):
            post = x + sx * (wide / 2 - 0.03), y + sy * (deep / 2 - 0.03)
            f.block(post[0], post[1], 0.0, (0.05, 0.05, high), color)
    for board in range(boards):
        z = step * (board + 0.5)
        f.block(x, y, z, (wide, deep, 0.04), color)
        at = -max(wide, deep) / 2 + 0.2
        while at < max(wide, deep) / 2 - 0.2:
            size = (
                f.rng.uniform(0.2, 0.4),
                f.rng.uniform(0.2, 0.4),
                f.rng.uniform(0.1, step - 0.1),
            )
            if f.rng.random() < 0.7:
                f.crate(x + at * (wide > deep), y + at * (wide <= deep), z + 0.04, size)
            at += f.rng.uniform(0.35, 0.7)


def corridor(f: Furnisher) -> None:
    """Little: things along the walls, somebody walking."""
    for role in ('bookcase', 'radiator', 'office_unit', 'chair', 'floor_plant', 'sideboard'):
        if f.rng.random() < 0.35:
            f.against_wall(role)
    for _ in range(f.rng.randrange(3)):
        f.anywhere(f.rng.choice(('floor_thing', 'floor_plant', 'hall_thing')))
    people(f, 0.5)
    on_the_walls(f)
    on_the_walls(f)


def store(f: Furnisher) -> None:
    """A store room or attic: anything, anywhere."""
    roles = ('chair', 'armchair', 'floor_thing', 'small_thing', 'hall_thing', 'bookcase', 'table')
    roles += ('coffee_table', 'small_vehicle', 'floor_lamp', 'office_unit', 'kitchen_unit', 'bed')
    for _ in range(f.rng.randrange(6, 28)):
        placed = f.anywhere(f.rng.choice(roles), any_yaw=f.rng.random() < 0.5)
        if f.rng.random() < 0.3:
            scatter(f, placed, ('small_thing', 'kitchen_thing'), 1)
    for _ in range(f.rng.randrange(3)):
        _rack(f)
    people(f, 0.3)
    on_the_walls(f)
