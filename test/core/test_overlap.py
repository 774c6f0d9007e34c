"""Work whose outputs are on their way from a device, while the next work begins.

No device here copies beside its work. So downloads of the CPU are given what a GPU's have: an
event that has to be waited for.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from test_pipeline import ALL, HEIGHT, IDEAL, picture, relative, settings, wall

from mono_depth_ros.core import pipeline as pipeline_module
from mono_depth_ros.core.devices import Download, queue_download
from mono_depth_ros.core.network.batching import Overlap, alone, run_together
from mono_depth_ros.core.network.predicted_frame import Predicting
from mono_depth_ros.core.outputs import depth_frame, output_table
from mono_depth_ros.core.pipeline import Output, Pipeline, Result


class Arrival:
    """An event that says when it is waited for, or what went wrong on the device."""

    def __init__(self, log: list[str], name: str, error: Exception | None = None) -> None:
        self._log, self._name, self._error = log, name, error

    def synchronize(self) -> None:
        self._log.append(f'wait {self._name}')
        if self._error is not None:
            raise self._error


def later(log: list[str], name: str, error: Exception | None = None) -> Download[str]:
    queued = queue_download({'n': torch.tensor(len(log))})
    return replace(queued, ready=Arrival(log, name, error))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have all downloads of steps wait for an event; return what was waited for."""
    log: list[str] = []

    def queue(tensors: Mapping[str, torch.Tensor]) -> Download[str]:
        return replace(queue_download(tensors), ready=Arrival(log, ' '.join(tensors)))

    for module in (depth_frame, output_table, pipeline_module):
        monkeypatch.setattr(module, 'queue_download', queue)
    return log


def frame(
    log: list[str],
    pipeline: Pipeline,
    name: str,
    wanted: Output = Output.DEPTH,
    refit: bool = False,
) -> Predicting[None]:
    """Work as the node's: a step, its messages, and maybe one more prediction."""
    log.append(f'begin {name}')
    result = yield from pipeline.begin_step(picture(), IDEAL, wanted)
    log.append(f'publish {name}')
    assert (result.depth is None) == (Output.DEPTH not in wanted)
    if refit:
        yield from pipeline.begin_prediction(picture(), IDEAL, 7)
        log.append(f'refit {name}')


def test_a_step_says_the_same_whenever_its_outputs_come(
    log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for estimator, scaled in ((wall(2.0), {}), (relative(0.2, 0.5), {'scale': 1.0, 'shift': 0.1})):
        waited = Pipeline(estimator, settings(**scaled)).step(picture(), IDEAL, ALL)
        with monkeypatch.context() as at_once:
            for module in (depth_frame, output_table, pipeline_module):
                at_once.setattr(module, 'queue_download', queue_download)
            expected = Pipeline(estimator, settings(**scaled)).step(picture(), IDEAL, ALL)
        for name in {field.name for field in fields(Result)} - {'inference_s', 'quality'}:
            found, wanted = getattr(waited, name), getattr(expected, name)
            assert type(found) is type(wanted)
            if isinstance(wanted, np.ndarray):
                np.testing.assert_array_equal(found, wanted)
            else:
                assert found == wanted
    assert log.count('wait known') == 2


def test_on_a_cpu_a_frame_ends_in_the_call_that_begins_it() -> None:
    log: list[str] = []
    overlap, pipeline = Overlap(), Pipeline(wall(2.0), settings())
    overlap.begin([frame(log, pipeline, 'a'), frame(log, pipeline, 'b')])
    assert log == ['begin a', 'begin b', 'publish a', 'publish b']


def test_the_next_frame_begins_before_the_last_is_waited_for(log: list[str]) -> None:
    overlap, estimator = Overlap(), wall(2.0)
    pipeline, predict = Pipeline(estimator, settings()), estimator.predict

    def predicted(*args: Any) -> Any:
        log.append('predict')
        return predict(*args)

    estimator.predict = predicted  # type: ignore[method-assign]
    overlap.begin([frame(log, pipeline, 'a')])
    assert log == ['begin a', 'predict']
    overlap.begin([frame(log, pipeline, 'b')])
    ended = ['wait depth', 'wait known', 'publish a']
    assert log[2:] == ['begin b', 'predict', *ended]
    overlap.finish()
    assert log[7:] == ['wait depth', 'wait known', 'publish b']
    overlap.finish()
    assert len(log) == 10, 'it ends once'


def test_a_frame_that_needs_no_network_is_published_in_its_turn(log: list[str]) -> None:
    overlap, pipeline = Overlap(), Pipeline(wall(2.0), settings())
    overlap.begin([frame(log, pipeline, 'a')])
    overlap.begin([frame(log, pipeline, 'b', Output.COLOR)])
    overlap.begin([])
    assert [it for it in log if 'publish' in it] == ['publish a', 'publish b']
    assert log.index('begin b') < log.index('publish a')


def test_frames_of_several_cameras_end_in_their_order(log: list[str]) -> None:
    overlap, pipeline = Overlap(), Pipeline(wall(2.0), settings())
    overlap.begin([frame(log, pipeline, name, refit=True) for name in 'abc'])
    overlap.begin([frame(log, pipeline, 'd')])
    overlap.finish()
    assert [it[-1] for it in log if 'publish' in it] == ['a', 'b', 'c', 'd']
    refits = [log.index(f'refit {name}') for name in 'abc']
    assert max(refits) < log.index('publish d'), 'what a frame asks for at its end is answered'


def test_what_fails_on_the_way_costs_its_own_frame() -> None:
    log: list[str] = []

    def work(name: str, error: Exception | None) -> Predicting[None]:
        queued = later(log, name, error)
        try:
            yield queued
            queued.arrays()
        except RuntimeError as failure:
            log.append(f'lost {name}: {failure}')
        else:
            log.append(f'publish {name}')

    overlap = Overlap()
    overlap.begin([work('a', None), work('b', RuntimeError('CUDA error'))])
    overlap.begin([work('c', None)])
    overlap.finish()
    said = ['publish a', 'wait b', 'lost b: CUDA error', 'wait c', 'publish c']
    assert log == ['wait a', *said]


def test_work_alone_waits_for_its_download(log: list[str]) -> None:
    pipeline = Pipeline(wall(2.0), settings())
    one, two = run_together(
        [pipeline.begin_step(picture(), IDEAL, wanted) for wanted in (Output.COLOR, Output.DEPTH)]
    )
    assert one.color is not None
    assert two.depth is not None
    assert alone(pipeline.begin_step(picture(), IDEAL, Output.COLOR)).color.shape[0] == HEIGHT
