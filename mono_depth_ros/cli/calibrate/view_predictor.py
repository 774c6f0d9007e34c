"""Predictions of views, paired with measurements of them."""

from dataclasses import replace

import numpy as np
import torch

from ...core.errors import AlignmentError
from ...core.network.estimator import load_estimator
from ...core.network.prediction import Prediction
from ...core.pipeline import Pipeline
from ...core.scale.correspondences import Correspondences, select_correspondences
from ...core.scale.depth_measurement import DepthMeasurement
from ...core.types import PredictionKind
from ...offline.images import ChosenCamera, ImageFrame
from ...offline.yaml_files import OfflineSettings

_SEED = 0


class ViewPredictor:
    """The network behind the node's pipeline.

    Attributes:
        camera: What the user states about the camera.
        kind: Quantity that the network predicts.
        rectified: Whether any image was rectified.
    """

    def __init__(self, settings: OfflineSettings, camera: ChosenCamera) -> None:
        # Frames are kept for measurements only where some source of them is set.
        alignment = replace(settings.pipeline.alignment, source='depth')
        self._settings = replace(settings.pipeline, alignment=alignment)
        self._pipeline = Pipeline(load_estimator(settings.estimator), self._settings)
        self.camera = camera
        self.kind: PredictionKind = self._pipeline.estimator.kind
        self.rectified = False

    def predict(self, frame: ImageFrame, is_rectified: bool = False) -> Prediction:
        """Return the prediction of a frame, rectified unless it is already.

        Raises:
            MonoDepthError: The frame or its calibration cannot be used.
        """
        calibration = self.camera.of(frame)
        rectify = self.camera.rectify and not is_rectified
        self.rectified |= rectify and calibration is not None and not calibration.is_rectified
        self._pipeline.settings = replace(self._settings, rectify=rectify)
        self._pipeline.scale.reset()
        return self._pipeline.predict(frame.rgb, calibration, frame.stamp_ns)

    def points(
        self, seen: Prediction, measured: DepthMeasurement, matched: bool
    ) -> Correspondences:
        """Return pairs of prediction and measurement of a view.

        Args:
            seen: The view.
            measured: Of it.
            matched: Whether it comes from matching images, so that places without texture do not
                count.

        Raises:
            AlignmentError: Nothing was measured in range.
        """
        observation = replace(
            measured, inverse_depth=measured.inverse_depth.to(seen.values.device)
        )
        depth_range = self._settings.min_depth, self._settings.max_depth
        with torch.inference_mode():
            points = select_correspondences(
                seen.values,
                observation,
                depth_range,
                np.random.default_rng(_SEED),
                seen.color if matched else None,
            )
        if not len(points):
            raise AlignmentError(
                f'nothing was measured between {depth_range[0]} and {depth_range[1]} m where the '
                'network says something'
            )
        return points
