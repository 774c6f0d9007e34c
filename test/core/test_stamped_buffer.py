"""Values by stamp: which are kept, found and forgotten."""

import pytest

from mono_depth_ros.core.stamped_buffer import StampedBuffer


def filled(*sizes: int, max_bytes: int = 100, max_count: int = 3) -> StampedBuffer[bytes]:
    """Return a buffer that was given values of these sizes at 10, 20, 30 ... ns."""
    buffer = StampedBuffer[bytes](max_count, len, max_bytes)
    for i, size in enumerate(sizes, 1):
        buffer.put(10 * i, bytes(size))
    return buffer


@pytest.mark.parametrize(
    ('sizes', 'kept'),
    [
        ((1, 1, 1), [10, 20, 30]),
        ((1, 1, 1, 1), [20, 30, 40]),
        ((50, 50, 50), [20, 30]),
        ((50, 50, 1), [20, 30]),
        ((1, 500), [20]),
        ((500, 1), [20]),
    ],
)
def test_what_came_first_is_dropped_beyond_either_bound(
    sizes: tuple[int, ...], kept: list[int]
) -> None:
    assert list(filled(*sizes)) == kept


def test_a_stamp_that_comes_again_is_the_newest() -> None:
    buffer = StampedBuffer[str](max_count=2)
    for stamp_ns, value in ((10, 'first'), (20, 'second'), (10, 'third'), (30, 'fourth')):
        buffer.put(stamp_ns, value)
    assert list(buffer.items()) == [(10, 'third'), (30, 'fourth')]


def test_the_nearest_stamp_is_found() -> None:
    assert [filled(1, 1, 1).nearest(ns) for ns in (-5, 14, 16, 20, 99)] == [10, 10, 20, 20, 30]
    assert filled().nearest(5) is None


def test_later_values_are_forgotten() -> None:
    buffer = filled(1, 1, 1)
    buffer.forget(20)
    assert list(buffer) == [10, 20]
    buffer.forget()
    assert not buffer
