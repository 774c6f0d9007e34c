"""Tables of the edge filter, beside the filter before it and the usual ratio of depths."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.core.outputs import edge_filter
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings, remove_flying_pixels
from mono_depth_ros.core.outputs.edge_sharpness import edge_sharpness

from .alignment.table import percent, table
from .measuring import in_turns
from .smeared_truth import (
    AROUND,
    BEYOND_PX,
    SmearedView,
    bent_in_one_pixel,
    is_far_from_edges,
    kernel_radius,
    poles,
    smeared_view,
)

BLURS_PX = 0, 1, 2, 3
FEWEST = 100
"""The worst scene is one with so many flying, or surface, pixels or more."""
POLES_PX = 1, 2, 3, 4, 5, 6, 8, 12
CONSTANTS = '_LONGEST', '_BENDS', '_RISES'
EMBEDDED_PX = CompactDepth.input_size
WRONG = 0.1  # of ln depth

Filter = Callable[[torch.Tensor, int], torch.Tensor]
SmearedViews = dict[int, list[SmearedView]]
"""By blur [px of the network]."""


def ours(inverse_depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return what the package makes of it."""
    return remove_flying_pixels(inverse_depth, EdgeFilterSettings(), radius)


def by_ratio(inverse_depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return the usual test: the ratio of depths in a 3x3 window alone."""
    q = inverse_depth[None, None]
    nearest = F.max_pool2d(q, 3, 1, 1)[0, 0]
    farthest = -F.max_pool2d(-q, 3, 1, 1)[0, 0]
    return inverse_depth.masked_fill(nearest > farthest * 1.1, torch.nan)


FILTERS: dict[str, Filter] = {'before': bent_in_one_pixel, 'ours': ours}


def smeared(depths: Iterable[torch.Tensor], input_size: int) -> SmearedViews:
    """Return the views by blur [px of the network]."""
    kept = list(depths)
    return {blur: [smeared_view(depth, input_size, blur) for depth in kept] for blur in BLURS_PX}


def shares(views: list[SmearedView], filtered: Filter) -> tuple[list[str], list[str]]:
    """Return what is removed of flying points and kept of surface, of all and of the worst."""
    counts = []
    for view in views:
        gone = filtered(view.inverse_depth, view.radius).isnan()
        flags = gone & view.flies, view.flies, ~gone & view.is_surface, view.is_surface
        counts.append([int(flag.sum()) for flag in flags])
    removed, flying, kept, surface = np.array(counts, float).T
    return _pooled(removed, flying), _pooled(kept, surface)


def _pooled(part: np.ndarray, whole: np.ndarray) -> list[str]:
    some = whole >= FEWEST
    return [percent(part.sum() / whole.sum()), percent((part[some] / whole[some]).min())]


def share_table(views: dict[str, SmearedViews]) -> str:
    """Return the table of all networks and blurs."""
    head = ['seen at', 'radius', 'blur', 'flying', 'filter', 'removed', 'worst', 'kept', 'worst']
    rows = []
    for name, by_blur in views.items():
        for blur, some in by_blur.items():
            flying = np.mean([float(view.flies.float().mean()) for view in some])
            first = [name, str(some[0].radius), f'{blur} px', percent(flying)]
            for which, filtered in FILTERS.items():
                removed, kept = shares(some, filtered)
                rows.append([*first, which, *removed, *kept])
    return table(head, rows)


def sharpness_table(
    views: dict[str, SmearedViews], worlds: dict[str, list[tuple[torch.Tensor, torch.Tensor]]]
) -> str:
    """Return how sharp edges are, by blur and of a network's own predictions."""
    seen = {
        f'{name}, {blur} px': [edge_sharpness(view.inverse_depth, view.radius) for view in some]
        for name, by_blur in views.items()
        for blur, some in by_blur.items()
    }
    for name, pairs in worlds.items():
        seen[f'own predictions, {name}'] = [
            edge_sharpness(q, kernel_radius(len(q), EMBEDDED_PX)) for q, _ in pairs
        ]
    rows = []
    for name, values in seen.items():
        known = [value for value in values if value is not None]
        low, middle, high = np.quantile(known, (0.1, 0.5, 0.9))
        shares = [f'{value:.2f}' for value in (low, middle, high)]
        rows.append([name, *shares, f'{len(values) - len(known)} of {len(values)}'])
    return table(['seen at, blur', '10 %', 'median', '90 %', 'too few edges'], rows)


def prediction_table(worlds: dict[str, list[tuple[torch.Tensor, torch.Tensor]]]) -> str:
    """Return how much is kept of the embedded network's own inverse depth, and how wrong that is.

    Beyond true edges, and beyond what the network's pixels smear of them; and the shares of what
    is removed and of what is kept beyond edges whose depth is off by more than `WRONG`.
    """
    rows = []
    for name, pairs in worlds.items():
        for which, filtered in FILTERS.items():
            kept, kept_farther, kept_of_all, wrong_removed, wrong_kept = (
                _pooled(*np.array(counts, float).T)
                for counts in zip(
                    *(_kept_and_wrong(*pair, filtered) for pair in pairs), strict=True
                )
            )
            wrong = [wrong_removed[0], wrong_kept[0]]
            rows.append([name, which, *kept, *kept_farther, *kept_of_all, *wrong])
    head = ['kept', 'worst', 'kept farther away', 'worst', 'kept of all pixels', 'worst']
    return table(['frames', 'filter', *head, 'wrong of removed', 'wrong of kept'], rows)


def _kept_and_wrong(
    q: torch.Tensor, depth: torch.Tensor, filtered: Filter
) -> list[tuple[int, int]]:
    """Return part and whole of each share in the table, of one frame."""
    radius = kernel_radius(len(q), EMBEDDED_PX)
    is_kept, known = filtered(q, radius).isfinite(), q > 0
    far = is_far_from_edges(depth) & known
    farther = is_far_from_edges(depth, BEYOND_PX + AROUND * radius) & known
    is_wrong = (q * depth).log().abs() > WRONG
    shares = (is_kept, far), (is_kept, farther), (is_kept, known), (is_wrong, far & ~is_kept)
    return [
        (int((part & whole).sum()), int(whole.sum()))
        for part, whole in (*shares, (is_wrong, far & is_kept))
    ]


def pole_table() -> str:
    """Return the share of poles that are found after the filter, of those found before it."""
    rows = []
    for blur in BLURS_PX:
        for which, filtered in FILTERS.items():
            cells = []
            for width in POLES_PX:
                found = [(q, flags) for q, flags in poles(width, blur) if flags.any()]
                kept = sum(bool((filtered(q, 1).isfinite() & f)[24].any()) for q, f in found)
                cells.append(f'{kept} of {len(found)}' if found else '-')
            rows.append([f'{blur} px', which, *cells])
    return table(['blur', 'filter', *(f'{width} px' for width in POLES_PX)], rows)


@contextmanager
def changed(name: str, value: object) -> Iterator[None]:
    """Change a constant of the package."""
    before = getattr(edge_filter, name)
    setattr(edge_filter, name, value)
    try:
        yield
    finally:
        setattr(edge_filter, name, before)


def constant_table(views: SmearedViews) -> str:
    """Return what another value of each constant removes and keeps, by blur."""
    changes = [(CONSTANTS[0], 1.0), *itertools.product(CONSTANTS, (0.5, 0.75, 1.5, 2))]
    rows = []
    for name, factor in changes:
        value = getattr(edge_filter, name)
        values = tuple(factor * v for v in value) if isinstance(value, tuple) else factor * value
        with changed(name, values):
            cells = [' / '.join(part[0] for part in shares(some, ours)) for some in views.values()]
        rows.append([f'`{name}` times {factor:g}', *cells])
    rows[0][0] = '**the package**'
    return table(['constant', *(f'{blur} px' for blur in views)], rows)


def floor_table() -> str:
    """Return how far a level floor is kept without a gap, by the height of the camera."""
    ray_down = PinholeCamera.from_fov(640, 480, 70).rays()[1]
    rows = []
    for height_m in (0.1, 0.3, 1.0):
        q = torch.where(ray_down > 0, ray_down / height_m, 0.0)
        cells = []
        for filtered in (*FILTERS.values(), by_ratio):
            gone = filtered(q, 1)[:, 320].isnan() & (q[:, 320] > 0)
            lost = ray_down[:, 320][gone]
            cells.append(f'{height_m / float(lost.max()):.1f} m' if len(lost) else 'none')
        rows.append([f'{height_m} m', *cells])
    return table(['camera height', *FILTERS, 'ratio in 3x3'], rows)


def time_table(q: torch.Tensor, rounds: int) -> str:
    """Return the milliseconds of one CPU thread on this machine."""
    candidates = {
        f'{which}, radius {radius}': (lambda f=filtered, r=radius: f(q, r))
        for radius in (1, 4)
        for which, filtered in FILTERS.items()
    }
    times = in_turns(candidates, rounds, torch.device('cpu'))
    cpu = {name: 1e3 * taken.cpu for name, taken in times.items()}
    rows = [[name, f'{np.median(ms):.2f}', f'{ms.min():.2f}'] for name, ms in cpu.items()]
    return table(['640x480', 'median [ms]', 'least [ms]'], rows)
