"""Clouds against clouds: precision, recall and F-score of points; and clouds seen as depth."""

from typing import NamedTuple

import torch

from ..camera.pinhole import PinholeCamera
from ..outputs.cloud import centroids


class FScore(NamedTuple):
    """Agreement of two clouds, 0..1 each.

    Attributes:
        precision: Share of the points with a true point nearby.
        recall: Share of the true points with a point nearby.
        f: Their harmonic mean.
    """

    precision: float
    recall: float
    f: float


def cloud_f_score(points: torch.Tensor, truth: torch.Tensor, threshold_m: float) -> FScore | None:
    """Return the F-score of a cloud (N, 3) against the true one (M, 3), both finite [m].

    Knapitsch et al., Tanks and Temples, 2017: a point is right if the nearest of the other cloud
    is less than `threshold_m` away. Both clouds are first thinned to the mean of the points in
    each cube of half that size, so that a near surface does not outvote a far one. Without any
    point all three are 0; None without a true point.
    """
    if not len(truth):
        return None
    if not len(points):
        return FScore(0.0, 0.0, 0.0)
    cloud, true_cloud = (centroids(p.float(), threshold_m / 2) for p in (points, truth))
    precision = float(has_neighbor(cloud, true_cloud, threshold_m).double().mean())
    recall = float(has_neighbor(true_cloud, cloud, threshold_m).double().mean())
    both = precision + recall
    return FScore(precision, recall, 2 * precision * recall / both if both else 0.0)


def has_neighbor(points: torch.Tensor, others: torch.Tensor, radius_m: float) -> torch.Tensor:
    """Return (N,) bool: which points (N, 3) have one of the others (M, 3), M > 0, nearer than r.

    Exact: whatever is nearer lies in one of the 27 cubes of edge r around a point. Three of those
    follow each other along z, so that the others, sorted by cube, are found in 9 spans.
    """
    cells, other_cells = ((p.double() / radius_m).floor().long() for p in (points, others))
    low = torch.minimum(cells.amin(0), other_cells.amin(0)) - 1
    cells, other_cells = cells - low, other_cells - low
    counts = torch.maximum(cells.amax(0), other_cells.amax(0)) + 2
    stride = torch.stack((counts[1] * counts[2], counts[2], torch.ones_like(counts[2])))
    keys, order = (other_cells * stride).sum(1).sort()
    place, other_place = points.double(), others.double()[order]
    found = torch.zeros(len(points), dtype=torch.bool, device=points.device)
    steps = torch.tensor((-1, 0, 1), device=points.device)
    for step in torch.cartesian_prod(steps, steps):
        middle = ((cells[:, :2] + step) * stride[:2]).sum(1) + cells[:, 2]
        first = torch.searchsorted(keys, middle - 1)
        count = torch.searchsorted(keys, middle + 1, right=True) - first
        point = torch.arange(len(points), device=points.device).repeat_interleave(count)
        nth = torch.arange(len(point), device=points.device) - (count.cumsum(0) - count)[point]
        apart = (place[point] - other_place[first[point] + nth]).square().sum(1)
        found[point[apart < radius_m**2]] = True
    return found


def project_points(points: torch.Tensor, camera: PinholeCamera) -> torch.Tensor:
    """Return depth (H, W) float32 [m] of points (N, 3) in the optical frame, NaN where none is.

    Each point falls on the pixel that it is seen in; of several the nearest counts. Between the
    points of a thin cloud, what is behind them shows through.
    """
    ahead = points[points.isfinite().all(1) & (points[:, 2] > 0)]
    x, y, z = ahead.double().T
    u = (camera.fx * x / z + camera.cx).round()
    v = (camera.fy * y / z + camera.cy).round()
    seen = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    pixel = (v[seen] * camera.width + u[seen]).long()
    depth = torch.full((camera.height * camera.width,), torch.inf)
    depth.scatter_reduce_(0, pixel, z[seen].float(), 'amin')
    return depth.masked_fill(depth.isinf(), torch.nan).view(camera.height, camera.width)
