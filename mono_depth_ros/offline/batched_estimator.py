"""Predictions of several images at once, which keeps a GPU busy; a pipeline asks one by one."""

from collections.abc import Sequence

import numpy as np
import torch

from ..core.camera.calibration import CameraCalibration
from ..core.camera.image_preparation import ImagePreparer
from ..core.camera.pinhole import PinholeCamera
from ..core.errors import MonoDepthError
from ..core.network.estimator import Estimator
from ..core.network.predicted_frame import told_camera
from ..core.network.prediction import Prediction
from ..core.pipeline import PipelineSettings


class BatchedEstimator:
    """An estimator that holds predictions before it is asked for them; see `Estimator`."""

    def __init__(self, estimator: Estimator) -> None:
        self.kind = estimator.kind
        self.needs_camera = estimator.needs_camera
        self.device = estimator.device
        self.precision = estimator.precision
        self.backend = estimator.backend
        self.network_size = estimator.network_size
        self._estimator = estimator
        self._viewer = ImagePreparer(estimator.device)
        self._known: list[tuple[torch.Tensor, PinholeCamera | None, Prediction]] = []

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
            cameras = [told_camera(self._estimator, view, settings) for view in views]
            predictions = self._estimator.predict(seen, views[0].size, cameras)
        except (MonoDepthError, torch.cuda.OutOfMemoryError):
            return
        self._known = list(zip(seen, cameras, predictions, strict=True))

    def predict(
        self,
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        """Return what is held already, or else the predictions of the network."""
        held = [self._held(*asked, size) for asked in zip(images, cameras, strict=True)]
        found = [prediction for prediction in held if prediction is not None]
        return found if len(found) == len(held) else self._estimator.predict(images, size, cameras)

    def _held(
        self, rgb: torch.Tensor, camera: PinholeCamera | None, size: tuple[int, int]
    ) -> Prediction | None:
        for image, told, prediction in self._known:
            is_asked = (told, prediction.values.shape, image.shape) == (camera, size, rgb.shape)
            if is_asked and torch.equal(image, rgb):
                return prediction
        return None
