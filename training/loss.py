"""Losses on inverse depth that ignore what a single image cannot tell: scale and shift."""

import torch


def normalized(truth: torch.Tensor) -> torch.Tensor:
    """Return inverse depth (B, H, W) over each image's mean: free of scale, never negative."""
    return truth / truth.mean(dim=(1, 2), keepdim=True)


def aligned(prediction: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return `prediction` after each image's least-squares scale (>= 0) and shift onto `truth`."""
    p = prediction - prediction.mean(dim=(1, 2), keepdim=True)
    t_mean = truth.mean(dim=(1, 2), keepdim=True)
    covariance = (p * (truth - t_mean)).mean(dim=(1, 2), keepdim=True)
    variance = p.square().mean(dim=(1, 2), keepdim=True)
    return covariance.clamp(min=0) / (variance + 1e-4) * p + t_mean


def relative_error(prediction: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean error relative to the truth: an error in far depth counts as in near."""
    return ((prediction - truth).abs() / (truth + 0.1)).mean()


def gradient_error(prediction: torch.Tensor, truth: torch.Tensor, scales: int = 3) -> torch.Tensor:
    """Return the multi-scale gradient loss (Li and Snavely, 2018), relative to the truth."""
    difference = (prediction - truth) / (truth + 0.3)
    total = prediction.new_zeros(())
    for _ in range(scales):
        total = total + (difference[:, :, 1:] - difference[:, :, :-1]).abs().mean()
        total = total + (difference[:, 1:] - difference[:, :-1]).abs().mean()
        difference = difference[:, ::2, ::2]
    return total / scales


def depth_error(fitted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean error of depth, |z - z*| / z*, of a fit of inverse depth onto the truth.

    As in the exam, what lies behind the farthest true depth of its image is judged there.
    """
    farthest = truth.amin(dim=(1, 2), keepdim=True)
    return (truth / torch.maximum(fitted, farthest) - 1).abs().mean()


def training_loss(prediction: torch.Tensor, inverse_depth: torch.Tensor) -> torch.Tensor:
    """Return the scalar loss of (B, H, W) predictions.

    The scale-and-shift-invariant part is what counts; the small scale-invariant part keeps the
    output positive and near zero at infinity, so that `shift` stays small for users.
    """
    truth = normalized(inverse_depth)
    fitted = aligned(prediction, truth)
    return (
        depth_error(fitted, truth)
        + 0.2 * relative_error(fitted, truth)
        + 0.2 * gradient_error(fitted, truth)
        + 0.1 * relative_error(prediction, truth)
    )
