"""What several tests ask of an estimator."""

import torch

from mono_depth_ros.core.network.estimator import Estimator


def predicted(estimator: Estimator, rgb: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return the values predicted for one image whose camera is not told."""
    return estimator.predict([rgb], size, [None])[0].values
