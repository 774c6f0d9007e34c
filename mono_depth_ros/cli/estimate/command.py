"""`mono_depth estimate`: the run, its progress and what it says at the end."""

import argparse
import sys
from collections.abc import Sequence

from tqdm import tqdm

from ...core.errors import MonoDepthError, SettingsError
from ...core.network.estimator import load_estimator
from ...core.pipeline import Pipeline
from ...core.scale.stereo_matching import MatchingSettings
from ...offline.ahead import Ahead
from ...offline.calibration_files import read_calibration
from ...offline.frames import Source
from ...offline.inputs import find_inputs, open_inputs
from ...offline.measuring import Measuring
from ...offline.parameter_files import OfflineSettings
from ...offline.products import Products
from ...offline.session import Session
from ...offline.tally import Shard, Tally
from ..signals import sigterm_as_ctrl_c
from ..status import failures_status
from ..stereo_arguments import measuring
from .arguments import add_arguments as add_arguments
from .arguments import is_metric, offline_settings

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
    inputs = find_inputs(args.inputs, args.output)
    tally = Tally()
    sources = open_inputs(
        inputs, args.max_size, args.topic, lambda path, why: _fail(tally, str(path), why)
    )
    if all(source is None for source in sources):
        _report(tally, str(args.output))
        return failures_status(len(tally.failures))
    settings = offline_settings(args, _alignment_source(args, sources))
    session = _session(args, settings, sources)
    if not is_metric(settings):
        _say(_NO_METERS)
    try:
        with sigterm_as_ctrl_c():
            _run(session, sources, tally)
    finally:
        _report(tally, str(args.output))
    return failures_status(len(tally.failures))


def _session(
    args: argparse.Namespace, settings: OfflineSettings, sources: Sequence[Source | None]
) -> Session:
    """Return the session; everything that can be wrong with it is found before the network."""
    calibration = read_calibration(args.calibration) if args.calibration else None
    measured = _measuring(args, sources)
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
    ahead = Ahead(load_estimator(settings.estimator))
    return Session(
        Pipeline(ahead, settings.pipeline),
        products,
        calibration,
        args.focal,
        not args.no_rectify,
        measured,
        shard,
        args.resume,
        ahead,
        args.batch or (_GPU_BATCH if ahead.device.type == 'cuda' else 1),
    )


def _alignment_source(args: argparse.Namespace, sources: Sequence[Source | None]) -> str:
    """Return what `alignment.source` is here: there is no topic to listen to."""
    if args.right or args.disparity:
        return 'disparity'
    if not args.measured_topic:
        return 'none'
    from ...offline.bags import Bag  # needs rosbags

    bags = [Bag(source.path) for source in sources if source is not None and source.kind == 'bag']
    topics = [bag.topics[args.measured_topic] for bag in bags if args.measured_topic in bag.topics]
    return 'depth' if any(topic.holds == 'depth' for topic in topics) else 'disparity'


def _measuring(args: argparse.Namespace, sources: Sequence[Source | None]) -> Measuring | None:
    """Return what measures the images; None if nothing was named."""
    kinds = {source.kind for source in sources if source is not None}
    if args.measured_topic:
        if kinds - {'bag'}:
            raise SettingsError('--measured-topic is for bags alone')
        from ...offline.bag_measuring import MeasuredTopic  # needs rosbags

        matching = MatchingSettings(num_disparities=args.num_disparities)
        return MeasuredTopic(args.topic, args.measured_topic, matching)
    if (args.right or args.disparity) and kinds - {'picture'}:
        raise SettingsError('--right and --disparity are for pictures; bags have --measured-topic')
    return measuring(args, sum(source.count or 0 for source in sources if source is not None))


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
