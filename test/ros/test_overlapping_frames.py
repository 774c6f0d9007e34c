"""Frames of the node whose outputs are on their way while the next frame begins, as on a GPU."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from harness import Graph, Mailbox, Running, image, info_for, picture
from sensor_msgs.msg import Image

from mono_depth_ros.core.devices import Download, queue_download
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.outputs import output_table


@pytest.fixture(scope='module')
def running(graph: Graph, weights: Path) -> Running:
    parameters = {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights)}
    return graph.start({**parameters, 'scale': 1.0, 'shift': 0.1}).until('active')


@pytest.fixture(scope='module')
def depths(running: Running) -> Mailbox:
    return running.listen('~/depth/image_rect', Image)


class Events:
    """What happened on the worker; and what happens during its predictions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
        self.log: list[str] = []
        self.meanwhile: list[Callable[[], object]] = []
        self.errors: list[Exception | None] = []
        self._running = running
        predict = TorchEstimator.predict

        def predicted(estimator: TorchEstimator, *args: Any) -> Any:
            self.log.append('predict')
            if self.meanwhile:
                self.meanwhile.pop(0)()
            return predict(estimator, *args)

        def queue(tensors: Mapping[str, torch.Tensor]) -> Download[str]:
            return replace(queue_download(tensors), ready=self)

        monkeypatch.setattr(TorchEstimator, 'predict', predicted)
        monkeypatch.setattr(output_table, 'queue_download', queue)

    def send(self, msg: Image) -> None:
        """Send an image and wait until it lies in the mailbox."""
        received = self._running.received
        self._running.send(info_for(msg), msg)
        self._running.until_received(received + 1)

    def synchronize(self) -> None:
        """Wait as for an event of a GPU."""
        self.log.append('wait')
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, running: Running, depths: Mailbox) -> Events:
    running.publisher('image_raw', Image)
    return Events(monkeypatch, running)


def images(count: int) -> list[Image]:
    return [image(picture(seed=seed)) for seed in range(count)]


def test_a_lone_frame_is_published_at_once(events: Events, depths: Mailbox) -> None:
    (sent,) = images(1)
    events.send(sent)
    depths.of(sent)
    assert events.log == ['predict', 'wait']


def test_a_frame_is_waited_for_when_the_next_one_has_begun(
    events: Events, depths: Mailbox
) -> None:
    first, *others = sent = images(3)
    events.meanwhile = [partial(events.send, msg) for msg in others]
    events.send(first)
    depths.of(sent[-1])
    assert events.log == ['predict', 'predict', 'wait', 'predict', 'wait', 'wait']
    stamps = [msg.header.stamp.sec for msg in depths.all()[-3:]]
    assert stamps == [msg.header.stamp.sec for msg in sent], 'published in their order'


def test_parameters_change_behind_a_frame_that_is_on_its_way(
    events: Events, running: Running, depths: Mailbox
) -> None:
    """The frame before has the scale of before, and is published."""
    first, second = images(2)
    second.data, events.meanwhile = first.data, [partial(events.send, second)]
    events.send(first)
    old, new = depths.of(first), depths.of(second)
    assert old.data == new.data
    assert not running.set(scale=2.0)
    running.settle()
    third = image(picture(seed=0))
    events.send(third)
    assert depths.of(third).data != old.data
    assert not running.set(scale=1.0)


def test_what_fails_on_the_way_costs_its_own_frame(
    events: Events, running: Running, depths: Mailbox
) -> None:
    events.errors = [RuntimeError('CUDA error: unspecified launch failure')]
    first, second = images(2)
    events.meanwhile = [partial(events.send, second)]
    events.send(first)
    depths.of(second)
    assert not depths.has(first)
    running.logged('unspecified launch failure')


def test_deactivation_waits_for_what_is_on_its_way(
    events: Events, running: Running, depths: Mailbox
) -> None:
    (sent,) = images(1)
    answers = []
    events.meanwhile = [lambda: answers.append(running.ask('deactivate'))]
    events.send(sent)
    depths.of(sent)
    (answer,) = answers
    assert answer().success
    assert running.change('activate')
