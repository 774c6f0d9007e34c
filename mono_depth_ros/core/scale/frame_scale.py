"""The scale of one image, and the fit behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from ..network.predicted_frame import PredictedFrame
from ..types import AffineScale
from .correspondences import Correspondences, FloatArray
from .depth_measurement import DepthMeasurement
from .fusion import MetricDepth, fuse
from .local_correction import LocalCorrection, fit_local_correction

_NO_SCALE = (
    'a relative network gives no meters: set scale (and shift), or use a metric variant such as '
    'encoder: vits, variant: metric_indoor'
)


def told(reasons: Mapping[str, str]) -> str:
    """Return the reasons of several sources, those without left out; a single one is not named."""
    if len(reasons) == 1:
        return ''.join(reasons.values())
    return '. '.join(f'{name}: {reason}' for name, reason in reasons.items() if reason)


@dataclass(frozen=True, eq=False)
class AlignmentState:
    """The alignment in force and where it comes from.

    Attributes:
        alignment: What to apply.
        stamp_ns: Stamp of the newest measurement in it [ns].
        inlier_ratio: Share of inliers in the fit to that measurement alone.
        residual: Median relative error of that fit.
        points: Those of that fit.
        uncertainty: Standard deviation of the median pixel's depth, relative to it.
        covariance: (2, 2) of scale and shift.
        note: '' or what was special, such as a flat scene that only corrected the level.
        sources: What was fitted to.
    """

    alignment: AffineScale
    stamp_ns: int
    inlier_ratio: float
    residual: float
    points: Correspondences
    uncertainty: float
    covariance: FloatArray
    note: str = ''
    sources: tuple[str, ...] = ()

    @cached_property
    def correction(self) -> LocalCorrection | None:
        """Local factors on top of `alignment`, if they help; fitted when first asked for."""
        return fit_local_correction(self.points, self.alignment)

    def age_s(self, stamp_ns: int) -> float:
        """Return the age at a stamp [ns]; negative for an earlier image."""
        return (stamp_ns - self.stamp_ns) / 1e9


@dataclass(frozen=True, eq=False)
class FrameScale:
    """The scale of one image.

    Attributes:
        applied: Map from the prediction to meters, None if depth is unknown.
        reason_unknown: Why it is unknown, '' if it is known.
        alignment: The fitted or set scale and shift in `applied`; None for a network's own meters.
        correction: Local factors on top of it, if there are any and nothing is fused, which
            corrects more than that.
        state: The latest fit, whatever its age; None before the first one or without a source.
        age_s: Age of that fit at this image [s].
        reason_missing: Why no fit is in force, '' if one is or none is asked for.
        refusal: Why nothing of the latest measurements was used, '' if something was.
        verdicts: By source, why its latest measurement was not used, '' if it was.
        was_measured: Whether that measurement was of this image.
        fused: What was measured of this image and is to be fused with the prediction, if anything.
    """

    applied: AffineScale | None
    reason_unknown: str = ''
    alignment: AffineScale | None = None
    correction: LocalCorrection | None = None
    state: AlignmentState | None = None
    age_s: float = 0.0
    reason_missing: str = ''
    refusal: str = ''
    verdicts: Mapping[str, str] = field(default_factory=dict)
    was_measured: bool = False
    fused: DepthMeasurement | None = None

    @classmethod
    def without_fit(cls, manual: AffineScale | None, own: AffineScale | None) -> 'FrameScale':
        """Return that of the settings, or else of the network's own meters, if it has any."""
        applied = manual or own
        return cls(applied, '' if applied else _NO_SCALE, manual)

    @property
    def left_out(self) -> dict[str, str]:
        """Why the latest measurement of a source was not used, by source."""
        return {name: reason for name, reason in self.verdicts.items() if reason}

    def unless(self, reason: str) -> 'FrameScale':
        """Return the scale of an image whose depth is unknown for that reason, itself for ''."""
        return replace(self, applied=None, reason_unknown=reason) if reason else self

    def of(self, prediction: PredictedFrame) -> 'FrameScale':
        """Return the scale of a prediction that may have no depth, or no meters of its own."""
        is_own = self.applied is not None and self.alignment is None
        unscaled = prediction.reason_unscaled if is_own else ''
        return self.unless(prediction.reason_unknown or unscaled)

    def metric(self, prediction: PredictedFrame, depth_range: tuple[float, float]) -> MetricDepth:
        """Return the depth of the image; NaN everywhere without a scale.

        Measured depth outside `depth_range`, (near, far) [m], is not used.
        """
        values = prediction.values
        if self.applied is None:
            return MetricDepth(torch.full_like(values, torch.nan))
        inverse_depth = self.applied.inverse_depth(values)
        if self.correction is not None:
            height, width = values.shape
            inverse_depth *= self.correction.factor((height, width), values.device)
        if self.fused is not None:
            return fuse(inverse_depth, prediction.color, self.fused, depth_range)
        return MetricDepth(inverse_depth)
