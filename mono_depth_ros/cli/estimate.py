"""`mono_depth estimate`: the run, its progress and its summary."""

import argparse
import os
from collections.abc import Sequence
from functools import partial

from ..core.errors import SettingsError
from ..core.network.estimator import load_estimator
from ..core.pipeline import Pipeline
from ..core.scale.sensor_pose import parse_pose
from ..offline.batched_estimator import BatchedEstimator
from ..offline.estimation import Estimation, RunSummary, Shard
from ..offline.images import ImageSource
from ..offline.input_files import InputFile, find_inputs, open_inputs
from ..offline.parameter_files import OfflineSettings
from ..offline.picture_measurements import Measuring, PointFiles
from ..offline.writers import GIVE_SCALE, OutputPlan, is_result
from .batch import failures_status, make_folder, progress_bar, say
from .common_arguments import chosen_camera, matching_settings, measuring, require_place
from .estimate_arguments import add_arguments as add_arguments
from .estimate_arguments import image_reading, is_metric, offline_settings

_NO_METERS = (
    'depth in meters is not known, since nothing gives this relative network its scale: relative '
    f'inverse depth and its colors are written, no metric depth, PNG or points; {GIVE_SCALE}'
)
_GPU_BATCH = 8


def run(args: argparse.Namespace) -> int:
    """Estimate depth of all inputs; return the number of failures, at most 100."""
    summary = RunSummary(tell=say)
    found = find_inputs(args.inputs, partial(is_result, folder=args.output))
    for failure in found.failures:
        summary.fail(*failure)
    for note in found.notes:
        summary.note(note)
    sources = open_inputs(found.files, image_reading(args), args.topic, summary.fail)
    usable = [source for source in sources if source is not None]
    if usable:
        settings = offline_settings(args, _measured_source(args, usable))
        estimation = _estimation(args, settings, found.files, usable, summary)
        if not is_metric(settings):
            say(f'mono_depth estimate: {_NO_METERS}')
    try:
        if usable:
            _run(estimation, sources)
    finally:
        _report(summary, str(args.output))
    return failures_status(len(summary.failures))


def _estimation(
    args: argparse.Namespace,
    settings: OfflineSettings,
    inputs: Sequence[InputFile],
    sources: Sequence[ImageSource],
    summary: RunSummary,
) -> Estimation:
    """Return the run; everything that can be wrong with it is found before the network."""
    camera = chosen_camera(args, settings.pipeline.assume_rectified)
    measured = _measuring(args, sources, settings.pipeline.alignment.sensor_pose)
    shard: Shard = args.shard
    plan = OutputPlan(
        args.output,
        args.formats,
        ('preview',) if args.preview else (),
        is_metric=is_metric(settings),
        has_camera=camera.is_given or settings.pipeline.fov_deg > 0,
        settings=settings.pipeline,
        part=f'_{shard.number}_of_{shard.count}' if shard.count > 1 else '',
        inputs=frozenset(os.path.realpath(entry.path) for entry in inputs),
    )
    make_folder(args.output)
    estimator = BatchedEstimator(load_estimator(settings.estimator))
    batch = args.batch or (_GPU_BATCH if estimator.device.type == 'cuda' else 1)
    pipeline = Pipeline(estimator, settings.pipeline)
    return Estimation(pipeline, plan, camera, measured, shard, args.resume, batch, summary)


def _measured_source(args: argparse.Namespace, sources: Sequence[ImageSource]) -> str:
    """Return the `alignment.source` that arguments name, '' if none does."""
    if args.points:
        return 'points'
    if args.right or args.disparity:
        return 'disparity'
    if not args.measured_topic:
        return ''
    if any(source.kind != 'bag' for source in sources):
        raise SettingsError('--measured-topic is for bags alone')
    from ..offline.bags import Bag  # needs rosbags

    found = [Bag(source.path).topics.get(args.measured_topic) for source in sources]
    return 'depth' if any(topic and topic.holds == 'depth' for topic in found) else 'disparity'


def _measuring(
    args: argparse.Namespace, sources: Sequence[ImageSource], sensor_pose: str
) -> Measuring | None:
    """Return what measures the images; None if nothing was named."""
    if args.measured_topic:
        from ..offline.bag_camera import MeasuredTopic  # needs rosbags

        matching = matching_settings(args)
        return MeasuredTopic(args.topic, args.measured_topic, matching, image_reading(args))
    named = args.right or args.disparity or args.points
    if named and any(source.kind != 'picture' for source in sources):
        raise SettingsError(
            '--right, --disparity and --points are for pictures; bags have --measured-topic'
        )
    pictures = sum(source.count or 0 for source in sources)
    if args.points:
        if args.right or args.disparity:
            raise SettingsError('--points, and --right or --disparity; leave one of them away')
        require_place(args.points, pictures)
        return PointFiles(args.points, parse_pose(sensor_pose))
    return measuring(args, pictures, image_reading(args))


def _run(estimation: Estimation, sources: Sequence[ImageSource | None]) -> None:
    counts = [source.count for source in sources if source is not None]
    total = None if None in counts else sum(filter(None, counts)) // estimation.shard.count
    summary, lost = estimation.summary, len(estimation.summary.failures)
    with progress_bar(total, 'images') as show:
        estimation.run(sources, lambda: show(summary.seen - lost))


def _report(summary: RunSummary, place: str) -> None:
    for note in summary.notes:
        say(f'mono_depth estimate: {note}')
    parts = [f'{summary.done} written to {place}']
    if summary.skipped:
        parts.append(f'{summary.skipped} there already')
    if summary.failures:
        parts.append(f'{len(summary.failures)} failed')
    print(', '.join(parts))
