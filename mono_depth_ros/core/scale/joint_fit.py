"""One fit to the points of several sources, of which some measure and others estimate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .correspondences import Correspondences, area_weights
from .fitting import Fit, inliers
from .sources import SOURCES

Method = Callable[[Correspondences, np.random.Generator], Fit]

MIN_INLIERS = 0.35  # of the points, of which 40 % may be right
_LEAST_ESTIMATES = 256  # points; else as many as were measured, so that hypotheses are of both


@dataclass(frozen=True, eq=False)
class JointFit:
    """A fit.

    Attributes:
        fit: Scale, shift and quality.
        points: What it was made to.
        sources: Whose they are, without those that most of the others contradict.
    """

    fit: Fit
    points: Correspondences
    sources: tuple[str, ...]


def are_estimates(names: Sequence[str]) -> bool:
    """Say whether there are sources, and all of them estimate."""
    return bool(names) and all(SOURCES[name].is_estimate for name in names)


def are_indirect(names: Sequence[str]) -> bool:
    """Say whether there are sources, and none of them measures pixels."""
    return bool(names) and not any(SOURCES[name].is_fused for name in names)


def joined(points: Mapping[str, Correspondences]) -> Correspondences:
    """Return the points of all sources as one set, in which each region of the image counts alike.

    Beside what was measured, all estimates together count as one region: their errors, such as
    that of a camera's height and pitch, are common to all of their points.
    """
    parts = list(points.values())
    if len(parts) == 1:
        return parts[0]
    is_estimate = np.concatenate(
        [np.full(len(part), SOURCES[name].is_estimate) for name, part in points.items()]
    )
    position = np.concatenate([part.position for part in parts])
    every = Correspondences(
        np.concatenate([part.prediction for part in parts]),
        np.concatenate([part.inverse_depth for part in parts]),
        position,
        np.concatenate([np.broadcast_to(part.noise, len(part)) for part in parts]),
        area_weights(position),
        parts[0].typical,
        is_estimate,
    )
    if is_estimate.all() or not is_estimate.any():
        return replace(every, is_common=None)
    return _with_few_estimates(every, is_estimate)


def _with_few_estimates(
    points: Correspondences, is_estimate: npt.NDArray[np.bool_]
) -> Correspondences:
    """Return points with some of the estimates, which weigh as much as one region measured."""
    measured = int((~is_estimate).sum())
    step = max(1, int(is_estimate.sum()) // max(measured, _LEAST_ESTIMATES))
    kept = ~is_estimate
    kept[np.flatnonzero(is_estimate)[::step]] = True
    chosen, common = points.subset(kept), is_estimate[kept]
    of_region = chosen.weight[~common].sum() / (chosen.regions - 1)
    weight = chosen.weight.copy()
    weight[common] *= of_region / weight[common].sum()
    return replace(chosen, weight=weight / weight.mean())


def measured_points(points: Mapping[str, Correspondences]) -> dict[str, Correspondences]:
    """Return those of sources that measure."""
    return {name: part for name, part in points.items() if not SOURCES[name].is_estimate}


def fit_jointly(
    points: Mapping[str, Correspondences],
    method: Method,
    random: np.random.Generator,
    left_out: dict[str, str],
) -> JointFit:
    """Return the fit to the points of all sources that do not contradict it.

    If that would leave out all that was measured, the estimates are left out instead.

    Args:
        points: Of each source.
        method: Of fitting.
        random: Source of the hypotheses.
        left_out: Told which sources are not used, and why, whether there is a fit or not.

    Raises:
        FlatSceneError: Measured depth hardly varies.
        AlignmentError: There is no fit.
    """
    chosen, measured = joined(points), measured_points(points)
    fit = method(chosen, random)
    if len(points) == 1:
        return JointFit(fit, chosen, tuple(points))
    agreeing = {n: float(inliers(part, fit.alignment).mean()) for n, part in points.items()}
    astray = {name for name, share in agreeing.items() if share < MIN_INLIERS}
    if measured.keys() <= astray and measured:
        astray = points.keys() - measured.keys()
    others = {name: part for name, part in points.items() if name not in astray}
    if not astray or not others:
        return JointFit(fit, chosen, tuple(points))
    for name in astray:
        share, who = agreeing[name], ' and '.join(others)
        left_out[name] = f'{share:.0%} of its points agree with a fit that {who} shares'
    return fit_jointly(others, method, random, left_out)
