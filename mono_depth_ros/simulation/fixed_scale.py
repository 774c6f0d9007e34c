"""Scale and shift of a relative network, fitted once on a simulated drive."""

from dataclasses import dataclass

import torch

from ..core.errors import MonoDepthError
from ..core.evaluation.metrics import align_affine, depth_metrics, truth_mask
from ..core.network.estimator import Estimator
from ..core.types import AffineScale
from .drive import Drive
from .rig import StereoRig


@dataclass(frozen=True)
class FixedScale:
    """One scale and shift for all views of a drive, and the mean relative error left there."""

    alignment: AffineScale
    views: int
    abs_rel: float


def fit_fixed_scale(
    estimator: Estimator, drive: Drive, rig: StereoRig, views: int = 12
) -> FixedScale:
    """Fit scale and shift by least squares in inverse depth, over all pixels of all views.

    Args:
        estimator: A relative network.
        drive: The scene; its views are spread evenly over the round.
        rig: The camera that will be used.
        views: Number of views.

    Raises:
        MonoDepthError: The prediction does not grow with inverse depth.
    """
    predictions, truths = [], []
    for i in range(views):
        frame = rig.capture(drive.scene, drive.pose_at(i * drive.period_s / views), seed=i)
        size = (rig.camera.height, rig.camera.width)
        image = frame.left.to(estimator.device)
        predictions.append(estimator.predict([image], size, [None])[0].values.cpu())
        truths.append(frame.depth)
    prediction, truth = torch.stack(predictions), torch.stack(truths)
    fit = align_affine(prediction, truth.reciprocal(), truth_mask(truth))
    if fit.scale <= 0:
        raise MonoDepthError(
            f'the network does not see depth: over {views} views of the calibration scene the '
            f'fitted scale is {fit.scale:.4f} 1/m; are its weights the right ones?'
        )
    return FixedScale(fit, views, depth_metrics(fit.depth(prediction), truth).abs_rel)
