"""Near obstacles that the disparity of the frame has right: what becomes of them."""

import torch

from mono_depth_ros.core.evaluation.metrics import truth_mask
from mono_depth_ros.core.evaluation.obstacle_metrics import FOUND_TOLERANCE, nearest_in_columns
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings, remove_flying_pixels

from ..alignment.table import table
from .methods import FUSED, MODELS, metric_depth
from .scenes import TINY, Scene

NEAR_M = 2.0
KERNEL_RADIUS = 2  # of tiny at 320x240
PUBLISHED = f'{FUSED}, after the edge filter'


def shares_right(
    pairs: list[Scene], names: tuple[str, ...] = (*MODELS, PUBLISHED)
) -> tuple[dict[str, float], int, int]:
    """Return the share of columns that each depth has right, of those that disparity has right.

    Right is a column whose nearest depth, within the band that a robot runs into, is within 30 %.

    Returns:
        The shares by name, the number of columns with something nearer than `NEAR_M`, and of those
        that disparity has right.
    """
    right = dict.fromkeys(names, 0)
    near = known = 0
    for scene in pairs:
        truth = _nearest(scene.truth, scene)
        is_near = truth < NEAR_M
        chosen = is_near & _agrees(_nearest(scene.stereo.inverse_depth, scene), truth)
        near, known = near + int(is_near.sum()), known + int(chosen.sum())
        for name in names:
            found = _agrees(_nearest(_inverse_depth(name, scene), scene), truth)[chosen]
            right[name] += int(found.sum())
    return {name: count / known for name, count in right.items()}, near, known


def report(shares: dict[str, float], near: int, known: int) -> str:
    """Return the table of what `shares_right` returned."""
    return (
        f'\n## Near obstacles\n\n{near} columns of the simulated pairs have something nearer than '
        f'{NEAR_M:g} m between floor and roof of the robot; SGBM has {known} of them within '
        f'{FOUND_TOLERANCE:.0%}. Of these, with {TINY}, right are:\n\n'
        + table(['depth', 'columns right'], [[n, f'{s:.1%}'] for n, s in shares.items()])
    )


def _inverse_depth(name: str, scene: Scene) -> torch.Tensor:
    model = MODELS[FUSED if name == PUBLISHED else name]
    metric, _ = metric_depth(model, 'disparity', scene, TINY, scene.stereo)
    if name != PUBLISHED:
        return metric.inverse_depth
    return remove_flying_pixels(
        metric.inverse_depth, EdgeFilterSettings(), KERNEL_RADIUS, metric.is_measured
    )


def _nearest(inverse_depth: torch.Tensor, scene: Scene) -> torch.Tensor:
    depth = inverse_depth.reciprocal()
    return nearest_in_columns(depth, truth_mask(depth), scene.camera)


def _agrees(nearest: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return (nearest / truth - 1).abs() <= FOUND_TOLERANCE
