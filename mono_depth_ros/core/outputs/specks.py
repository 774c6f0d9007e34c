"""Specks: small clusters of pixels whose depth stands alone, as wrong matches leave them."""

import math

import cv2
import numpy as np
import torch

_JUMP = 0.05
"""Share of depth by which pixels of one cluster may differ from their neighbors."""
_STEPS = 20  # of the logarithm of depth in one jump
_NOTHING = -32768


def without_specks(depth: torch.Tensor, min_cluster: int) -> torch.Tensor:
    """Return depth (H, W) float32 [m] with NaN in clusters of fewer than `min_cluster` pixels.

    Neighbors (of four) belong to one cluster if their depths differ by less than 5 %. Clusters
    are found on the CPU, wherever depth is; 0 changes nothing.
    """
    if min_cluster <= 1:
        return depth
    per_log = _STEPS / math.log1p(_JUMP)
    steps = (depth.log() * per_log).nan_to_num_(_NOTHING, _NOTHING, _NOTHING)
    clusters = steps.clamp_(_NOTHING, 32767).to(torch.int16).cpu().numpy()
    cv2.filterSpeckles(clusters, _NOTHING, min_cluster - 1, _STEPS)
    is_speck = torch.from_numpy(clusters == np.int16(_NOTHING)).to(depth.device)
    return depth.masked_fill(is_speck, torch.nan)
