"""How sharp the depth edges of an image are: what its network makes of a step."""

from operator import gt

import torch

from ..cpu_pixels import compared, places

# Chosen by benchmarks/results/edges.md: so that blurs of 1 and 2 pixels are told apart, and the
# embedded network's own predictions count as sharp.
_LEAST_RISE, _QUANTILE = 0.2, 0.9
_MAX_FALL = 0.1
_INNER, _OUTER = 1, 3
"""To both sides [pixels of the network]: sharpness compares the rises over them."""
_LINES = 40
"""Along which edges are looked for, in each direction; twice as many take twice the time."""
_FEWEST = 10
"""Fewer edges say nothing."""


def edge_sharpness(
    inverse_depth: torch.Tensor, radius: int, is_measured: torch.Tensor | None = None
) -> float | None:
    """Return which share of a step over six pixels of the network lies in the middle two.

    A step smeared by a Gaussian of deviation s pixels has
    erf(1 / (s sqrt 2)) / erf(3 / (s sqrt 2)): 0.68 for s = 1, 0.44 for 2, 0.38 for 3; a straight
    slope has 1/3. It does not change with the scale and the shift of inverse depth.

    Args:
        inverse_depth: (H, W) float32 [1/m], NaN unknown.
        radius: Size of a pixel of the network [px].
        is_measured: (H, W) bool, what says nothing about the network; None if all does.

    Returns:
        That of the sharper edges, or None if there are too few.
    """
    # Line after line: of seven pixels in a row, none reach from one line into the next.
    shares = _shares(_lines(inverse_depth, radius, is_measured).flatten())
    if len(shares) < _FEWEST:
        return None
    # Read together: a GPU is waited for each time.
    count = shares.isfinite().sum(dtype=torch.float32)
    edges, share = torch.stack((count, shares.nanquantile(_QUANTILE))).tolist()
    return share if edges >= _FEWEST else None


def _lines(q: torch.Tensor, radius: int, is_measured: torch.Tensor | None) -> torch.Tensor:
    """Return lines along u and along v (N, L), NaN where measured, and six beyond their ends."""
    step = max(radius, min(q.shape) // _LINES)
    parts = q[::step, ::radius], q[::radius, ::step].T
    first, length = len(parts[0]), max(part.shape[1] for part in parts)
    lines = q.new_full((first + len(parts[1]), length + 2 * _OUTER), torch.nan)
    places = lines[:first, : parts[0].shape[1]], lines[first:, : parts[1].shape[1]]
    for place, part in zip(places, parts, strict=True):
        place.copy_(part)
    if is_measured is not None:
        places[0].masked_fill_(is_measured[::step, ::radius], torch.nan)
        places[1].masked_fill_(is_measured[::radius, ::step].T, torch.nan)
    return lines


def _shares(lines: torch.Tensor) -> torch.Tensor:
    """Return those of all steps along the lines (N,), NaN but where each is steepest."""
    before, after = lines[: -2 * _OUTER], lines[2 * _OUTER :]
    rise, nearer = (after - before).abs_(), torch.maximum(before, after)
    is_step = compared(rise, gt, _LEAST_RISE * nearer).logical_and_(compared(nearer, gt, 0.0))
    # Few are left, of which all seven pixels are looked at.
    steps = places(is_step)
    window = torch.arange(2 * _OUTER + 1, device=lines.device)
    pixels = lines[steps[:, None] + window]
    inner = pixels[:, 2 * _INNER :] - pixels[:, : -2 * _INNER]
    middle = inner[:, inner.shape[1] // 2]
    size = middle.abs()
    is_edge = (inner.abs() <= size[:, None]).all(dim=1)
    # Where depth soon changes the other way, it is the flank of something thin.
    ends, lowest = inner[:, [0, -1]] * middle[:, None], (-_MAX_FALL * middle).mul_(middle)
    is_edge &= (ends >= lowest[:, None]).all(dim=1)
    return torch.where(is_edge, size / rise.index_select(0, steps), torch.nan)
