"""What the output of a network means, and how it becomes depth or inverse depth."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import torch

from ...camera.pinhole import PinholeCamera
from ...types import PredictionKind
from ..focal_correction import focal_factor
from ..prediction import NO_CAMERA
from .card_fields import CardFields


class OutputKind(Enum):
    """What the numbers of an output mean."""

    DEPTH = 'depth'
    """Along the optical axis."""
    INVERSE_DEPTH = 'inverse_depth'
    RELATIVE_INVERSE_DEPTH = 'relative_inverse_depth'
    """Affine in inverse depth, larger = nearer."""
    RELATIVE_DEPTH = 'relative_depth'
    """Affine in depth, larger = farther."""
    LOG_DEPTH = 'log_depth'
    """Natural logarithm of depth."""
    RAY_DISTANCE = 'ray_distance'
    """Distance from the camera, along the ray of the pixel."""
    DISPARITY_SHARE = 'disparity_share'
    """Disparity of a stereo camera as a share of the width of the image."""
    ORDINAL = 'ordinal'
    """Level k of depth exp(gain k + offset)."""

    @property
    def is_relative(self) -> bool:
        """Whether it has no meters of its own."""
        return self in (OutputKind.RELATIVE_INVERSE_DEPTH, OutputKind.RELATIVE_DEPTH)

    @property
    def network_kind(self) -> PredictionKind:
        """The kind of a relative network, or `DEPTH` for one with meters of its own."""
        return PredictionKind(self.value) if self.is_relative else PredictionKind.DEPTH


_NO_TRAINING_FOCAL = (
    'focal_correction is true, and the card of the network has no meters.training_focal_px'
)
_MOST_BASELINE_M = 10.0  # of a stereo camera; beyond, it is probably in millimeters
_FOCAL_RULES = ('metric', 'canonical')
_RULES: dict[OutputKind, tuple[str, ...]] = {
    OutputKind.DEPTH: _FOCAL_RULES,
    OutputKind.INVERSE_DEPTH: _FOCAL_RULES,
    OutputKind.LOG_DEPTH: _FOCAL_RULES,
    OutputKind.RAY_DISTANCE: _FOCAL_RULES,
    OutputKind.RELATIVE_INVERSE_DEPTH: ('fit',),
    OutputKind.RELATIVE_DEPTH: ('fit',),
    OutputKind.DISPARITY_SHARE: ('baseline',),
    OutputKind.ORDINAL: ('levels',),
}
"""The rules to meters that each kind of output can have."""


@dataclass(frozen=True)
class MetersRule:
    """How an output becomes meters: `meters` of a card.

    Attributes:
        rule: metric, canonical, fit, baseline or levels.
        focal_px: Canonical: focal length at the network's input for which the output is meters
            [px]. 0 = the width of that input. Metric: that of the training, 0 = not stated.
        baseline_m: Baseline: of the stereo camera of the training [m].
        gain, offset: Levels: depth is exp(gain k + offset) [m].
    """

    rule: str
    focal_px: float = 0.0
    baseline_m: float = 0.0
    gain: float = 0.0
    offset: float = 0.0

    def explain_camera(self, camera: PinholeCamera | None, needs_camera: bool) -> str:
        """Return why there are no meters with that camera, '' if there are.

        A network that does not need the camera is told it for `focal_correction`.
        """
        if needs_camera or camera is None:
            return NO_CAMERA if needs_camera and camera is None else ''
        is_correctable = self.rule != 'metric' or self.focal_px
        return '' if is_correctable else _NO_TRAINING_FOCAL

    def factor(self, camera: PinholeCamera | None) -> float:
        """Return the factor on depth for a camera of the network's input, 1 without one."""
        if camera is None or self.rule not in _FOCAL_RULES:
            return 1.0
        if self.focal_px:
            return focal_factor(camera, (camera.height, camera.width), self.focal_px)
        return camera.fx / camera.width if self.rule == 'canonical' else 1.0


def read_meters(fields: CardFields, kind: OutputKind) -> MetersRule:
    """Return the rule of a card for an output of that kind."""
    rules = _RULES[kind]
    rule = fields.text('rule', f'for an output of kind {kind.value} give {" or ".join(rules)}')
    if rule not in rules:
        raise fields.error(
            f'has rule {rule!r}, and output.kind is {kind.value}',
            f'give {" or ".join(rules)}, or another kind',
        )
    made = MetersRule(rule)
    if rule == 'metric' and fields.has('training_focal_px'):
        made = MetersRule(rule, fields.positive('training_focal_px', 'give pixels'))
    if rule == 'canonical':
        remedy = 'give the focal length [px] for which the output is meters, or width'
        is_width = fields.value('focal_px', remedy) == 'width'
        made = MetersRule(rule, 0.0 if is_width else fields.positive('focal_px', remedy))
    if rule == 'baseline':
        remedy = 'give that of the stereo camera of the training [m], such as 0.54 of KITTI'
        made = MetersRule(rule, baseline_m=fields.positive('baseline_m', remedy))
        if made.baseline_m > _MOST_BASELINE_M:
            raise fields.error(f'has baseline_m {made.baseline_m:g}, which is no pair', remedy)
    if rule == 'levels':
        remedy = 'depth of level k is exp(gain k + offset) [m]'
        gain, offset = fields.number('gain', remedy), fields.number('offset', remedy)
        made = MetersRule(rule, gain=gain, offset=offset)
    fields.finish()
    return made


def read_range(fields: CardFields, kind: OutputKind) -> tuple[float, float] | None:
    """Return the least and the largest depth [m] of a card, None if it states none.

    Raises:
        SettingsError: They are none, or the output has no meters.
    """
    if not fields.has('range'):
        return None
    low, high = fields.numbers('range', 2, 'give the least and the largest depth [m]')
    if kind.is_relative:
        raise fields.error(f'has a range [m], and output.kind is {kind.value}', 'leave it out')
    if not 0 <= low < high:
        raise fields.error(f'has range {[low, high]}', 'give 0 <= least < largest depth [m]')
    return low, high


def needs_camera(kind: OutputKind, meters: MetersRule) -> bool:
    """Say whether an output has no meters without the camera."""
    return meters.rule in ('canonical', 'baseline') or CONVERSIONS[kind].needs_camera


def is_scaled_by_camera(kind: OutputKind, meters: MetersRule) -> bool:
    """Say whether all that the camera gives an output is the factor to meters."""
    is_canonical = meters.rule == 'canonical' and not CONVERSIONS[kind].needs_camera
    return is_canonical or meters.rule == 'baseline'


_Function = Callable[[torch.Tensor, MetersRule, PinholeCamera | None], torch.Tensor]


class _Conversion(NamedTuple):
    """The kind of prediction that an output becomes, and the function that makes it."""

    kind: PredictionKind
    function: _Function
    needs_camera: bool = False


def _along_axis(
    values: torch.Tensor, meters: MetersRule, camera: PinholeCamera | None
) -> torch.Tensor:
    assert camera is not None
    x, y = camera.rays(values.device)
    length: torch.Tensor = (x.square() + y.square() + 1).sqrt()
    return values * meters.factor(camera) / length


def _of_disparity(
    values: torch.Tensor, meters: MetersRule, camera: PinholeCamera | None
) -> torch.Tensor:
    if camera is None:
        return values
    # 1/Z = d / (f B) with d = share W [px] (Godard et al., 2017).
    return values * (camera.width / (camera.fx * meters.baseline_m))


CONVERSIONS: dict[OutputKind, _Conversion] = {
    OutputKind.DEPTH: _Conversion(PredictionKind.DEPTH, lambda v, m, c: v * m.factor(c)),
    OutputKind.INVERSE_DEPTH: _Conversion(
        PredictionKind.INVERSE_DEPTH, lambda v, m, c: v / m.factor(c)
    ),
    OutputKind.LOG_DEPTH: _Conversion(PredictionKind.DEPTH, lambda v, m, c: v.exp() * m.factor(c)),
    OutputKind.RAY_DISTANCE: _Conversion(PredictionKind.DEPTH, _along_axis, True),
    OutputKind.RELATIVE_INVERSE_DEPTH: _Conversion(
        PredictionKind.RELATIVE_INVERSE_DEPTH, lambda v, m, c: v
    ),
    OutputKind.RELATIVE_DEPTH: _Conversion(PredictionKind.RELATIVE_DEPTH, lambda v, m, c: v),
    OutputKind.DISPARITY_SHARE: _Conversion(PredictionKind.INVERSE_DEPTH, _of_disparity, True),
    OutputKind.ORDINAL: _Conversion(
        PredictionKind.DEPTH, lambda v, m, c: (v * m.gain + m.offset).exp()
    ),
}
"""How an output (h, w) becomes a prediction, by the rule and the camera of exactly that image."""


def known(
    values: torch.Tensor, kind: PredictionKind, depth_range: tuple[float, float] | None
) -> torch.Tensor:
    """Return (h, w) bool: where values (h, w) of that kind are known, and in the range [m]."""
    valid = values.isfinite()
    if kind is PredictionKind.DEPTH:
        valid &= values > 0
    if depth_range is not None:
        low, high = depth_range
        depth = values if kind is PredictionKind.DEPTH else values.reciprocal()
        valid &= (depth >= low) & (depth <= high)
    return valid
