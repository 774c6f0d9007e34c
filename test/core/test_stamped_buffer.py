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


def test_a_value_is_asked_for_its_size_once() -> None:
    asked: list[str] = []

    def size(value: str) -> int:
        asked.append(value)
        return len(value)

    buffer = StampedBuffer[str](max_count=3, size=size, max_bytes=8)
    for stamp_ns, value in enumerate(('a', 'bb', 'ccc', 'dddd')):
        buffer.put(stamp_ns, value)
    del buffer[2]
    buffer.put(4, 'eeee')
    assert asked == ['a', 'bb', 'ccc', 'dddd', 'eeee']
    assert list(buffer.values()) == ['dddd', 'eeee']


def test_a_value_without_a_size_is_not_kept() -> None:
    buffer = StampedBuffer[bytes](max_count=3, size=len, max_bytes=8)
    buffer.put(1, b'a')
    with pytest.raises(TypeError):
        buffer.put(2, None)  # type: ignore[arg-type]
    buffer.put(3, b'b')
    assert list(buffer) == [1, 3]
