"""`mono_depth estimate`: the run, its progress and its summary."""

import argparse
import os
from collections.abc import Sequence
from functools import partial

from ..core.network.estimator import load_estimator
from ..core.pipeline import Pipeline
from ..offline.batched_estimator import BatchedEstimator
from ..offline.estimation import Estimation, RunSummary, Shard
from ..offline.images import ImageSource
from ..offline.input_files import InputFile, find_inputs, open_inputs
from ..offline.parameter_files import OfflineSettings
from ..offline.writers import GIVE_SCALE, OutputPlan, is_result
from .batch import failures_status, make_folder, progress_bar, say
from .common_arguments import chosen_camera
from .estimate_arguments import add_arguments as add_arguments
from .estimate_arguments import estimation_settings, image_reading, is_metric
from .measurement_arguments import chosen_measuring

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
        settings = estimation_settings(args, usable)
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
    alignment = settings.pipeline.alignment
    measured = chosen_measuring(args, sources, alignment, image_reading(args))
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
    estimator = BatchedEstimator(load_estimator(settings.network))
    batch = args.batch or (_GPU_BATCH if estimator.device.type == 'cuda' else 1)
    pipeline = Pipeline(estimator, settings.pipeline)
    return Estimation(pipeline, plan, camera, measured, shard, args.resume, batch, summary)


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
