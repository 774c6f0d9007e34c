"""Scale and shift of a relative network, fitted once where the truth is known."""

from dataclasses import dataclass

import torch

from ...core.errors import MonoDepthError
from ...core.evaluation.metrics import align_affine, depth_metrics, truth_mask
from ...core.network.estimator import Estimator
from ...core.types import AffineScale
from ...simulation.drive import Drive
from ...simulation.rig import StereoRig


@dataclass(frozen=True)
class Calibration:
    """One scale and shift for all views of a drive.

    Attributes:
        alignment: The fit.
        views: Number of views it was fitted to.
        abs_rel: Mean relative error that it leaves there.
    """

    alignment: AffineScale
    views: int
    abs_rel: float


def calibrate(estimator: Estimator, drive: Drive, rig: StereoRig, views: int = 12) -> Calibration:
    """Fit scale and shift by least squares in inverse depth, over all pixels of all views.

    Args:
        estimator: A relative network.
        drive: The scene; its views are spread evenly over the round.
        rig: The camera that will be used.
        views: How many.

    Raises:
        MonoDepthError: The prediction does not grow with inverse depth.
    """
    predictions, truths = [], []
    for i in range(views):
        frame = rig.capture(drive.scene, drive.pose_at(i * drive.period_s / views), seed=i)
        size = (rig.camera.height, rig.camera.width)
        predictions.append(estimator.predict(frame.left.to(estimator.device), size).cpu())
        truths.append(frame.depth)
    prediction, truth = torch.stack(predictions), torch.stack(truths)
    fit = align_affine(prediction, truth.reciprocal(), truth_mask(truth))
    if fit.scale <= 0:
        raise MonoDepthError(
            f'the network does not see depth: over {views} views of the calibration scene the '
            f'fitted scale is {fit.scale:.4f} 1/m; are its weights the right ones?'
        )
    return Calibration(fit, views, depth_metrics(fit.depth(prediction), truth).abs_rel)
