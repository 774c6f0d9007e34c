"""A scale and its quality: as a table for people, as parameters for the node."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from ...core.files.yaml_texts import dump_parameters
from ...core.scale.calibrated_scale import CalibratedScale

Parameters = Mapping[str, str | float | int | bool]

_SHOWN = 25
_MUCH_BETTER = 0.5
_BAD = 0.25


def print_quality(console: Console, found: CalibratedScale, of_what: str) -> None:
    """Print a row for each view or place, and a sentence about all."""
    views = found.views.values()
    columns = {
        'points': [str(view.points) for view in views],
        'error': [_percent(view.residual) for view in views],
        'error if left out': [_percent(view.left_out) for view in views],
        'error of its own fit': [_percent(view.own) for view in views],
    }
    # Of a place there is one point and no fit; of a single view nothing can be left out.
    shown = {name: cells for name, cells in columns.items() if set(cells) not in ({'-'}, {'1'})}
    table = Table(of_what, title=f'median error of {found.alignment.quantity.label}')
    for heading in shown:
        table.add_column(heading, justify='right')
    for name, *cells in list(zip(found.views, *shown.values(), strict=True))[:_SHOWN]:
        table.add_row(name, *cells)
    console.print(table)
    if len(found.views) > _SHOWN:
        console.print(f'and {len(found.views) - _SHOWN} more')
    console.print(quality(found), soft_wrap=True)


def quality(found: CalibratedScale) -> str:
    """Return a sentence about how good it is."""
    left_out = _known([view.left_out for view in found.views.values()])
    said = (
        f'{len(found.views)} looked at: median error {found.residual:.1%} of '
        f'{found.alignment.quantity.label}, {found.inlier_ratio:.0%} agree'
    )
    if left_out:
        said += f'; where left out {np.median(left_out):.1%}, worst {max(left_out):.1%}'
    return said


def advice(found: CalibratedScale) -> list[str]:
    """Return what a user should know before trusting it."""
    views = found.views.values()
    left_out = _known([view.left_out for view in views])
    own = _known([view.own for view in views])
    said = []
    if not left_out:
        said.append(
            'nothing was left to test it on: measure more, in other places and at other distances'
        )
    elif np.median(left_out) > _BAD:
        said.append('it is not good: one number does not serve these views')
    if own and left_out and np.median(own) < _MUCH_BETTER * np.median(left_out):
        said.append(
            f'a fit to each view alone misses by {np.median(own):.1%} only: where measurements '
            'come live, use alignment.source in place of a fixed scale'
        )
    return said


def parameter_file(parameters: Parameters, comments: Sequence[str]) -> str:
    """Return a file for `params_file` of mono.launch.py and `--params-file` of ROS."""
    rounded = {
        name: float(f'{value:.6g}') if isinstance(value, float) else value
        for name, value in parameters.items()
    }
    lines = ''.join(f'# {comment}\n' for comment in comments)
    return lines + dump_parameters({'/**': {'ros__parameters': rounded}})


def _known(values: Sequence[float]) -> list[float]:
    """Return those that are not NaN."""
    return [value for value in values if not math.isnan(value)]


def _percent(value: float) -> str:
    return '-' if math.isnan(value) else f'{value:.1%}'
