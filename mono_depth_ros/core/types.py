"""Quantities that pass between the stages of the pipeline."""

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PRECISIONS = ('fp32', 'fp16', 'bf16')


class PredictionKind(Enum):
    """What the values of a prediction mean."""

    DEPTH = 'depth'
    """[m] along the optical axis; not positive = unknown."""
    INVERSE_DEPTH = 'inverse_depth'
    """[1/m]; not positive = infinitely far. No network predicts it, files may hold it."""
    RELATIVE_INVERSE_DEPTH = 'relative_inverse_depth'
    """Without unit, affine in inverse depth, larger = nearer."""


@dataclass(frozen=True)
class AffineScale:
    """Affine map from a prediction to metric inverse depth.

    `inverse_depth = scale * prediction + shift`, where the prediction is relative inverse depth
    or the inverse of a metric network's depth. `scale` > 0 is in 1/m for a relative network and
    without unit for a metric one, `shift` is in 1/m.
    """

    scale: float
    shift: float = 0.0

    def inverse_depth(self, prediction: 'torch.Tensor') -> 'torch.Tensor':
        """Return inverse depth [1/m] of any shape; 0 or less is infinitely far."""
        return prediction * self.scale + self.shift

    def depth(self, prediction: 'torch.Tensor') -> 'torch.Tensor':
        """Return depth [m] of any shape; NaN where the inverse depth is not positive."""
        inverse_depth = self.inverse_depth(prediction)
        return inverse_depth.reciprocal().where(inverse_depth > 0, math.nan)
