"""Each thing is said once in a while, or once."""

import pytest

from mono_depth_ros.ros import complaints as module
from mono_depth_ros.ros.complaints import Complaints


def test_a_complaint_is_repeated_after_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, 'monotonic', lambda: now)
    complaints = Complaints()
    assert complaints.due('step is 3 bytes')
    now = 109.9
    assert not complaints.due('step is 3 bytes')
    now = 110.0
    assert complaints.due('step is 3 bytes')


def test_complaints_that_differ_in_numbers_only_are_one() -> None:
    complaints = Complaints()
    assert complaints.due('JPEG of 1034 bytes is cut off')
    assert not complaints.due('JPEG of 998 bytes is cut off')
    assert complaints.due('JPEG is empty')


def test_something_is_said_once() -> None:
    complaints = Complaints()
    assert [complaints.first(text) for text in ('a', 'b', 'a', 'b')] == [True, True, False, False]
