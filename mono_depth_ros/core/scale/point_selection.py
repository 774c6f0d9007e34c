"""The points of every source that measured an image, and why others have none."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..errors import AlignmentError
from ..types import PredictionKind
from .correspondences import Correspondences, select_correspondences
from .depth_measurement import DepthMeasurement
from .range_explanation import explain_out_of_range
from .sources import SOURCES

_UNLIKE = 30.0
"""Honest sensors are at 0.8 to 1.7 times what the embedded network says of rooms; far outdoors it
says ten times less."""
_SAME_UNIT = 3.0


@dataclass(frozen=True, eq=False)
class SelectedPoints:
    """Points to fit to.

    Attributes:
        by_source: Those of each source that has any.
        left_out: Why others have none, by source.
        count: Number of points that were measured, those that were not usable included.
    """

    by_source: dict[str, Correspondences] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def without(self, reasons: Mapping[str, str]) -> 'SelectedPoints':
        """Return these less the points of some sources, by why."""
        kept = {name: p for name, p in self.by_source.items() if name not in reasons}
        return replace(self, by_source=kept, left_out={**self.left_out, **reasons})


def select_points(
    prediction: torch.Tensor,
    measurements: Mapping[str, DepthMeasurement],
    depth_range: tuple[float, float],
    min_points: int,
    random: np.random.Generator,
    image: torch.Tensor | None,
    quantity: PredictionKind,
    *,
    is_absolute: bool,
) -> SelectedPoints:
    """Return the points of an image; see `AlignmentFilter` and its `observe` for the arguments.

    One source without points, or with points that it has no use for, does not keep the others
    from having some. They are counted together.
    """
    found: dict[str, Correspondences] = {}
    left_out: dict[str, str] = {}
    for name, measured in measurements.items():
        matched = image if SOURCES[name].is_matched else None
        try:
            points = select_correspondences(
                *(prediction, measured, depth_range, random, matched, quantity),
                is_absolute=is_absolute,
            )
            if len(points) < min_points:
                _require_in_range(points, measured, depth_range)
            _require_units(points, measured)
            found[name] = points
        except AlignmentError as error:
            left_out[name] = str(error)
    count = sum(map(len, found.values()))
    if count < min_points:
        few = f'{count} measured points; alignment.min_points is {min_points}'
        return SelectedPoints({}, left_out | dict.fromkeys(found, few), count)
    usable: dict[str, Correspondences] = {}
    for name, points in found.items():
        try:
            usable[name] = SOURCES[name].usable(points, random)
        except AlignmentError as error:
            left_out[name] = str(error)
    return SelectedPoints(usable, left_out, count)


def _require_units(points: Correspondences, measurement: DepthMeasurement) -> None:
    """Raise `AlignmentError` if a wrong unit explains what a network with meters contradicts.

    Of a cloud in centimeters enough points may be in range to fit to.
    """
    if not points.is_absolute or not len(points):
        return
    said, measured = float(np.median(points.prediction)), points.middle
    if said <= 0:
        return
    times = measured / said if points.quantity is PredictionKind.DEPTH else said / measured
    if 1 / _UNLIKE < times < _UNLIKE:
        return
    for factor, cause in measurement.units.items():
        if 1 / _SAME_UNIT < times / factor < _SAME_UNIT:
            raise AlignmentError(
                f'what was measured ({measurement.origin or "depth"}) lies {times:.3g} times as '
                f'far as the network says, which has meters: {cause}',
                'correct that, or the meters of the network (its card, or variant: relative)',
            )


def _require_in_range(
    points: Correspondences, measurement: DepthMeasurement, depth_range: tuple[float, float]
) -> None:
    """Raise `AlignmentError` if there is a reason for few points other than a sparse sensor."""
    reason, count = explain_out_of_range(measurement, depth_range), len(points)
    if not count and not reason:
        reason = (
            'every valid pixel in range lies at a depth edge, where the image has no texture '
            'or is saturated, or where the network says nothing'
        )
    if reason:
        raise AlignmentError(f'{count} measured points: {reason}')
