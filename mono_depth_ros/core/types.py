"""Quantities that pass between the stages of the pipeline."""

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

Values = TypeVar('Values', bound=Any)
"""Numbers, an array or a tensor."""

PRECISIONS = ('fp32', 'fp16', 'bf16')


class PredictionKind(Enum):
    """What the values of a prediction mean."""

    DEPTH = 'depth'
    """[m] along the optical axis; not positive = unknown."""
    INVERSE_DEPTH = 'inverse_depth'
    """[1/m]; not positive = infinitely far."""
    RELATIVE_INVERSE_DEPTH = 'relative_inverse_depth'
    """Without unit, affine in inverse depth, larger = nearer."""
    RELATIVE_DEPTH = 'relative_depth'
    """Without unit, affine in depth, larger = farther."""

    @property
    def is_relative(self) -> bool:
        """Whether it has no meters of its own."""
        return self in (PredictionKind.RELATIVE_INVERSE_DEPTH, PredictionKind.RELATIVE_DEPTH)

    @property
    def fitted(self) -> 'PredictionKind':
        """What is affine in a prediction, meters being inverted first: see `AffineScale`."""
        is_depth = self is PredictionKind.RELATIVE_DEPTH
        return PredictionKind.DEPTH if is_depth else PredictionKind.INVERSE_DEPTH

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return self.value.replace('_', ' ')

    @property
    def unit(self) -> str:
        """'m', '1/m', or '' for what has none."""
        units = {PredictionKind.DEPTH: 'm', PredictionKind.INVERSE_DEPTH: '1/m'}
        return units.get(self, '')


@dataclass(frozen=True)
class AffineScale:
    """Affine map from a prediction to metric inverse depth, or to depth.

    `scale * prediction + shift` is inverse depth, where the prediction is relative inverse depth
    or the inverse of a metric network's depth; it is depth, where that is relative depth.

    Attributes:
        scale: Positive; in the unit of the quantity for a relative network, without unit for a
            metric one.
        shift: In the unit of the quantity.
        quantity: `INVERSE_DEPTH` [1/m] or `DEPTH` [m].
    """

    scale: float
    shift: float = 0.0
    quantity: PredictionKind = PredictionKind.INVERSE_DEPTH

    def times(self, factor: float) -> 'AffineScale':
        """Return the map to `factor` times the quantity."""
        return AffineScale(factor * self.scale, factor * self.shift, self.quantity)

    def line(self, prediction: Values) -> Values:
        """Return the quantity, of any shape."""
        line: Values = prediction * self.scale + self.shift
        return line

    def inverse_depth(self, prediction: 'torch.Tensor') -> 'torch.Tensor':
        """Return inverse depth [1/m] of any shape; 0 or less is infinitely far.

        NaN where a depth is not positive: what lies behind the camera is not far away.
        """
        line = self.line(prediction)
        if self.quantity is PredictionKind.INVERSE_DEPTH:
            return line
        return line.reciprocal().where(line > 0, math.nan)

    def depth(self, prediction: 'torch.Tensor') -> 'torch.Tensor':
        """Return depth [m] of any shape; NaN where the inverse depth is not positive."""
        inverse_depth = self.inverse_depth(prediction)
        return inverse_depth.reciprocal().where(inverse_depth > 0, math.nan)
