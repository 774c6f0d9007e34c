"""Each thing is said once in a while, or once."""

from collections.abc import Callable

import pytest

from mono_depth_ros.ros import throttled_log as module
from mono_depth_ros.ros.throttled_log import ThrottledLog


class Log:
    """Keeps what would be logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_complaint_is_repeated_after_ten_seconds(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, 'monotonic', lambda: now)
    complaints = ThrottledLog(log)
    complaints.repeat('step is 3 bytes')
    now = 109.9
    complaints.repeat('step is 4 bytes')
    assert log.lines == ['step is 3 bytes']
    now = 110.0
    complaints.repeat('step is 5 bytes')
    assert log.lines == ['step is 3 bytes', 'step is 5 bytes']


def test_complaints_that_differ_in_numbers_only_are_one(log: Log) -> None:
    complaints = ThrottledLog(log)
    for line in ('JPEG of 1034 bytes is cut off', 'JPEG of 998 bytes is cut off', 'JPEG is empty'):
        complaints.repeat(line)
    assert log.lines == ['JPEG of 1034 bytes is cut off', 'JPEG is empty']


def test_something_is_said_once_until_it_is_forgotten(log: Log) -> None:
    complaints = ThrottledLog(log)
    for line in ('a', 'b', 'a', 'b'):
        complaints.once(line)
    assert log.lines == ['a', 'b']
    complaints.forget()
    complaints.once('a')
    complaints.repeat('c')
    assert log.lines == ['a', 'b', 'a', 'c']


@pytest.mark.parametrize('say', [ThrottledLog.repeat, ThrottledLog.once])
def test_who_makes_up_new_messages_for_ever_fills_neither_disk_nor_memory(
    log: Log, monkeypatch: pytest.MonkeyPatch, say: Callable[[ThrottledLog, str], None]
) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, 'monotonic', lambda: now)
    complaints = ThrottledLog(log)
    for k in range(5000):
        say(complaints, 'x' * k)
    assert len(log.lines) <= 400
    assert len(complaints._said) + len(complaints._said_once) <= 400
    now, count = 110.0, len(log.lines)
    complaints.repeat('something else')
    assert log.lines[count:] == ['something else']
