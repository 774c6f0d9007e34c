"""One fit to the points of several sources, of which some measure and others estimate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .correspondences import Correspondences, area_weights
from .fitting import Fit, inliers
from .sources import SOURCES

Method = Callable[[Correspondences, np.random.Generator], Fit]

MIN_INLIERS = 0.35  # of the points, of which 40 % may be right
_MIN_ESTIMATES = 0.75  # the same of estimates, as much as must lie on one floor: ground_source.py
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

    Beside what was measured, an estimate counts as one region: its error, such as that of the
    camera's height and pitch, is common to all of its points.
    """
    names = list(points)
    if len(names) == 1:
        return points[names[0]]
    common = [] if are_estimates(names) else [name for name in names if are_estimates([name])]
    own = [points[name] for name in names if name not in common]
    count = max(sum(map(len, own)), _LEAST_ESTIMATES)
    parts = own + [_thinned(points[name], count) for name in common]
    is_common = np.concatenate([np.full(len(part), k >= len(own)) for k, part in enumerate(parts)])
    position = np.concatenate([part.position for part in parts])
    every = Correspondences(
        np.concatenate([part.prediction for part in parts]),
        np.concatenate([part.inverse_depth for part in parts]),
        position,
        np.concatenate([np.broadcast_to(part.noise, len(part)) for part in parts]),
        area_weights(position),
        parts[0].typical,
        parts[0].farthest,
        is_common if common else None,
        parts[0].quantity,
        parts[0].is_absolute,
    )
    return _with_one_region_each(every, [len(part) for part in parts[len(own) :]])


def _thinned(points: Correspondences, most: int) -> Correspondences:
    """Return about as many points, spread over all."""
    kept = np.zeros(len(points), np.bool_)
    kept[:: max(1, len(points) // most)] = True
    return points.subset(kept)


def _with_one_region_each(points: Correspondences, counts: list[int]) -> Correspondences:
    """Return points whose last groups, of these sizes, weigh as much as one of the regions."""
    weight, end = points.weight.copy(), len(points)
    own = end - sum(counts)
    of_region = weight[:own].sum() / max(points.regions - bool(counts), 1)
    for count in reversed(counts):
        group = slice(end - count, end)
        weight[group] *= of_region / weight[group].sum()
        end -= count
    return replace(points, weight=weight / weight.mean())


def measured_points(points: Mapping[str, Correspondences]) -> dict[str, Correspondences]:
    """Return the points of sources that measure, of pixels if there are any."""
    measured = {name: part for name, part in points.items() if not are_estimates([name])}
    pixels = {name: part for name, part in measured.items() if not are_indirect([name])}
    return pixels or measured


def fit_jointly(
    points: Mapping[str, Correspondences],
    method: Method,
    random: np.random.Generator,
    left_out: dict[str, str],
) -> JointFit:
    """Return the fit to the points of all sources that do not contradict it.

    If that would leave out all that was measured, the estimates are left out instead. One distance
    tells no shape, so a range is not needed beside pixels that were measured.

    Args:
        points: Of each source.
        method: Of fitting.
        random: Source of the hypotheses.
        left_out: Told which sources are not used, and why, whether there is a fit or not.

    Raises:
        FlatSceneError: Measured depth hardly varies.
        AlignmentError: There is no fit.
    """
    measured = measured_points(points)
    points = {n: part for n, part in points.items() if n in measured or are_estimates([n])}
    chosen = joined(points)
    fit = method(chosen, random)
    if len(points) == 1:
        return JointFit(fit, chosen, tuple(points))
    agreeing = {n: float(inliers(part, fit.alignment).mean()) for n, part in points.items()}
    astray = {
        name
        for name, share in agreeing.items()
        if share < (_MIN_ESTIMATES if SOURCES[name].is_estimate else MIN_INLIERS)
    }
    is_about_estimates = bool(measured) and measured.keys() <= astray
    if is_about_estimates:
        astray = points.keys() - measured.keys()
    others = {name: part for name, part in points.items() if name not in astray}
    if not astray or not others:
        return JointFit(fit, chosen, tuple(points))
    who = ' and '.join(others)
    for name in astray:
        left_out[name] = f'{agreeing[name]:.0%} of its points agree with the fit to {who}'
        if is_about_estimates:
            most = max(agreeing[other] for other in measured)
            left_out[name] = f'with it {most:.0%} of the points of {who} agree with the fit'
    return fit_jointly(others, method, random, left_out)
