"""Why next to none of a measurement lies in the range of depth, by the units that explain it."""

import math

import torch

from .depth_measurement import DepthMeasurement

_USUAL_DEPTH_M = 3.0
"""Of several units that explain a depth out of range, the `_CAUSES` nearest to this are named."""
_CAUSES = 2


def explain_out_of_range(measurement: DepthMeasurement, depth_range: tuple[float, float]) -> str:
    """Return why next to none of a measurement lies within a range [m]; '' if most of it does."""
    near, far = depth_range
    depth = 1 / measurement.inverse_depth[measurement.inverse_depth.isfinite()].double()
    origin = measurement.origin or 'the measurement'
    if not len(depth):
        return (
            f'no pixel of {origin} is valid: nothing was matched or seen, all is marked as '
            'missing, or of a stereo pair the cameras are swapped'
        )
    inside = int(((depth >= near) & (depth <= far)).sum())
    if inside > len(depth) / 2:
        return ''
    first, median, last = depth.cpu().quantile(torch.tensor((0.02, 0.5, 0.98)).double()).tolist()
    # A unit explains it only if all would then be in range.
    causes = sorted(
        (abs(math.log(median / factor / _USUAL_DEPTH_M)), factor, cause)
        for factor, cause in measurement.units.items()
        if near <= first / factor and last / factor <= far
    )
    said = (
        f'{inside} of {len(depth)} valid pixels of {origin} lie within min_depth {near:g} m and '
        f'max_depth {far:g} m: their depth is {first:.3g} to {last:.3g} m'
    )
    if not causes:
        return f'{said}; correct its units, or the range if that depth is right'
    fitting = (
        f'{first / factor:.3g} to {last / factor:.3g} m if {cause}'
        for _, factor, cause in causes[:_CAUSES]
    )
    return f'{said}. It would be {", or ".join(fitting)}'
