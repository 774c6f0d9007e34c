"""A prediction judged by the truth: what it means, how it is aligned, which pixels count."""

from dataclasses import dataclass
from enum import Enum

import torch
import torch.nn.functional as F

from ..errors import EvaluationError
from ..settings import Settings, setting
from ..types import AffineScale
from .edge_metrics import edge_f_score
from .metrics import DepthMetrics, align_affine, depth_metrics, median_scale, truth_mask

# Rows, then columns, as shares of height and width.
_CROPS = {
    'none': (0.0, 1.0, 0.0, 1.0),
    'garg': (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    'eigen_kitti': (0.3324324, 0.91351351, 0.0359477, 0.96405229),
    'eigen_nyu': (45 / 480, 471 / 480, 41 / 640, 601 / 640),
}
_ASPECT_TOLERANCE = 0.02


class Quantity(Enum):
    """What the numbers of a predicted map mean."""

    DEPTH = 'depth'
    """[m], not positive = unknown."""
    INVERSE_DEPTH = 'inverse_depth'
    """[1/m], not positive = infinitely far."""
    RELATIVE_INVERSE_DEPTH = 'relative_inverse_depth'
    """No unit, any sign; only an alignment makes it depth."""


class AlignmentKind(Enum):
    """What a prediction is granted before it is judged."""

    NONE = 'none'
    SCALE = 'scale'
    """One factor on depth, that makes the medians equal (`median_scale`)."""
    SCALE_SHIFT = 'scale_shift'
    """Scale and shift of inverse depth, by least squares (`align_affine`)."""

    def serves(self, quantity: Quantity) -> bool:
        """Say whether a prediction of that quantity can be judged after it."""
        return self is not AlignmentKind.NONE or quantity is not Quantity.RELATIVE_INVERSE_DEPTH


@dataclass(frozen=True)
class EvaluationSettings(Settings):
    """Which pixels count."""

    min_depth: float = setting(
        0.001, 'Minimum true depth of an evaluated pixel.', unit='m', minimum=0.0, maximum=1e4
    )
    max_depth: float = setting(
        0.0,
        'Maximum true depth of an evaluated pixel; predictions are clipped to it; 0 = no cap.',
        unit='m',
        minimum=0.0,
        maximum=1e6,
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
        below = truth < self.max_depth if self.max_depth else torch.ones_like(inside)
        return truth_mask(truth, inside) & (truth > self.min_depth) & below


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What one prediction scored after one kind of alignment.

    Attributes:
        metrics: The errors, over the pixels that count and whose depth is known.
        edge_f: Agreement of the depth edges, 0..1; NaN if the truth has none.
        coverage: Share of the pixels that count for which depth is known.
        alignment: What was applied to inverse depth, or to relative inverse depth.
        depth: (H, W) float64 [m] that was judged, NaN unknown.
    """

    metrics: DepthMetrics
    edge_f: float
    coverage: float
    alignment: AffineScale
    depth: torch.Tensor


def evaluate(
    prediction: torch.Tensor,
    quantity: Quantity,
    truth: torch.Tensor,
    kind: AlignmentKind,
    settings: EvaluationSettings = EvaluationSettings(),
) -> EvaluationResult:
    """Align a prediction (H, W) of a quantity to the true depth (H, W) [m], and judge it.

    A prediction that is not finite, and a depth that is not positive, is unknown. Alignment sees
    the pixels that count only. Depth is then clipped to `max_depth` and, if there is a cap, to
    `min_depth`, as is usual; without a cap a prediction that was given a shift, or is inverse
    depth, is clipped to the farthest true depth, because inverse depth that passes zero would
    otherwise be infinitely wrong.

    Raises:
        EvaluationError: No pixel counts, none of those is known, or no alignment is possible.
    """
    counted = settings.counted(truth)
    if not bool(counted.any()):
        raise EvaluationError(
            f'no pixel of the truth counts: min_depth {settings.min_depth} m, max_depth '
            f'{settings.max_depth} m, crop {settings.crop}'
        )
    inverse = prediction.double()
    if quantity is Quantity.DEPTH:
        inverse = torch.where(inverse > 0, inverse, torch.nan).reciprocal()
    known = counted & inverse.isfinite()
    if not bool(known.any()):
        raise EvaluationError('the prediction is unknown wherever the truth is known')
    try:
        alignment = _alignment(inverse, truth, known, kind)
    except ValueError as error:
        raise EvaluationError(f'alignment {kind.value}: {error}') from error
    bounded = quantity is not Quantity.DEPTH or kind is AlignmentKind.SCALE_SHIFT
    farthest = settings.max_depth or (float(truth[counted].max()) if bounded else torch.inf)
    nearest = settings.min_depth if settings.max_depth else 0.0
    aligned = inverse * alignment.scale + alignment.shift
    depth = aligned.clamp(min=1 / farthest).reciprocal().clamp(min=nearest)
    return EvaluationResult(
        depth_metrics(depth, truth, counted),
        edge_f_score(depth, truth, counted),
        int(known.sum()) / int(counted.sum()),
        alignment,
        depth,
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
        raise EvaluationError(
            f'the prediction is {width}x{height} px and the truth {size[1]}x{size[0]} px, another '
            'aspect ratio'
        )
    return F.interpolate(prediction[None, None].double(), size, mode='bilinear')[0, 0]


def _alignment(
    inverse: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, kind: AlignmentKind
) -> AffineScale:
    if kind is AlignmentKind.SCALE_SHIFT:
        return align_affine(inverse, truth.double().reciprocal(), known)
    if kind is AlignmentKind.SCALE:
        depth = torch.where(inverse > 0, inverse.reciprocal(), torch.inf)
        return AffineScale(1 / median_scale(depth, truth, known))
    return AffineScale(1.0)
