"""What executor and worker share stays within its bounds, whatever a camera sends."""

import time

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from frames import message_bytes
from harness import header
from sensor_msgs.msg import CompressedImage, Image

from mono_depth_ros.ros.shared_state import Frame, SharedState
from mono_depth_ros.ros.source_stream import SourceStream


def kept(sizes: list[int], kind: type = Image) -> list[int]:
    """Return the sizes [byte] of the images that are kept of those that came, oldest first."""
    shared = SharedState()
    for k, size in enumerate(sizes):
        data = message_bytes(np.zeros(size, np.uint8))
        shared.keep_image(Frame(kind(header=header(Time(sec=k)), data=data), None))
    return [len(frame.image.data) for frame in shared._images.values()]


@pytest.mark.parametrize('kind', [Image, CompressedImage])
@pytest.mark.parametrize('size', [0, 1, 1000])
def test_images_of_next_to_nothing_are_bounded_in_number(kind: type, size: int) -> None:
    assert kept([size] * 1000, kind) == [size] * 300


def test_images_are_bounded_in_bytes_together() -> None:
    assert kept([10_000_000] * 20) == [10_000_000] * 6
    assert sum(kept([10_000_000] * 6 + [200_000] * 299)) <= 64_000_000
    assert kept([100, 70_000_000]) == [70_000_000]


def test_a_source_that_fell_silent_is_not_waited_for() -> None:
    wait_s = 60.0
    shared = SharedState()
    shared.follow({'depth': SourceStream('depth', '/depth')})
    began_s = time.monotonic()
    assert shared.measurements_of(10**9, 0.0, wait_s, silence_s=3600.0) == {}  # never heard
    message = Image(header=header(Time(sec=1)))
    shared.put_measurement('depth', message)
    assert shared.measurements_of(10**9, 0.0, wait_s, silence_s=3600.0) == {'depth': message}
    assert shared.measurements_of(2 * 10**9, 0.0, wait_s, silence_s=0.0) == {}  # silent since
    assert time.monotonic() - began_s < wait_s
    assert shared.measurements_of(2 * 10**9, 0.0, 0.001, silence_s=3600.0) == {}  # alive
