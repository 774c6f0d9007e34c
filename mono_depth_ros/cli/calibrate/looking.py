"""What the network says about a view, beside what was measured of it."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from ...core.camera.calibration import CameraCalibration, fit_to_image
from ...core.camera.pinhole import PinholeCamera
from ...core.errors import AlignmentError
from ...core.network.estimator import load_estimator
from ...core.pipeline import Pipeline
from ...core.scale.correspondences import Correspondences, select_correspondences
from ...core.scale.depth_measurement import DepthMeasurement
from ...core.scale.prediction_buffer import CachedPrediction
from ...core.types import PredictionKind
from ...offline.frames import Frame
from ...offline.parameter_files import OfflineSettings

_SEED = 0


@dataclass(frozen=True)
class Geometry:
    """What the user says about the camera.

    Attributes:
        calibration: In place of what comes with an image.
        focal_px: Focal length of images at their own size, where there is no calibration; 0 = not
            known.
        fov_deg: Likewise: horizontal field of view; 0 = not known.
        rectify: Whether raw images are to be rectified.
    """

    calibration: CameraCalibration | None = None
    focal_px: float = 0.0
    fov_deg: float = 0.0
    rectify: bool = True

    def of(self, frame: Frame) -> CameraCalibration | None:
        """Return the calibration of a frame at its size, None if none is known.

        Raises:
            CalibrationError: It is of another aspect ratio.
        """
        height, width = frame.rgb.shape[:2]
        chosen = self.calibration or frame.calibration
        if chosen is not None:
            return fit_to_image(chosen, width, height)
        if self.focal_px:
            f = self.focal_px * frame.reduction
            center = (width - 1) / 2, (height - 1) / 2
            return CameraCalibration.of_pinhole(PinholeCamera(width, height, f, f, *center))
        if self.fov_deg:
            camera = PinholeCamera.from_fov(width, height, self.fov_deg)
            return CameraCalibration.of_pinhole(camera)
        return None


class Looker:
    """The network with the node's pipeline before it.

    Attributes:
        kind: What it predicts.
        rectified: Whether any image was rectified.
    """

    def __init__(self, settings: OfflineSettings, geometry: Geometry) -> None:
        # Frames are kept for measurements only where some source of them is set.
        alignment = replace(settings.pipeline.alignment, source='depth')
        self._settings = replace(settings.pipeline, alignment=alignment)
        self._pipeline = Pipeline(load_estimator(settings.estimator), self._settings)
        self._geometry = geometry
        self.kind: PredictionKind = self._pipeline.estimator.kind
        self.rectified = False

    def look(self, frame: Frame, is_rectified: bool = False) -> CachedPrediction:
        """Return what the network sees in a frame, rectified unless it is already.

        Raises:
            MonoDepthError: The frame or its calibration cannot be used.
        """
        calibration = self._geometry.of(frame)
        rectify = self._geometry.rectify and not is_rectified
        self.rectified |= rectify and calibration is not None and not calibration.is_rectified
        self._pipeline.settings = replace(self._settings, rectify=rectify)
        self._pipeline.scale.reset()
        return self._pipeline.predict(frame.rgb, calibration, frame.stamp_ns)

    def points(
        self, seen: CachedPrediction, measured: DepthMeasurement, matched: bool
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
            measured, inverse_depth=measured.inverse_depth.to(seen.prediction.device)
        )
        depth_range = self._settings.min_depth, self._settings.max_depth
        with torch.inference_mode():
            points = select_correspondences(
                seen.prediction,
                observation,
                depth_range,
                np.random.default_rng(_SEED),
                seen.image if matched else None,
            )
        if not len(points):
            raise AlignmentError(
                f'nothing was measured between {depth_range[0]} and {depth_range[1]} m where the '
                'network says something'
            )
        return points
