"""Predictions of several images at once, which keeps a GPU busy; a pipeline asks one by one."""

from collections.abc import Sequence

import numpy as np
import torch

from ..core.camera.calibration import CameraCalibration
from ..core.camera.image_preparation import ImagePreparer
from ..core.errors import MonoDepthError
from ..core.network.estimator import BatchEstimator
from ..core.pipeline import PipelineSettings


class BatchedEstimator:
    """An estimator that holds predictions before it is asked for them; see `Estimator`."""

    def __init__(self, estimator: BatchEstimator) -> None:
        self.kind = estimator.kind
        self.max_depth = estimator.max_depth
        self.training_focal_px = estimator.training_focal_px
        self.device = estimator.device
        self.network_size = estimator.network_size
        self._estimator = estimator
        self._viewer = ImagePreparer(estimator.device)
        self._known: list[tuple[torch.Tensor, torch.Tensor]] = []

    def predict_ahead(
        self,
        images: Sequence[tuple[np.ndarray, CameraCalibration | None]],
        settings: PipelineSettings,
    ) -> None:
        """Predict images (H, W, 3) uint8, with their calibrations, if they are of one shape.

        An error of one image is left to the step of that image, and all images are where memory
        is too small for several.
        """
        self._known = []
        if len(images) < 2 or len({rgb.shape for rgb, _ in images}) > 1:
            return
        try:
            views = [
                self._viewer.prepare(rgb, calibration, settings) for rgb, calibration in images
            ]
            seen = [view.image for view in views]
            predictions = self._estimator.predict_batch(seen, views[0].size)
        except (MonoDepthError, torch.cuda.OutOfMemoryError):
            return
        self._known = list(zip(seen, predictions, strict=True))

    def predict(self, rgb: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Return the prediction (*size) float32 for an image (H, W, 3) uint8 on the device."""
        for image, prediction in self._known:
            if prediction.shape == size and image.shape == rgb.shape and torch.equal(image, rgb):
                return prediction
        return self._estimator.predict(rgb, size)
