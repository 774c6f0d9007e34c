"""`mono_depth estimate`: the run, its progress and its summary."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import MonoDepthError, SettingsError
from ..core.network.estimator import load_estimator
from ..core.pipeline import Pipeline
from ..offline.batched_estimator import BatchedEstimator
from ..offline.estimation import Estimation, RunSummary, Shard
from ..offline.images import ImageSource
from ..offline.input_files import find_inputs, open_inputs
from ..offline.output_plan import OutputPlan
from ..offline.picture_measurements import Measuring
from ..offline.yaml_files import OfflineSettings
from .batch import failures_status, progress_bar, say, sigterm_as_ctrl_c
from .common_arguments import chosen_camera, matching_settings, measuring
from .estimate_arguments import add_arguments as add_arguments
from .estimate_arguments import is_metric, offline_settings

_NO_METERS = (
    'depth in meters is not known, since nothing gives this relative network its scale: relative '
    'inverse depth and its colors are written, no metric depth, PNG or points. Set --scale (and '
    '--shift), --right or --disparity, or take a metric network such as --encoder vits --variant '
    'metric_indoor'
)
_GPU_BATCH = 8


def run(args: argparse.Namespace) -> int:
    """Estimate depth of all inputs; return the number of failures, at most 100.

    Raises:
        MonoDepthError: Nothing can start, or results cannot be written.
    """
    summary = RunSummary()

    def fail(path: Path, reason: str) -> None:
        summary.failures.append((str(path), reason))
        say(_line(str(path), reason))

    inputs = find_inputs(args.inputs, args.output)
    sources = open_inputs(inputs, args.max_size, args.topic, fail)
    usable = [source for source in sources if source is not None]
    if usable:
        settings = offline_settings(args, _measured_source(args, usable))
        estimation = _estimation(args, settings, usable)
        if not is_metric(settings):
            say(f'mono_depth estimate: {_NO_METERS}')
    try:
        if usable:
            with sigterm_as_ctrl_c():
                _run(estimation, sources, summary)
    finally:
        _report(summary, str(args.output))
    return failures_status(len(summary.failures))


def _estimation(
    args: argparse.Namespace, settings: OfflineSettings, sources: Sequence[ImageSource]
) -> Estimation:
    """Return the run; everything that can be wrong with it is found before the network."""
    camera = chosen_camera(args, settings.pipeline.assume_rectified)
    measured = _measuring(args, sources)
    shard: Shard = args.shard
    plan = OutputPlan(
        args.output,
        args.formats,
        ('preview',) if args.preview else (),
        is_metric=is_metric(settings),
        has_camera=camera.is_given or settings.pipeline.fov_deg > 0,
        settings=settings.pipeline,
        part=f'_{shard.number}_of_{shard.count}' if shard.count > 1 else '',
    )
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MonoDepthError(f'cannot write to {args.output}: {error}') from error
    batched = BatchedEstimator(load_estimator(settings.estimator))
    batch = args.batch or (_GPU_BATCH if batched.device.type == 'cuda' else 1)
    pipeline = Pipeline(batched, settings.pipeline)
    return Estimation(pipeline, plan, camera, measured, shard, args.resume, batched, batch)


def _measured_source(args: argparse.Namespace, sources: Sequence[ImageSource]) -> str:
    """Return the `alignment.source` that arguments name, '' if none does."""
    if args.right or args.disparity:
        return 'disparity'
    if not args.measured_topic:
        return ''
    if any(source.kind != 'bag' for source in sources):
        raise SettingsError('--measured-topic is for bags alone')
    from ..offline.bags import Bag  # needs rosbags

    bags = [Bag(source.path) for source in sources]
    topics = [bag.topics[args.measured_topic] for bag in bags if args.measured_topic in bag.topics]
    return 'depth' if any(topic.holds == 'depth' for topic in topics) else 'disparity'


def _measuring(args: argparse.Namespace, sources: Sequence[ImageSource]) -> Measuring | None:
    """Return what measures the images; None if nothing was named."""
    if args.measured_topic:
        from ..offline.bag_camera import MeasuredTopic  # needs rosbags

        return MeasuredTopic(args.topic, args.measured_topic, matching_settings(args))
    if (args.right or args.disparity) and any(source.kind != 'picture' for source in sources):
        raise SettingsError('--right and --disparity are for pictures; bags have --measured-topic')
    return measuring(args, sum(source.count or 0 for source in sources))


def _run(
    estimation: Estimation, sources: Sequence[ImageSource | None], summary: RunSummary
) -> None:
    counts = [source.count for source in sources if source is not None]
    total = None if None in counts else sum(filter(None, counts)) // estimation.shard.count
    said = lost = len(summary.failures)
    with progress_bar(total, 'images') as show:

        def progress(summary: RunSummary) -> None:
            nonlocal said
            for name, reason in summary.failures[said:]:
                say(_line(name, reason))
            said = len(summary.failures)
            show(summary.seen - lost)

        estimation.run(sources, summary, progress)


def _line(name: str, reason: str) -> str:
    return reason if reason.startswith(name) else f'{name}: {reason}'


def _report(summary: RunSummary, place: str) -> None:
    for note in summary.notes:
        say(f'mono_depth estimate: {note}')
    parts = [f'{summary.done} written to {place}']
    if summary.skipped:
        parts.append(f'{summary.skipped} there already')
    if summary.failures:
        parts.append(f'{len(summary.failures)} failed')
    print(', '.join(parts))
