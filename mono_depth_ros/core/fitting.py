"""Scale and shift between predictions and measured inverse depth, in the presence of outliers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .errors import AlignmentError
from .stereo import StereoObservation
from .types import Alignment

MAX_POINTS = 4096
_HYPOTHESES = 256
_JUDGES = 512
_REFINEMENTS = 8
_MODEL_ERROR = 0.05
"""A network's error grows with inverse depth: this share of it."""
_EDGE_STEP = 0.2
_EDGE_REACH_PX = 2
_MAX_SCALE_ERROR = 0.25
_TUKEY = 4.685


@dataclass(frozen=True, eq=False)
class Points:
    """Pairs to be fitted.

    Attributes:
        prediction: (N,) float32.
        inverse_depth: (N,) float32 [1/m], measured.
        deviation: (N,) float32 [1/m], expected standard deviation of their difference.
    """

    prediction: torch.Tensor
    inverse_depth: torch.Tensor
    deviation: torch.Tensor

    def __len__(self) -> int:
        return len(self.prediction)


@dataclass(frozen=True, eq=False)
class Fit:
    """An alignment and how well it holds.

    Attributes:
        alignment: The map from prediction to inverse depth.
        inlier_ratio: Share of the points within three deviations.
        residual: Median relative error of inverse depth over all points, without unit.
        points: How many points there were.
        normal: (2, 2) weighted normal matrix of (prediction, 1), per point.
        moment: (2,) weighted right-hand side, per point.
    """

    alignment: Alignment
    inlier_ratio: float
    residual: float
    points: int
    normal: torch.Tensor
    moment: torch.Tensor


def select_points(
    prediction: torch.Tensor,
    observation: StereoObservation,
    near_far: tuple[float, float],
    generator: torch.Generator | None = None,
) -> Points:
    """Return pairs at measured pixels whose surroundings agree.

    The prediction is sampled at the centres of the measured pixels; the measurement is never
    interpolated. Pixels beside a step in inverse depth are left out: there, the two disagree
    about where the edge is.

    Args:
        prediction: (H, W) float32 on any device.
        observation: Of the same view, at any resolution, on the same device.
        near_far: Depths between which measurements count [m].
        generator: Of the random choice among more than `MAX_POINTS` pixels.
    """
    measured = observation.inverse_depth
    near, far = near_far
    pixels = ((measured >= 1 / far) & (measured <= 1 / max(near, 1e-6))).nonzero()
    if len(pixels) > MAX_POINTS:
        chosen = torch.randint(len(pixels), (MAX_POINTS,), generator=generator)
        pixels = pixels[chosen.to(pixels.device)]
    v, u = pixels.unbind(1)
    value = measured[v, u]
    keep = ~_beside_step(measured, v, u, value)
    v, u, value = v[keep], u[keep], value[keep]
    height, width = measured.shape
    grid = torch.stack(((2 * u + 1) / width - 1, (2 * v + 1) / height - 1), dim=-1)
    sampled = F.grid_sample(
        prediction[None, None],
        grid[None, None].to(prediction.dtype),
        align_corners=False,
        padding_mode='border',
    )[0, 0, 0]
    deviation = (observation.noise**2 + (_MODEL_ERROR * value).square()).sqrt()
    known = sampled.isfinite()
    return Points(sampled[known], value[known], deviation[known])


def _beside_step(
    measured: torch.Tensor, v: torch.Tensor, u: torch.Tensor, value: torch.Tensor
) -> torch.Tensor:
    height, width = measured.shape
    step = torch.zeros_like(value, dtype=torch.bool)
    for dv, du in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        beside = measured[
            (v + dv * _EDGE_REACH_PX).clamp(0, height - 1),
            (u + du * _EDGE_REACH_PX).clamp(0, width - 1),
        ]
        step |= (beside - value).abs() > _EDGE_STEP * value
    return step


def fit_robust(points: Points, generator: torch.Generator | None = None) -> Fit:
    """Return the fit that most points support: hypotheses from pairs, then Tukey's biweight.

    The best of many two-point hypotheses under a truncated quadratic cost (MSAC, Torr and
    Zisserman, 2000) starts an iteratively reweighted fit, whose scale is the median absolute
    deviation of the points near the current line.

    Raises:
        AlignmentError: No hypothesis has a positive scale, or scale is not determined.
    """
    alignment = _best_hypothesis(points, generator)
    residual = _residual(points, alignment)
    for _ in range(_REFINEMENTS):
        near = residual.abs()[residual.abs() < 3]
        spread = 1.4826 * float(near.median()) if len(near) else 1.0
        scaled = residual / (_TUKEY * min(max(spread, 0.05), 1.5))
        weight = (1 - scaled.square()).clamp(min=0).square()
        alignment, normal, moment = _weighted(points, weight)
        residual = _residual(points, alignment)
    return _judged(points, alignment, normal, moment)


def fit_least_squares(points: Points, generator: torch.Generator | None = None) -> Fit:
    """Return the plain least-squares fit over all points.

    Raises:
        AlignmentError: Scale is not positive or not determined.
    """
    weight = points.deviation.square()  # cancels the noise model: every point counts the same
    alignment, normal, moment = _weighted(points, weight / weight.mean())
    return _judged(points, alignment, normal, moment)


def fit_min_max(points: Points, generator: torch.Generator | None = None) -> Fit:
    """Return the map of the prediction's range onto the range of measured inverse depth.

    Raises:
        AlignmentError: The prediction has no range.
    """
    p_low, p_high = points.prediction.aminmax()
    q_low, q_high = points.inverse_depth.aminmax()
    if float(p_high - p_low) <= 0 or float(q_high - q_low) <= 0:
        raise AlignmentError('prediction or disparity is the same everywhere; nothing to stretch')
    scale = float((q_high - q_low) / (p_high - p_low))
    alignment = Alignment(scale, float(q_low) - scale * float(p_low))
    _, normal, _ = _weighted(points, torch.ones_like(points.deviation))
    solution = normal.new_tensor([alignment.scale, alignment.shift])
    return _judged(points, alignment, normal, normal @ solution)


METHODS: dict[str, Callable[[Points, torch.Generator | None], Fit]] = {
    'robust': fit_robust,
    'least_squares': fit_least_squares,
    'min_max': fit_min_max,
}


def _residual(points: Points, alignment: Alignment) -> torch.Tensor:
    """Return the points' errors in units of their expected deviation."""
    predicted = alignment.scale * points.prediction + alignment.shift
    return (predicted - points.inverse_depth) / points.deviation


def _best_hypothesis(points: Points, generator: torch.Generator | None) -> Alignment:
    device = points.prediction.device
    pairs = torch.randint(len(points), (2, _HYPOTHESES), generator=generator).to(device)
    judges = torch.randint(len(points), (_JUDGES,), generator=generator).to(device)
    p, q = points.prediction[pairs], points.inverse_depth[pairs]
    scale = (q[0] - q[1]) / (p[0] - p[1])
    shift = q[0] - scale * p[0]
    predicted = scale[:, None] * points.prediction[judges] + shift[:, None]
    error = (predicted - points.inverse_depth[judges]) / points.deviation[judges]
    cost = error.square().clamp(max=9).mean(1)
    cost = cost.masked_fill(~((scale > 0) & scale.isfinite()), torch.inf)
    best = int(cost.argmin())
    if not torch.isfinite(cost[best]):
        raise AlignmentError(
            'no pair of points gives a positive scale: the prediction does not vary with the '
            'measured depth'
        )
    return Alignment(float(scale[best]), float(shift[best]))


def _weighted(
    points: Points, weight: torch.Tensor
) -> tuple[Alignment, torch.Tensor, torch.Tensor]:
    """Return the weighted least-squares line, its normal matrix and right-hand side per point."""
    w = (weight / points.deviation.square()).double()
    p, q = points.prediction.double(), points.inverse_depth.double()
    design = torch.stack((p, torch.ones_like(p)), dim=1)
    normal = (design * w[:, None]).T @ design / len(points)
    moment = design.T @ (w * q) / len(points)
    normal, moment = normal.cpu(), moment.cpu()
    return solve(normal, moment), normal, moment


def solve(normal: torch.Tensor, moment: torch.Tensor) -> Alignment:
    """Return the alignment of a (2, 2) normal matrix and (2,) right-hand side.

    Raises:
        AlignmentError: Scale is not determined, or not positive.
    """
    (a, b), (_, c) = normal.tolist()
    d, e = moment.tolist()
    determinant = a * c - b * b
    if not determinant > 1e-9 * a * c:
        raise AlignmentError('the scene is flat to the network; scale is not determined')
    scale, shift = (d * c - b * e) / determinant, (a * e - b * d) / determinant
    if not scale > 0:
        raise AlignmentError(f'scale came out as {scale:.4g}; it must be positive')
    return Alignment(scale, shift)


def _judged(
    points: Points, alignment: Alignment, normal: torch.Tensor, moment: torch.Tensor
) -> Fit:
    """Return the fit with its quality.

    Raises:
        AlignmentError: The standard error of scale is too large a share of it.
    """
    residual = _residual(points, alignment).abs()
    relative = residual * points.deviation / points.inverse_depth
    variance = float(torch.linalg.inv(normal)[0, 0]) / len(points)
    # Neighbouring points err together; a hundred of them count as one.
    error = (100 * variance) ** 0.5 / alignment.scale
    if error > _MAX_SCALE_ERROR:
        raise AlignmentError(
            f'scale is uncertain by {error:.0%}: too few points or too little spread of depth'
        )
    return Fit(
        alignment,
        inlier_ratio=float((residual < 3).double().mean()),
        residual=float(relative.median()),
        points=len(points),
        normal=normal,
        moment=moment,
    )
