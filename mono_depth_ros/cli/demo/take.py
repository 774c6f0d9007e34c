"""One run of the node on one source: started, listened to, ended, judged."""

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
from .collector import Collector, Estimate, Sample
from .scoring import FrameScore, score_frame
from .session import Session
from .source import Source, Value, ros_arguments

Depth = npt.NDArray[np.float32]
Progress = Callable[[int, str], None]

NODE = 'node'
SHOWN = 4
_START_S = 90.0
_RUN_S = 60.0


@dataclass(frozen=True, eq=False)
class Take:
    """What came out.

    Attributes:
        source: What the node looked at.
        frames: How many different images were answered in full.
        shown: A few of them, evenly spread.
        truths: Depth (H, W) [m] of those shown, None where it is not known.
        scores: Of all that have a truth.
        rate_hz: Depth images per second; NaN if only one came.
        latencies_s: From an image's arrival to that of its depth, both at a subscriber.
        statuses: Exit status of each process.
    """

    source: Source
    frames: int
    shown: list[Sample]
    truths: list[Depth | None]
    scores: list[FrameScore]
    rate_hz: float
    latencies_s: list[float]
    statuses: dict[str, int]


def take(
    source: Source,
    parameters: Mapping[str, Value],
    folder: Path,
    progress: Progress,
) -> Take:
    """Run the node on a source.

    Args:
        source: What to look at.
        parameters: Of the node, over those that the source asks for.
        folder: For their logs.
        progress: Called with the number of frames so far and a line on how it goes.

    Raises:
        MonoDepthError: A process ended, or no frame came out in time.
    """
    estimates: list[Estimate] = []
    shown: list[Sample] = []
    chosen = {round(i * (source.frames - 1) / max(1, SHOWN - 1)) for i in range(SHOWN)}

    def deliver(sample: Sample) -> None:
        if len(estimates) in chosen:
            shown.append(sample)
        estimates.append(sample.estimate)

    with _ros_context() as context, Session(folder) as session:
        transport = '/compressed' if source.is_compressed else ''
        listener = rclpy.create_node('mono_depth_demo', context=context)
        collector = Collector(
            listener, source.image_topic + transport, source.truth_topic, deliver
        )

        def check() -> None:
            session.check()
            progress(min(len(estimates), source.frames), _status(collector, estimates))

        session.start(NODE, 'mono_depth_ros.ros.node', _node_arguments(source, parameters))
        session.start(source.process, source.module, source.arguments)
        if not collector.collect(lambda: bool(estimates), _START_S, check):
            raise MonoDepthError(
                f'{source.title}: no frame came out of the node within {_START_S:.0f} s'
                f'{session.last_words(NODE)}{session.last_words(source.process)}'
            )
        collector.collect(lambda: _is_done(source, collector, estimates), _RUN_S, check)
        check()
        statuses = session.stop()
    return Take(
        source,
        len(estimates),
        shown,
        source.truth([sample.estimate for sample in shown]),
        _scores(source, estimates),
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
    return [*ros_arguments({**source.parameters, **parameters}), *remapped]


def _is_done(source: Source, collector: Collector, estimates: Sequence[Estimate]) -> bool:
    return len(estimates) >= source.frames and len(collector.arrivals_s) >= source.answers


def _status(collector: Collector, estimates: Sequence[Estimate]) -> str:
    """Return one line on how fast frames come and how far they reach."""
    if not estimates or not collector.latencies_s:
        return 'starting'
    depth = estimates[-1].depth[::4, ::4]
    latency_ms = 1e3 * float(np.median(collector.latencies_s))
    near, far = np.nanpercentile(depth, (2, 98)) if np.isfinite(depth).any() else (np.nan, np.nan)
    return f'{collector.rate_hz():.1f} Hz, {latency_ms:.0f} ms, {near:.1f} to {far:.1f} m'


def _scores(source: Source, estimates: Sequence[Estimate]) -> list[FrameScore]:
    truths = source.truth(estimates)
    return [
        score_frame(estimate.depth, estimate.prediction, truth)
        for estimate, truth in zip(estimates, truths, strict=True)
        if truth is not None
    ]
