"""One run of the node on one source: started, listened to, switched, ended, judged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rclpy
from rclpy.context import Context
from rclpy.signals import SignalHandlerOptions

from ...core.errors import MonoDepthError
from .collector import Collector, Sample
from .lap import Lap
from .methods import Value
from .remote import Remote
from .scoring import Score, published_score, reference_scores
from .session import Session
from .source import Source, ros_arguments

Depth = npt.NDArray[np.float32]
Progress = Callable[[int, str], None]

NODE = 'node'
_START_S = 90.0
_ANSWER_S = 10.0
_LAP_S = 20.0
_PATIENCE = 1.5
"""A lap may take so much longer than the camera needs to show all views, and `_LAP_S` more."""


@dataclass(frozen=True, eq=False)
class Take:
    """What came out.

    Attributes:
        source: What the node looked at.
        frames: How many different images were answered in full.
        shown: A few of them, evenly spread, by the method that is shown.
        truths: Depth (H, W) [m] of those shown, None where it is not known.
        scores: Of each method, then of guesses; empty without a truth.
        rate_hz: Depth images per second; NaN if only one came.
        latencies_s: From an image's arrival to that of its depth, both at a subscriber.
        statuses: Exit status of each process.
    """

    source: Source
    frames: int
    shown: list[Sample]
    truths: list[Depth | None]
    scores: dict[str, Score]
    rate_hz: float
    latencies_s: list[float]
    statuses: dict[str, int]


def take(
    source: Source,
    parameters: Mapping[str, Value],
    folder: Path,
    progress: Progress,
) -> Take:
    """Run the node on a source, by one method after the other.

    Args:
        source: What to look at.
        parameters: Of the node, over those that the source asks for.
        folder: For their logs.
        progress: Called with the number of frames so far and a line on how it goes.

    Raises:
        MonoDepthError: A process ended, refused a method, or no frame came out in time.
    """
    laps = [Lap(source, source.methods[0], since_ns=0)]
    with _ros_context() as context, Session(folder) as session:
        transport = '/compressed' if source.is_compressed else ''
        listener = rclpy.create_node('mono_depth_demo', context=context)
        collector = Collector(
            listener,
            source.image_topic + transport,
            source.truth_topic,
            lambda sample: laps[-1].add(sample),
        )

        def check() -> None:
            session.check()
            progress(sum(len(lap.estimates) for lap in laps), _status(collector, laps[-1]))

        remote = Remote(
            listener, '/mono_depth', lambda done: collector.collect(done, _ANSWER_S, check)
        )
        session.start(NODE, 'mono_depth_ros.ros.node', _node_arguments(source, parameters))
        session.start(source.process, source.module, source.arguments)
        if not collector.collect(lambda: bool(laps[0].estimates), _START_S, check):
            raise MonoDepthError(
                f'{source.title}: no frame came out of the node within {_START_S:.0f} s'
                f'{session.last_words(NODE)}{session.last_words(source.process)}'
            )
        _complete(laps, source, collector, check)
        for method in source.methods[1:]:
            remote.switch(method.parameters)
            laps.append(Lap(source, method, listener.get_clock().now().nanoseconds))
            _complete(laps, source, collector, check)
        check()
        statuses = session.stop()
    shown = next(lap.shown for lap in laps if lap.method is source.shown)
    return Take(
        source,
        len(laps[0].estimates),
        shown,
        source.truth([sample.estimate for sample in shown]),
        _scores(source, laps),
        collector.rate_hz(),
        collector.latencies_s,
        statuses,
    )


@contextmanager
def _ros_context() -> Iterator[Context]:
    """Join the graph without taking Ctrl-C away from Python."""
    context = Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        yield context
    finally:
        context.try_shutdown()


def _node_arguments(source: Source, parameters: Mapping[str, Value]) -> list[str]:
    remapped = ['-r', f'image_raw:={source.image_topic}']
    asked = {**source.parameters, **parameters, **source.methods[0].parameters}
    return [*ros_arguments(asked), *remapped]


def _complete(
    laps: Sequence[Lap], source: Source, collector: Collector, check: Callable[[], None]
) -> None:
    """Take in all views of the lap that has begun, as far as they come in time."""
    wanted = max(source.frames, source.answers)
    collector.collect(
        lambda: laps[-1].is_complete and len(collector.arrivals_s) >= source.answers,
        _LAP_S + _PATIENCE * wanted / source.rate_hz,
        check,
    )


def _status(collector: Collector, lap: Lap) -> str:
    """Return one line on how fast frames come and how far they reach."""
    if not lap.estimates or not collector.latencies_s:
        return f'{lap.method.name}: starting'
    depth = lap.estimates[-1].depth[::4, ::4]
    latency_ms = 1e3 * float(np.median(collector.latencies_s))
    near, far = np.nanpercentile(depth, (2, 98)) if np.isfinite(depth).any() else (np.nan, np.nan)
    speed = f'{collector.rate_hz():.1f} Hz, {latency_ms:.0f} ms'
    return f'{lap.method.name}: {speed}, {near:.1f} to {far:.1f} m'


def _scores(source: Source, laps: Sequence[Lap]) -> dict[str, Score]:
    """Return the score of each method, then of what is there to compare; none without a truth."""
    scores: dict[str, Score] = {}
    references: dict[str, Score] = {}
    for lap in laps:
        pairs = [
            (estimate, truth)
            for estimate, truth in zip(lap.estimates, source.truth(lap.estimates), strict=True)
            if truth is not None
        ]
        if not pairs:
            continue
        estimates, truths = zip(*pairs, strict=True)
        scores[lap.method.name] = published_score([e.depth for e in estimates], truths)
        if not references:
            references = reference_scores([e.prediction for e in estimates], truths)
    return scores | references
