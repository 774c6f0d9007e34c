"""Since when a source is silent, by its own period."""

import pytest

from mono_depth_ros.ros import source_stream
from mono_depth_ros.ros.source_stream import SourceStream


class Clock:
    """A steady clock that is set."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(source_stream.time, 'monotonic', clock)
    return clock


@pytest.mark.parametrize(
    ('period_s', 'usual_s', 'silent_s'), [(0.1, 0.9, 1.2), (0.03, 0.9, 1.2), (1.0, 4.9, 5.2)]
)
def test_it_is_silent_after_five_periods_and_not_before_a_second(
    clock: Clock, period_s: float, usual_s: float, silent_s: float
) -> None:
    stream = SourceStream('scan', '/scan')
    for _ in range(12):
        clock.now_s += period_s
        stream.take('laser')
    clock.now_s += usual_s
    assert stream.silence == ''
    clock.now_s += silent_s - usual_s
    waited = f'no message for {silent_s:.1f} s on /scan'
    assert stream.silence == f'{waited}; is the laser on?'
    stream.take('laser')
    assert stream.silence == ''
    assert stream.count == 13


def test_a_topic_that_never_had_anything_may_have_another_name(clock: Clock) -> None:
    stream = SourceStream('range', '/sonar')
    assert stream.silence == 'nothing has come on /sonar: is it published, or remapped?'
    assert not stream.is_alive(3600.0)


def test_a_burst_after_a_pause_does_not_change_the_period_much(clock: Clock) -> None:
    stream = SourceStream('points', '/points')
    for step_s in (0.1, 0.1, 0.1, 4.0, 0.001, 0.001, 0.1, 0.1, 0.1):
        clock.now_s += step_s
        stream.take('laser')
    clock.now_s += 1.1
    assert 'no message for 1.1 s' in stream.silence


def test_of_several_sensors_on_one_topic_all_are_named(clock: Clock) -> None:
    """A ring of sonars: one message measures an image, and nobody would know which."""
    stream = SourceStream('range', '/sonars')
    for frame in ('front', 'left', 'rear', 'front', 'left', 'rear'):
        clock.now_s += 0.05
        stream.take(frame)
    assert stream.silence.startswith('3 sensors send on /sonars, in the frames front, left, rear')
    assert 'give each a topic' in stream.silence
    for _ in range(10):
        clock.now_s += 0.05
        stream.take('front')
    assert stream.silence == ''
    stream.take('bumper')
    assert stream.silence == ''


def test_a_source_in_the_view_of_the_image_has_one_sensor_whatever_its_frame(clock: Clock) -> None:
    stream = SourceStream('disparity', '/disparity')
    for frame in ('left', 'left_optical') * 4:
        clock.now_s += 0.05
        stream.take(frame)
    assert stream.silence == ''
