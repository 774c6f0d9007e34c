"""`mono_depth estimate`: the run, its progress and what it says at the end."""

import argparse
import sys
from collections.abc import Sequence

from tqdm import tqdm

from ...core.errors import MonoDepthError
from ...core.estimator import load_estimator
from ...core.pipeline import Pipeline
from ...offline.calibration_files import read_calibration
from ...offline.frames import Source
from ...offline.inputs import Input, find_inputs
from ...offline.parameter_files import OfflineSettings
from ...offline.products import Products
from ...offline.session import Session, Shard, Tally
from ..signals import sigterm_as_ctrl_c
from ..stereo_arguments import measuring
from .arguments import add_arguments as add_arguments
from .arguments import is_metric, offline_settings

_NO_METRES = (
    'depth in metres is not known, since nothing gives this relative network its scale: relative '
    'inverse depth and its colours are written, no metric depth, PNG or points. Set --scale (and '
    '--shift), --right or --disparity, or take a metric network such as --encoder vits --variant '
    'metric_indoor'
)


def run(args: argparse.Namespace) -> int:
    """Estimate depth of all inputs; 0 if none failed.

    Raises:
        MonoDepthError: Nothing can start, or results cannot be written.
    """
    inputs = find_inputs(args.inputs, args.output)
    tally = Tally()
    sources = _opened(inputs, args.max_size, args.topic, tally)
    settings = offline_settings(args)
    session = _session(args, settings, sources)
    if not is_metric(settings):
        _say(_NO_METRES)
    try:
        with sigterm_as_ctrl_c():
            _run(session, sources, tally)
    finally:
        _report(tally, str(args.output))
    return 1 if tally.failures else 0


def _opened(
    inputs: Sequence[Input], max_size: int, topic: str, tally: Tally
) -> list[Source | None]:
    """Return the sources, None for those that cannot be read, so that shards count alike."""
    sources: list[Source | None] = []
    for entry in inputs:
        try:
            sources.append(entry.open(max_size, topic))
        except MonoDepthError as error:
            sources.append(None)
            _fail(tally, str(entry.path), str(error))
    return sources


def _session(
    args: argparse.Namespace, settings: OfflineSettings, sources: Sequence[Source | None]
) -> Session:
    """Return the session; everything that can be wrong with it is found before the network."""
    calibration = read_calibration(args.calibration) if args.calibration else None
    pictures = sum(source is not None for source in sources)
    measured = measuring(args, pictures)
    shard: Shard = args.shard
    products = Products(
        args.output,
        args.formats,
        ('preview',) if args.preview else (),
        is_metric=is_metric(settings),
        has_camera=bool(calibration or args.focal or settings.pipeline.fov_deg),
        settings=settings.pipeline,
        part=f'_{shard.number}_of_{shard.count}' if shard.count > 1 else '',
    )
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MonoDepthError(f'cannot write to {args.output}: {error}') from error
    return Session(
        Pipeline(load_estimator(settings.estimator), settings.pipeline),
        products,
        calibration,
        args.focal,
        not args.no_rectify,
        measured,
        shard,
        args.resume,
    )


def _run(session: Session, sources: Sequence[Source | None], tally: Tally) -> None:
    counts = [source.count for source in sources if source is not None]
    total = None if None in counts else sum(filter(None, counts)) // session.shard.count
    said = len(tally.failures)
    with tqdm(total=total, unit='image', disable=None, smoothing=0.1) as bar:

        def progress(tally: Tally) -> None:
            nonlocal said
            for name, reason in tally.failures[said:]:
                bar.write(_line(name, reason), file=sys.stderr)
            said = len(tally.failures)
            bar.update(tally.seen - bar.n)

        session.run(sources, tally, progress)


def _fail(tally: Tally, name: str, reason: str) -> None:
    tally.failures.append((name, reason))
    print(_line(name, reason), file=sys.stderr)


def _line(name: str, reason: str) -> str:
    return reason if reason.startswith(name) else f'{name}: {reason}'


def _report(tally: Tally, place: str) -> None:
    for note in tally.notes:
        _say(note)
    parts = [f'{tally.done} written to {place}']
    if tally.skipped:
        parts.append(f'{tally.skipped} there already')
    if tally.failures:
        parts.append(f'{len(tally.failures)} failed')
    print(', '.join(parts))


def _say(text: str) -> None:
    print(f'mono_depth estimate: {text}', file=sys.stderr)
