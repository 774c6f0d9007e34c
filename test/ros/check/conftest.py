"""One observer for many looks: to be seen by a newcomer takes seconds each time."""

from collections.abc import Iterator

import pytest

from mono_depth_ros.cli.observer import Observer, observing


@pytest.fixture(scope='module')
def observer(domain_id: int) -> Iterator[Observer]:
    with observing(600.0) as looking:
        yield looking
