"""What a network says about one image, before anything else is known of it."""

from dataclasses import dataclass, replace

import torch

from ..types import PredictionKind

NO_CAMERA = (
    'the network needs the focal length of the camera: no usable camera_info came, and fov_deg '
    'is not set'
)
SATURATED = 0.98  # share of a metric head's maximum from which its depth only says "far"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says about an image.

    Attributes:
        values: (h, w) float32, in the unit of `kind`.
        kind: What they mean.
        valid: (h, w) bool, False where the network says nothing; None if it is all valid.
        spread: (h, w) float32, one standard deviation of depth as a share of it, as the network
            states it; None if it states none.
        reason_unknown: Why it cannot become depth, '' if it can.
        reason_unscaled: Why the values lack the factor that makes them meters, which measurements
            can give, '' if they do not.
    """

    values: torch.Tensor
    kind: PredictionKind
    valid: torch.Tensor | None = None
    spread: torch.Tensor | None = None
    reason_unknown: str = ''
    reason_unscaled: str = ''

    def inverted(self) -> 'Prediction':
        """Return it with meters inverted, 1/m, and NaN where it is not valid."""
        values, kind = self.values, self.kind
        if self.valid is not None:
            values = values.masked_fill(~self.valid, torch.nan)
        if kind is PredictionKind.DEPTH:
            values, kind = values.reciprocal(), PredictionKind.INVERSE_DEPTH
        return replace(self, values=values, kind=kind)


def metric_prediction(
    depth: torch.Tensor, max_depth: float | None, factor: float = 1.0
) -> Prediction:
    """Return what a metric head says whose output (h, w) saturates at `max_depth` [m].

    Saturated depth is not valid. `factor` is on what is left: see `focal_factor`.
    """
    valid = None if max_depth is None else depth <= SATURATED * max_depth
    return Prediction(depth if factor == 1 else depth * factor, PredictionKind.DEPTH, valid)


def canonical_prediction(values: torch.Tensor, focal_factor: float | None) -> Prediction:
    """Return the inverse depth [1/m] of f / (S Z) (h, w), f / S being the factor, None unknown."""
    kind = PredictionKind.INVERSE_DEPTH
    if focal_factor is None:
        return Prediction(values, kind, reason_unscaled=NO_CAMERA)
    return Prediction(values / focal_factor, kind)
