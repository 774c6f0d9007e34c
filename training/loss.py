"""Losses on canonical inverse depth: of its values in meters, and of the shape that remains."""

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
_FAR = 0.003
"""Canonical inverse depth at which differences fade: about 150 m at f = S / 2."""


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of values (B, H, W) where the mask is 1."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


def normalized(truth: Tensor) -> Tensor:
    """Return inverse depth (B, H, W) over each image's mean: free of scale, never negative."""
    return truth / truth.mean(dim=(1, 2), keepdim=True).clamp(min=1e-6)


def aligned(prediction: Tensor, truth: Tensor) -> Tensor:
    """Return `prediction` after each image's least-squares scale (>= 0) and shift onto `truth`."""
    p = prediction - prediction.mean(dim=(1, 2), keepdim=True)
    t_mean = truth.mean(dim=(1, 2), keepdim=True)
    covariance = (p * (truth - t_mean)).mean(dim=(1, 2), keepdim=True)
    variance = p.square().mean(dim=(1, 2), keepdim=True)
    return covariance.clamp(min=0) / (variance + 1e-6) * p + t_mean


def log_error(prediction: Tensor, truth: Tensor) -> Tensor:
    """Return the mean error of the logarithm: that of depth in meters, the focal length known."""
    return ((prediction + _FAR).log() - (truth + _FAR).log()).abs().mean()


def depth_error(fitted: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Return the mean error of depth, |z - z*| / z*, of a fit of inverse depth onto the truth.

    As in the exam, what lies behind the farthest true depth of its image is judged there.
    """
    farthest = torch.where(known > 0, truth, torch.inf).amin(dim=(1, 2), keepdim=True)
    farthest = torch.where(farthest.isfinite(), farthest, 1.0).clamp(min=1e-3)
    return masked_mean((truth / torch.maximum(fitted, farthest) - 1).abs().clamp(max=4), known)


def gradient_error(prediction: Tensor, truth: Tensor, scales: int = 4) -> Tensor:
    """Return the multi-scale gradient loss (Li and Snavely, 2018) of the logarithm."""
    difference = (prediction + _FAR).log() - (truth + _FAR).log()
    total = prediction.new_zeros(())
    for _ in range(scales):
        total = total + (difference[:, :, 1:] - difference[:, :, :-1]).abs().mean()
        total = total + (difference[:, 1:] - difference[:, :-1]).abs().mean()
        difference = difference[:, ::2, ::2]
    return total / scales


def edge_error(prediction: Tensor, truth: Tensor, ratio: float = 1.15) -> Tensor:
    """Return the error of steps of the logarithm where the truth steps by more than `ratio`.

    Steps over two pixels: where a network smears an edge, it is there that they are too small.
    """
    p, t = (prediction + _FAR).log(), (truth + _FAR).log()
    limit = torch.log(torch.tensor(ratio))
    total = prediction.new_zeros(())
    for step_p, step_t in (
        (p[:, :, 2:] - p[:, :, :-2], t[:, :, 2:] - t[:, :, :-2]),
        (p[:, 2:] - p[:, :-2], t[:, 2:] - t[:, :-2]),
    ):
        at_edge = (step_t.abs() > limit).float()
        total = total + masked_mean((step_p - step_t).abs().clamp(max=1.0), at_edge)
    return total / 2


def training_loss(
    prediction: Tensor, truth: Tensor, gradient: float = 0.0, edge: float = 0.1
) -> Tensor:
    """Return the scalar loss of (B, H, W) predictions of canonical inverse depth."""
    known = (truth > 0).float()
    mean = truth.mean(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    fitted = aligned(prediction / mean, truth / mean)
    return (
        0.5 * log_error(prediction, truth)
        + depth_error(fitted, truth / mean, known)
        + gradient * gradient_error(prediction, truth)
        + edge * edge_error(prediction, truth)
    )


def unsteadiness(prediction: Tensor, truth: Tensor, inside: Tensor) -> Tensor:
    """Return how much the error of the logarithm differs between two pictures of the same.

    Pixel by pixel, and in the mean of the picture, which is what a scale jumps by.

    Args:
        prediction: (2B, H, W), pictures of pairs one after the other.
        truth: (2B, H, W).
        inside: (B, 4), see `Batch`.
    """
    error = (prediction + _FAR).log() - (truth + _FAR).log()
    first, second = error[::2], error[1::2]
    left, top, width, height = inside.unbind(1)
    zero = torch.zeros_like(left)
    across = torch.stack((width, zero, 2 * left + width - 1), dim=1)
    down = torch.stack((zero, height, 2 * top + height - 1), dim=1)
    grid = F.affine_grid(
        torch.stack((across, down), dim=1), [len(first), 1, *first.shape[1:]], align_corners=False
    )
    seen = F.grid_sample(first[:, None], grid, padding_mode='border', align_corners=False)
    difference = seen[:, 0] - second
    return difference.abs().clamp(max=0.5).mean() + difference.mean(dim=(1, 2)).abs().mean()
