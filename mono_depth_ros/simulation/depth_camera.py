"""What a depth camera measures in the view of the image: active stereo, with its holes."""

from dataclasses import dataclass

import torch

from ..core.camera.pinhole import PinholeCamera

_FOCAL_PX = 320.0


@dataclass(frozen=True)
class DepthCamera:
    """A depth camera whose depth is registered to the image.

    The numbers are those that the data sheet of a small active stereo camera states (RealSense
    D435): 50 mm between the imagers, at most 2 % of depth at 2 m, from 0.3 m on.

    Attributes:
        baseline_m: Between its imagers, the second one to the right of the image's.
        matching_px: Standard deviation of a match at a focal length of 320 px. Depth Z errs by
            Z^2 matching_px / (320 px baseline_m).
        nearest_m: Nothing is measured nearer.
        farthest_m: Nothing is measured farther.
        dropout: Share of further pixels without a match.
    """

    baseline_m: float = 0.05
    matching_px: float = 0.16
    nearest_m: float = 0.3
    farthest_m: float = 6.0
    dropout: float = 0.02

    def measure(self, depth: torch.Tensor, camera: PinholeCamera, seed: int = 0) -> torch.Tensor:
        """Return (H, W) float32 [m], NaN where nothing is measured.

        Args:
            depth: The true depth (H, W) [m] of the image.
            camera: That of the image.
            seed: Of the noise.
        """
        generator = torch.Generator().manual_seed(seed)
        sigma = depth.square() * (self.matching_px / (_FOCAL_PX * self.baseline_m))
        noisy = depth + sigma * torch.randn(depth.shape, generator=generator)
        is_lost = torch.rand(depth.shape, generator=generator) < self.dropout
        is_lost |= (depth < self.nearest_m) | (depth > self.farthest_m) | (noisy <= 0)
        is_lost |= _is_hidden(depth, camera.fx * self.baseline_m)
        return noisy.masked_fill(is_lost, torch.nan)


def _is_hidden(depth: torch.Tensor, disparity_m_px: float) -> torch.Tensor:
    """Return (H, W) bool: where something nearer hides a point from the imager on the right."""
    column = torch.arange(depth.shape[1], dtype=depth.dtype) - disparity_m_px / depth
    leftmost = column.flip(1).cummin(1).values.flip(1)
    hidden = torch.zeros_like(depth, dtype=torch.bool)
    hidden[:, :-1] = leftmost[:, 1:] < column[:, :-1]
    return hidden
