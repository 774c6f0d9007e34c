"""`mono_depth calibrate`: from measurements to a parameter file."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from ...core.errors import AlignmentError, SettingsError
from ...core.network.checkpoints.table import resolve_variant
from ...core.network.hub.hub_name import absolute_network
from ...core.network.network_settings import EstimatorSettings
from ...core.scale.calibrated_scale import CalibratedScale, fit_samples, fit_views, suspects
from ...core.settings import updated
from ...core.types import PredictionKind
from ...offline.input_files import find_inputs, is_bag
from ...offline.parameter_files import OfflineSettings
from ..batch import positive_integer, say, write_text
from ..common_arguments import (
    add_bag_arguments,
    add_camera_arguments,
    add_settings,
    chosen_camera,
    given,
    reading_settings,
)
from ..measurement_arguments import add_stereo_arguments, matching_settings, stereo_files
from .calibration_report import Parameters, advice, parameter_file, print_quality, quality
from .measured_views import ViewPredictor, bag_points, only_frame, pair_points
from .tape import Tape, tape_samples

_CONVERTED = (
    'Converted by `mono_depth calibrate`: disparity = {scale_disparity} px * prediction + '
    '{shift_disparity} px, and 1/Z = disparity / ({focal} px * {baseline} m).'
)
_HOLDS_FOR = (
    'It holds for this camera and network at this input size; look at it in another scene.'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what was measured, the camera and the network."""
    parser.add_argument(
        'inputs', nargs='*', metavar='INPUT', help='a bag, or pictures (left ones of pairs)'
    )
    parser.add_argument('-o', '--output', type=Path, metavar='FILE', help='file to write')
    add_bag_arguments(parser)
    parser.add_argument(
        '--views', type=positive_integer, default=20, help='of a bag, at most (default: 20)'
    )
    add_stereo_arguments(parser.add_argument_group('from stereo pairs'))
    _add_numbers(parser)
    add_camera_arguments(parser.add_argument_group('camera'))
    add_settings(parser.add_argument_group('network'), EstimatorSettings())


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    """Declare distances in a picture, and a scale in pixels of disparity."""
    tape = parser.add_argument_group('from a tape measure')
    tape.add_argument(
        '--at',
        type=Tape.parse,
        action='append',
        default=[],
        metavar='U,V=METERS',
        help='depth at a pixel of the picture, along the optical axis; several times',
    )
    tape.add_argument(
        '--straight',
        action='store_true',
        help='METERS are straight from the lens; needs --fov, --focal or --calibration',
    )
    tutorial = parser.add_argument_group('from a scale in pixels of disparity')
    tutorial.add_argument(
        '--scale-disparity',
        type=float,
        metavar='PX',
        help='disparity = PX * prediction, so scale = PX / (focal * baseline)',
    )
    tutorial.add_argument(
        '--shift-disparity', type=float, default=0.0, metavar='PX', help='added to that disparity'
    )


def run(args: argparse.Namespace) -> int:
    """Find the scale, print its quality, and print or write the parameters; 0 if it was found."""
    console = Console(markup=False, highlight=False)
    if args.scale_disparity is not None:
        return _finish(args, _converted(args), (_CONVERTED.format(**vars(args)),))
    settings = updated(OfflineSettings(), given(args))
    camera = chosen_camera(args)
    _require_inputs(args)
    predictor = ViewPredictor(settings, camera)
    if args.at:
        found, of_what = _from_tape(args, predictor, console), 'place (u, v)'
    else:
        found, of_what = _from_views(args, predictor), 'view'
    print_quality(console, found, of_what)
    for name in suspects(found):
        console.print(f'{name} disagrees with the others: is it right?', soft_wrap=True)
    for text in advice(found):
        console.print(text, soft_wrap=True)
    parameters = dict(_network_parameters(settings))
    if predictor.rectified:
        parameters['rectify'] = True
    if predictor.kind is PredictionKind.DEPTH:
        parameters['depth_scale'] = found.depth_scale
    else:
        parameters |= {'scale': found.alignment.scale, 'shift': found.alignment.shift}
    comments = (f'Found by `mono_depth calibrate`: {quality(found)}.', _HOLDS_FOR)
    return _finish(args, parameters, comments)


def _require_inputs(args: argparse.Namespace) -> None:
    """Refuse what cannot be meant, before the network is loaded."""
    bags = [name for name in args.inputs if is_bag(Path(name))]
    ways = [bool(bags), bool(args.right or args.measured_disparity), bool(args.at)]
    if not args.inputs or sum(ways) != 1:
        raise SettingsError(
            'one thing gives the scale: a bag with disparity or depth; pictures with --right or '
            '--disparity; one picture with --at; or --scale-disparity alone'
        )
    if len(args.inputs) > 1 and (bags or args.at):
        raise SettingsError(f'one {"bag" if bags else "picture"} at a time, not {args.inputs}')
    if args.straight and not args.at:
        raise SettingsError('--straight is about --at')


def _from_views(args: argparse.Namespace, predictor: ViewPredictor) -> CalibratedScale:
    """Return the scale that serves a bag, or pictures."""

    def fail(name: str, reason: str) -> None:
        say(f'mono_depth calibrate: {name}: {reason}')

    named, reading = find_inputs(args.inputs), reading_settings(args, given(args))
    for failure in named.failures:
        fail(*failure)
    inputs = named.files
    if not inputs:
        raise AlignmentError('no view could be used')
    if inputs[0].kind == 'bag':
        source: Any = inputs[0].open(reading, args.topic)
        matching, topic = matching_settings(args), args.measured_topic
        found, doubts = bag_points(source, topic, matching, predictor, args.views, fail), ''
    else:
        measures = stereo_files(args, len(inputs), reading)
        found, doubts = pair_points(inputs, measures, predictor, reading, fail), measures.doubts()
    if not found:
        raise AlignmentError('no view could be used')
    try:
        return fit_views(found, predictor.kind)
    except AlignmentError as error:
        raise AlignmentError(str(error), doubts) from error


def _from_tape(
    args: argparse.Namespace, predictor: ViewPredictor, console: Console
) -> CalibratedScale:
    """Return the scale that serves the places of a picture."""
    pictures = find_inputs(args.inputs).files
    if len(pictures) != 1:
        raise SettingsError(f'{args.inputs[0]} is not one picture, which --at needs')
    frame = only_frame(pictures[0], reading_settings(args, given(args)))
    calibration = predictor.camera.of(frame)
    if predictor.camera.rectify and calibration is not None and not calibration.is_rectified:
        # Places are those of the picture as it is.
        raise AlignmentError(
            f'{pictures[0].path} is not rectified, by its calibration, and places in it would '
            'move: rectify it first, or --no-rectify'
        )
    seen = predictor.predict(frame)
    measured, warnings = tape_samples(seen, args.at, frame.reduction, args.straight)
    for warning in warnings:
        console.print(warning, soft_wrap=True)
    return fit_samples(measured, predictor.kind)


def _converted(args: argparse.Namespace) -> Parameters:
    """Return the parameters: d = PX * prediction + shift and 1/Z = d / (focal * baseline)."""
    if args.inputs or args.at or args.right or args.measured_disparity:
        raise SettingsError('--scale-disparity converts a number and looks at nothing else')
    if not args.focal > 0 or not (args.baseline or 0) > 0:
        raise SettingsError(
            f'--scale-disparity needs --focal [px] and --baseline [m]: scale = PX / (focal * '
            f'baseline); they are {args.focal} and {args.baseline}'
        )
    per_px = 1 / (args.focal * args.baseline)
    if not args.network:
        args.variant = args.variant or 'relative'
    settings = updated(OfflineSettings(), given(args))
    return {
        **_network_parameters(settings),
        'scale': args.scale_disparity * per_px,
        'shift': args.shift_disparity * per_px,
    }


def _network_parameters(settings: OfflineSettings) -> Parameters:
    """Return what names the network that the scale belongs to."""
    chosen = settings.network
    if chosen.network:
        of_card: Parameters = {
            'network': absolute_network(chosen.network),
            'accept_noncommercial': chosen.accept_noncommercial,
            'input_size': chosen.input_size,
        }
        return {name: value for name, value in of_card.items() if value}
    file = chosen.checkpoint and str(Path(chosen.checkpoint).expanduser().resolve())
    parameters: Parameters = {
        'encoder': chosen.encoder,
        'variant': resolve_variant(chosen.encoder, chosen.variant),
        'checkpoint': file,
        'checkpoint_max_depth': chosen.checkpoint_max_depth,
        'accept_noncommercial': chosen.accept_noncommercial,
        'input_size': chosen.input_size,
    }
    return {name: value for name, value in parameters.items() if value}


def _finish(args: argparse.Namespace, parameters: Parameters, comments: Sequence[str]) -> int:
    """Print the parameters, and write them if a file is named."""
    updated(OfflineSettings(), parameters)
    text = parameter_file(parameters, comments)
    if args.output is None:
        print(text, end='')
        return 0
    write_text(args.output, text)
    print(f'{text}written to {args.output}: params_file:={args.output} of mono.launch.py takes it')
    return 0
