"""`mono_depth calibrate`: from measurements to a parameter file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...core.errors import AlignmentError, SettingsError
from ...core.network.checkpoints.table import resolve_variant
from ...core.scale.calibrated_scale import CalibratedScale, fit_samples, fit_views, suspects
from ...core.scale.stereo_matching import MatchingSettings
from ...core.types import PredictionKind
from ...offline.bag_files import is_bag
from ...offline.calibration_files import read_calibration
from ...offline.inputs import find_inputs
from ...offline.parameter_files import OfflineSettings, with_parameters
from ..network_arguments import network_values
from ..stereo_arguments import measuring
from .arguments import add_arguments as add_arguments
from .looking import Geometry, Looker
from .picture_views import pair_points, tape_samples
from .report import Parameters, advice, parameter_file, print_quality, quality, write_text

_NOWHERE = Path('/nonexistent')
"""Where no input is left out."""
_CONVERTED = (
    'Converted by `mono_depth calibrate`: disparity = {scale_disparity} px * prediction + '
    '{shift_disparity} px, and 1/Z = disparity / ({focal} px * {baseline} m).'
)
_HOLDS_FOR = (
    'It holds for this camera and network at this input size; look at it in another scene.'
)


def run(args: argparse.Namespace) -> int:
    """Find the scale, print its quality, and print or write the parameters; 0 if it was found.

    Raises:
        MonoDepthError: What was measured does not determine it.
    """
    console = Console(markup=False, highlight=False)
    if args.scale_disparity is not None:
        return _finish(args, _converted(args), (_CONVERTED.format(**vars(args)),))
    settings = with_parameters(OfflineSettings(), network_values(args))
    geometry = Geometry(
        read_calibration(args.calibration) if args.calibration else None,
        args.focal,
        args.fov,
        not args.no_rectify,
    )
    _require_inputs(args)
    looker = Looker(settings, geometry)
    if args.at:
        found, of_what = _from_tape(args, looker, geometry, console), 'place (u, v)'
    else:
        found, of_what = _from_views(args, looker), 'view'
    print_quality(console, found, of_what)
    for name in suspects(found):
        console.print(f'{name} disagrees with the others: is it right?', soft_wrap=True)
    for text in advice(found):
        console.print(text, soft_wrap=True)
    parameters = {
        **_network_parameters(args, settings),
        **({'rectify': True} if looker.rectified else {}),
        **_scale_parameters(found, looker.kind),
    }
    comments = (f'Found by `mono_depth calibrate`: {quality(found)}.', _HOLDS_FOR)
    return _finish(args, parameters, comments)


def _require_inputs(args: argparse.Namespace) -> None:
    """Refuse what cannot be meant, before the network is loaded.

    Raises:
        SettingsError: Nothing was measured, or in several ways.
    """
    bags = [name for name in args.inputs if is_bag(Path(name))]
    ways = [bool(bags), bool(args.right or args.disparity), bool(args.at)]
    if not args.inputs or sum(ways) != 1:
        raise SettingsError(
            'one thing gives the scale: a bag with disparity or depth; pictures with --right or '
            '--disparity; one picture with --at; or --scale-disparity alone'
        )
    if len(args.inputs) > 1 and (bags or args.at):
        raise SettingsError(f'one {"bag" if bags else "picture"} at a time, not {args.inputs}')
    if args.straight and not args.at:
        raise SettingsError('--straight is about --at')


def _from_views(args: argparse.Namespace, looker: Looker) -> CalibratedScale:
    """Return the scale that serves a bag, or pictures."""

    def fail(name: str, reason: str) -> None:
        print(f'mono_depth calibrate: {name}: {reason}', file=sys.stderr)

    path = Path(args.inputs[0])
    if is_bag(path):
        from .bag_views import BagViews  # needs rosbags

        matching = MatchingSettings(num_disparities=args.num_disparities)
        views = BagViews(path, args.topic, args.measured_topic, args.max_size, matching)
        found = views.points(looker, args.views, fail)
    else:
        pictures = find_inputs(args.inputs, _NOWHERE)
        measures = measuring(args, len(pictures))
        assert measures is not None
        found = pair_points(pictures, measures, looker, args.max_size, fail)
    if not found:
        raise AlignmentError('no view could be used')
    return fit_views(found, looker.kind)


def _from_tape(
    args: argparse.Namespace, looker: Looker, geometry: Geometry, console: Console
) -> CalibratedScale:
    """Return the scale that serves the places of a picture."""
    pictures = find_inputs(args.inputs, _NOWHERE)
    if len(pictures) != 1:
        raise SettingsError(f'{args.inputs[0]} is not one picture, which --at needs')
    measured, warnings = tape_samples(
        pictures[0], args.at, args.straight, looker, geometry, args.max_size
    )
    for warning in warnings:
        console.print(warning, soft_wrap=True)
    return fit_samples(measured, looker.kind)


def _converted(args: argparse.Namespace) -> Parameters:
    """Return the parameters for a scale and shift in pixels of disparity.

    d = PX * prediction + shift and 1/Z = d / (focal * baseline).

    Raises:
        SettingsError: Focal length or baseline is missing, or the network is a metric one.
    """
    if args.inputs or args.at or args.right or args.disparity:
        raise SettingsError('--scale-disparity converts a number and looks at nothing else')
    if not args.focal > 0 or not (args.baseline or 0) > 0:
        raise SettingsError(
            f'--scale-disparity needs --focal [px] and --baseline [m]: scale = PX / (focal * '
            f'baseline); they are {args.focal} and {args.baseline}'
        )
    per_px = 1 / (args.focal * args.baseline)
    args.variant = args.variant or 'relative'
    settings = with_parameters(OfflineSettings(), network_values(args))
    return {
        **_network_parameters(args, settings),
        'scale': args.scale_disparity * per_px,
        'shift': args.shift_disparity * per_px,
    }


def _network_parameters(args: argparse.Namespace, settings: OfflineSettings) -> Parameters:
    """Return what names the network that the scale belongs to."""
    chosen = settings.estimator
    variant = resolve_variant(chosen.encoder, chosen.variant)
    parameters: dict[str, str | float | int | bool] = {
        'encoder': chosen.encoder,
        'variant': variant,
    }
    if chosen.checkpoint:
        parameters['checkpoint'] = str(Path(chosen.checkpoint).expanduser().resolve())
    if chosen.accept_noncommercial:
        parameters['accept_noncommercial'] = True
    if chosen.input_size:
        parameters['input_size'] = chosen.input_size
    return parameters


def _scale_parameters(found: CalibratedScale, kind: PredictionKind) -> Parameters:
    if kind is PredictionKind.DEPTH:
        return {'depth_scale': found.depth_scale}
    return {'scale': found.alignment.scale, 'shift': found.alignment.shift}


def _finish(args: argparse.Namespace, parameters: Parameters, comments: Sequence[str]) -> int:
    """Print the parameters, and write them if a file is named.

    Raises:
        MonoDepthError: The node would refuse them, or the file cannot be written.
    """
    with_parameters(OfflineSettings(), parameters)
    text = parameter_file(parameters, comments)
    if args.output is None:
        print(text, end='')
        return 0
    write_text(args.output, text)
    print(f'{text}written to {args.output}: params_file:={args.output} of mono.launch.py takes it')
    return 0
