"""Measurements in a wrong unit of which enough lies in the range of depth to fit to."""

import numpy as np
import pytest
import torch

from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.point_selection import select_points
from mono_depth_ros.core.scale.points_source import _UNITS
from mono_depth_ros.core.types import PredictionKind

RANGE = (0.1, 80.0)
DEPTH = torch.linspace(0.3, 3.0, 160).expand(120, 160)
"""[m] of a room."""


def left_out(
    factor: float, quantity: PredictionKind, is_absolute: bool = True, network: float = 1.0
) -> dict[str, str]:
    says = DEPTH * network if quantity is PredictionKind.DEPTH else 1 / (DEPTH * network)
    measured = {'points': DepthMeasurement(1 / (DEPTH * factor), 0.0, '64 points', _UNITS)}
    random = np.random.default_rng(0)
    return select_points(
        says, measured, RANGE, 8, random, None, quantity, is_absolute=is_absolute
    ).left_out


@pytest.mark.parametrize('quantity', [PredictionKind.DEPTH, PredictionKind.INVERSE_DEPTH])
@pytest.mark.parametrize('network', [0.5, 1.0, 2.0])
def test_centimeters_that_are_partly_in_range_are_told(
    quantity: PredictionKind, network: float
) -> None:
    """A quarter of the points is nearer than 80 cm, and so than 80 m."""
    reason = left_out(100.0, quantity, network=network)['points']
    assert 'what was measured (64 points) lies ' in reason
    assert 'points are in centimeters; they must be in meters (REP-103)' in reason


@pytest.mark.parametrize('factor', [0.2, 1.0, 12.0])
def test_what_is_merely_unlike_is_fitted_to(factor: float) -> None:
    """The network may be wrong, too: outdoors it is, by ten times."""
    assert not left_out(factor, PredictionKind.INVERSE_DEPTH)


def test_a_network_without_meters_cannot_tell() -> None:
    assert not left_out(100.0, PredictionKind.INVERSE_DEPTH, is_absolute=False)
