"""Whether the output of a network is depth, of the sign that its card says."""

import warnings
from typing import TYPE_CHECKING

import torch

from ...errors import CheckpointError
from ...types import PredictionKind
from ..self_test import (
    TEST_CAMERA,
    floor_nearness,
    require_depth,
    room_picture,
    warn_of_untrained,
)

if TYPE_CHECKING:
    from ..hub.hub_estimator import HubEstimator
    from .card_estimator import CardEstimator

_OPPOSITE = -0.85
"""Correlation of nearness with the rows of a floor: the threshold of trained weights, negative.
Of 174 random ones of tiny a few go beyond, to -0.906: it nearly takes a trained network."""
_MOST_UNKNOWN = 0.3  # share of a picture of a room, in which no sky can be


def judge(estimator: 'CardEstimator | HubEstimator') -> float:
    """Return how well nearness follows the floor of the test picture, -1..1.

    Warns of a network that seems untrained.

    Raises:
        CheckpointError: The output is nowhere finite, the same everywhere, or of the opposite
            sign.
    """
    card, picture = estimator.card, room_picture().to(estimator.device)
    camera = TEST_CAMERA if card.needs_camera else None
    (prediction,) = estimator.predict([picture], (240, 320), [camera])
    values = prediction.inverted().values
    try:
        require_depth(values, str(card.model))
    except CheckpointError as error:
        if card.path is None:
            raise
        stated = f'output, meters, range and invalid in {card.path} are not those of the model'
        raise CheckpointError(error.what, f'{error.remedy}, or {stated}') from error
    if prediction.spread is not None and not bool(prediction.spread.isfinite().any()):
        what = f'spread of {card.model} is nowhere a number, or negative everywhere'
        raise CheckpointError(what, f'correct or leave out spread in {card.path}')
    unknown = 1 - float(values.isfinite().float().mean())
    if unknown > _MOST_UNKNOWN:
        warnings.warn(
            f'{card.model} says nothing about {unknown:.0%} of a test picture: look at input, and '
            f'at range and invalid if {card.path or "a card"} has them',
            RuntimeWarning,
            stacklevel=2,
        )
    is_depth = prediction.kind in (PredictionKind.DEPTH, PredictionKind.RELATIVE_DEPTH)
    if prediction.kind is PredictionKind.RELATIVE_DEPTH:
        # By ranks, since it has no zero to invert it about, and depth does not grow in a line.
        ranks = values.flatten().argsort().argsort().view(values.shape)
        values = -ranks.float().where(values.isfinite(), torch.nan)
    nearness = floor_nearness(values)
    if nearness < _OPPOSITE:
        other = 'inverse_depth' if is_depth else 'depth'
        kind = f'relative_{other}' if card.output_kind.is_relative else other
        raise CheckpointError(
            f'{card.model} sees the floor of a test picture go away towards its lower edge '
            f'(correlation {nearness:.2f}): the output is probably {kind}, and output.kind is '
            f'{card.output_kind.value}',
            card.kind_remedy,
        )
    warn_of_untrained(nearness, str(card.model))
    return nearness
