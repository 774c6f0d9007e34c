"""Removal of flying pixels: depths between two surfaces that belong to neither."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .settings import Settings, setting


@dataclass(frozen=True)
class EdgeFilterSettings(Settings):
    """When a pixel counts as flying."""

    enabled: bool = setting(True, 'Remove pixels at depth discontinuities.')
    threshold: float = setting(
        0.1,
        'A pixel is removed where depth grows by more than this share across its 3x3 window.',
        minimum=0.001,
        maximum=10.0,
    )


def remove_flying_pixels(depth: torch.Tensor, settings: EdgeFilterSettings) -> torch.Tensor:
    """Return depth (H, W) [m] with NaN at discontinuities.

    A pixel goes where the ratio of the farthest to the nearest known depth in its 3x3 window
    exceeds 1 + threshold.
    """
    if not settings.enabled:
        return depth
    log_depth = depth.log()[None, None]
    farthest = F.max_pool2d(log_depth.nan_to_num(-torch.inf), 3, 1, 1)
    nearest = -F.max_pool2d((-log_depth).nan_to_num(-torch.inf), 3, 1, 1)
    steep = (farthest - nearest)[0, 0] > torch.log1p(torch.tensor(settings.threshold))
    return depth.masked_fill(steep, torch.nan)
