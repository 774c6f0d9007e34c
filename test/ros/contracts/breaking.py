"""Ways to break a message in one thing; each function returns a change in place."""

from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
from contract import Seen
from reading import field, meters, pixels


def put(role: str, **values: Any) -> Callable[[Seen], None]:
    """Return what sets fields of a message; `roi__width` is a field of a field."""

    def change(seen: Seen) -> None:
        for name, value in values.items():
            *path, last = name.split('__')
            place = getattr(seen, role)
            for part in path:
                place = getattr(place, part)
            setattr(place, last, value)

    return change


def put_number(role: str, field: str, index: int, value: float) -> Callable[[Seen], None]:
    """Return what sets one number of an array, such as of P."""

    def change(seen: Seen) -> None:
        numbers = list(getattr(getattr(seen, role), field))
        numbers[index] = value
        setattr(getattr(seen, role), field, numbers)

    return change


def rename(role: str, topic: str) -> Callable[[Seen], None]:
    """Return what gives a topic another name."""
    return lambda seen: setattr(seen.topics, role, topic)


def later(role: str) -> Callable[[Seen], None]:
    """Return what moves a stamp by the least that there is."""
    return lambda seen: put(role, header__stamp__nanosec=seen.sent.header.stamp.nanosec + 1)(seen)


def truncate(role: str) -> Callable[[Seen], None]:
    """Return what takes the last byte away."""
    return lambda seen: put(role, data=getattr(seen, role).data[:-1])(seen)


def pad(role: str) -> Callable[[Seen], None]:
    """Return what leaves 4 bytes free after each row, as some drivers do."""

    def change(seen: Seen) -> None:
        image = getattr(seen, role)
        rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)
        image.step += 4
        image.data = array('B', np.pad(rows, ((0, 0), (0, 4))).tobytes())

    return change


def paint(role: str, value: float) -> Callable[[Seen], None]:
    """Return what sets the first unknown pixel of a depth image to a value as stored."""

    def change(seen: Seen) -> None:
        image = getattr(seen, role)
        stored = pixels(image).copy()
        stored[tuple(np.argwhere(np.isnan(meters(image)))[0])] = value
        image.data = array('B', stored.tobytes())

    return change


def put_field(role: str, field_name: str, **values: Any) -> Callable[[Seen], None]:
    """Return what changes the description of a field of a cloud."""

    def change(seen: Seen) -> None:
        for key, value in values.items():
            setattr(field(getattr(seen, role), field_name), key, value)

    return change


def forget(role: str) -> Callable[[Seen], None]:
    """Return what makes the first point of a cloud unknown."""

    def change(seen: Seen) -> None:
        cloud = getattr(seen, role)
        first = np.frombuffer(cloud.data, np.float32).copy()
        first[:3] = np.nan
        cloud.data = array('B', first.tobytes())

    return change
