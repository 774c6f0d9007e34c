"""Evaluation of a prediction against the truth: alignment, choice of pixels, metrics."""

from dataclasses import dataclass, replace
from enum import Enum

import torch
import torch.nn.functional as F

from ..errors import EvaluationError
from ..settings import Settings, setting
from ..types import AffineScale, PredictionKind
from .metrics import (
    DepthMetrics,
    align_affine,
    depth_metrics,
    edge_f_score,
    median_scale,
    require_same_shape,
    truth_mask,
)

# Rows, then columns, as shares of height and width; the numbers are those of the published codes.
_CROPS = {
    'none': (0.0, 1.0, 0.0, 1.0),
    'garg': (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    'eigen_kitti': (0.3324324, 0.91351351, 0.0359477, 0.96405229),
    'eigen_nyu': (45 / 480, 471 / 480, 41 / 640, 601 / 640),
}
_ASPECT_TOLERANCE = 0.02  # relative; a resize by at most one pixel a side is allowed on top


class AlignmentKind(Enum):
    """How a prediction is fitted to the truth before it is evaluated."""

    NONE = 'none'
    SCALE = 'scale'
    """One factor on depth that makes the medians equal (`median_scale`)."""
    SCALE_SHIFT = 'scale_shift'
    """Scale and shift, of relative depth in depth, else in inverse depth (`align_affine`)."""

    def serves(self, kind: PredictionKind) -> bool:
        """Return whether a prediction of that kind has a unit after this alignment."""
        return self is not AlignmentKind.NONE or not kind.is_relative


@dataclass(frozen=True)
class EvaluationSettings(Settings):
    """Which pixels count."""

    min_depth: float = setting(
        0.001, 'Minimum true depth of an evaluated pixel.', unit='m', limits=(0.0, 1e4)
    )
    max_depth: float = setting(
        0.0,
        'Maximum true depth of an evaluated pixel; predictions are clipped to it; 0 = no cap.',
        unit='m',
        limits=(0.0, 1e6),
    )
    crop: str = setting(
        'none',
        'Evaluated part of the image: Garg et al. 2016 or Eigen et al. 2014 for KITTI, Eigen for '
        'NYU.',
        choices=tuple(_CROPS),
    )

    def counted(self, truth: torch.Tensor) -> torch.Tensor:
        """Return (H, W) bool: where the true depth (H, W) [m] counts."""
        height, width = truth.shape
        top, bottom, left, right = _CROPS[self.crop]
        inside = torch.zeros_like(truth, dtype=torch.bool)
        # Cut off as the published codes do, but 601 / 640 * 640 is not to become 600.
        rows = slice(int(top * height + 1e-9), int(bottom * height + 1e-9))
        inside[rows, int(left * width + 1e-9) : int(right * width + 1e-9)] = True
        farthest = self.max_depth or torch.inf
        return truth_mask(truth, inside) & (truth > self.min_depth) & (truth < farthest)


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """Scores of one prediction after one kind of alignment.

    Attributes:
        metrics: At the pixels that count and whose depth is known.
        coverage: Share of the pixels that count for which depth is known.
        alignment: From inverse depth, or what is relative, to what was evaluated.
        depth: (H, W) float64 [m] that was evaluated, NaN unknown.
    """

    metrics: DepthMetrics
    edge_f: float
    coverage: float
    alignment: AffineScale
    depth: torch.Tensor


def evaluate(
    prediction: torch.Tensor,
    kind: PredictionKind,
    truth: torch.Tensor,
    alignment_kind: AlignmentKind,
    settings: EvaluationSettings = EvaluationSettings(),
) -> EvaluationResult:
    """Align a prediction (H, W) to the true depth (H, W) [m] and compute its errors.

    A prediction that is not finite, and a depth that is not positive, is unknown. The alignment
    is fitted to the pixels that count. Depth is then clipped to `max_depth` and, if there is a
    cap, to `min_depth`, as is usual. Without a cap, inverse depth and shifted predictions are
    clipped to the farthest true depth: where they pass zero, the error would be infinite.

    Raises:
        EvaluationError: No pixel counts, none of those is known, or no alignment is possible.
        ValueError: The shapes differ.
    """
    require_same_shape(prediction, truth)
    counted = settings.counted(truth)
    if not bool(counted.any()):
        bounds = f'min_depth {settings.min_depth} m, max_depth {settings.max_depth} m'
        raise EvaluationError(f'no pixel of the truth counts: {bounds}, crop {settings.crop}')
    values = prediction.double()
    if kind is PredictionKind.DEPTH:
        values = torch.where(values > 0, values, torch.nan).reciprocal()
    known = counted & values.isfinite()
    if not bool(known.any()):
        raise EvaluationError('the prediction is unknown wherever the truth is known')
    alignment = _fitted(values, kind.fitted, truth, known, alignment_kind)
    is_bounded = kind is not PredictionKind.DEPTH or alignment_kind is AlignmentKind.SCALE_SHIFT
    farthest = settings.max_depth or (float(truth[counted].max()) if is_bounded else torch.inf)
    nearest = settings.min_depth if settings.max_depth else 0.0
    aligned = alignment.inverse_depth(values)
    depth = aligned.clamp(min=1 / farthest).reciprocal().clamp(min=nearest)
    errors, edge_f = depth_metrics(depth, truth, counted), edge_f_score(depth, truth, counted)
    coverage = int((known & depth.isfinite()).sum()) / int(counted.sum())
    return EvaluationResult(errors, edge_f, coverage, alignment, depth)


def evaluate_best_fit(prediction: torch.Tensor, truth: torch.Tensor) -> EvaluationResult:
    """Evaluate relative inverse depth (H, W) after the best scale and shift; see `evaluate`."""
    return evaluate(
        prediction, PredictionKind.RELATIVE_INVERSE_DEPTH, truth, AlignmentKind.SCALE_SHIFT
    )


def resized_to(prediction: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return a prediction (h, w) at the size (H, W) of its truth, bilinearly; NaN stays NaN.

    Raises:
        EvaluationError: The aspect ratios differ, so that it is of another view.
    """
    height, width = prediction.shape
    if (height, width) == size:
        return prediction
    slack = _ASPECT_TOLERANCE + 1 / min(height, width)
    if abs(width / height * size[0] / size[1] - 1) > slack:
        sizes = f'the prediction is {width}x{height} px and the truth {size[1]}x{size[0]} px'
        raise EvaluationError(f'{sizes}, another aspect ratio')
    return F.interpolate(prediction[None, None].double(), size, mode='bilinear')[0, 0]


def _fitted(
    values: torch.Tensor,
    quantity: PredictionKind,
    truth: torch.Tensor,
    known: torch.Tensor,
    kind: AlignmentKind,
) -> AffineScale:
    """Return the map to a quantity, see `AffineScale`."""
    is_depth = quantity is PredictionKind.DEPTH
    try:
        if kind is AlignmentKind.SCALE_SHIFT:
            true = truth.double() if is_depth else truth.double().reciprocal()
            return replace(align_affine(values, true, known), quantity=quantity)
        if kind is AlignmentKind.SCALE:
            depth = values if is_depth else torch.where(values > 0, values.reciprocal(), torch.inf)
            factor = median_scale(depth, truth, known)
            return AffineScale(factor if is_depth else 1 / factor, quantity=quantity)
    except ValueError as error:
        raise EvaluationError(f'alignment {kind.value}: {error}') from error
    return AffineScale(1.0, quantity=quantity)
