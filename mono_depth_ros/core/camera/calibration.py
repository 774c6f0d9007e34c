"""Calibration of a camera in the terms of ROS: lens, rectification, projection."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..errors import CalibrationError
from .pinhole import PinholeCamera

Matrix = tuple[tuple[float, ...], ...]

_TOLERANCE_PX = 1e-3
_TOLERANCE_R = 1e-6


@dataclass(frozen=True)
class CameraCalibration:
    """Lens and projection of an image of exactly this size; (0, 0) is the center of a pixel.

    Letters as in sensor_msgs/CameraInfo, at the resolution of the image.

    Attributes:
        K: 3x3 intrinsics of the raw image [px].
        D: Distortion coefficients.
        distortion_model: What D means: plumb_bob, rational_polynomial or equidistant.
        R: 3x3 rotation from the raw to the rectified camera.
        P: 3x4 projection of the rectified image [px]; its last column, a stereo baseline, does
            not belong to the intrinsics.
    """

    width: int
    height: int
    K: Matrix
    D: tuple[float, ...]
    distortion_model: str
    R: Matrix
    P: Matrix

    def __post_init__(self) -> None:
        for name, matrix in (('K', self.K), ('D', (self.D,)), ('R', self.R), ('P', self.P)):
            if not all(math.isfinite(number) for row in matrix for number in row):
                raise CalibrationError(f'{name} is {matrix}', 'all numbers must be finite')
        for name, matrix in (('K', self.K), ('P', self.P)):
            if not np.allclose(matrix[2][:3], (0, 0, 1)):
                raise CalibrationError(f'{name} is {matrix}', 'its last row must be 0 0 1')
        rotation = np.array(self.R)
        is_orthogonal = np.abs(rotation @ rotation.T - np.eye(3)).max() <= 1e-2
        if not is_orthogonal or np.linalg.det(rotation) < 0:
            raise CalibrationError(f'R is {self.R}', 'it must be a rotation')
        self.raw_camera()
        self.rectified_camera()

    @classmethod
    def of_pinhole(cls, camera: PinholeCamera) -> 'CameraCalibration':
        """Return the calibration of an image without distortion."""
        k = (camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0)
        return cls.of_numbers(camera.width, camera.height, k, (), 'plumb_bob')

    @classmethod
    def of_numbers(
        cls,
        width: int,
        height: int,
        k: npt.ArrayLike,
        d: npt.ArrayLike,
        model: str,
        r: npt.ArrayLike = (),
        p: npt.ArrayLike = (),
    ) -> 'CameraCalibration':
        """Return the calibration of matrices row by row; without R or P, or of zeros: I and K."""
        intrinsics = np.asarray(k, np.float64).reshape(3, 3)
        rotation = np.asarray(r, np.float64) if np.any(r) else np.eye(3)
        projection = (
            np.asarray(p, np.float64) if np.any(p) else np.pad(intrinsics, [(0, 0), (0, 1)])
        )
        return cls(
            width,
            height,
            K=matrix_rows(intrinsics),
            D=tuple(map(float, np.ravel(d))),
            distortion_model=model,
            R=matrix_rows(rotation.reshape(3, 3)),
            P=matrix_rows(projection.reshape(3, 4)),
        )

    @property
    def has_distortion(self) -> bool:
        """Whether any distortion coefficient differs from 0."""
        return any(self.D)

    @property
    def is_rectified(self) -> bool:
        """Whether the image needs no rectification: D = 0, R = I and K = P."""
        intrinsics = np.array(self.P)[:, :3]
        return (
            not self.has_distortion
            and np.allclose(self.R, np.eye(3), rtol=0, atol=_TOLERANCE_R)
            and np.allclose(self.K, intrinsics, rtol=0, atol=_TOLERANCE_PX)
        )

    def raw_camera(self) -> PinholeCamera:
        """Return the camera of the raw image without its distortion (K)."""
        return _camera(self.width, self.height, self.K)

    def rectified_camera(self) -> PinholeCamera:
        """Return the camera of the rectified image (P)."""
        return _camera(self.width, self.height, self.P)

    def cropped(self, u: int, v: int, width: int, height: int) -> 'CameraCalibration':
        """Return the calibration of the region with upper left pixel (u, v).

        Raises:
            CalibrationError: The region is empty or not inside the image.
        """
        inside = 0 <= u <= u + width <= self.width and 0 <= v <= v + height <= self.height
        if not inside or width < 1 or height < 1:
            raise CalibrationError(
                f'region of interest is {width}x{height} px at ({u}, {v})',
                f'it must lie inside the {self.width}x{self.height} px of the camera',
            )
        return self._mapped(width, height, np.array([[1, 0, -u], [0, 1, -v], [0, 0, 1]]))

    def binned(self, columns: int, rows: int) -> 'CameraCalibration':
        """Return the calibration after binning `columns` x `rows` pixels."""
        return self._scaled(self.width // columns, self.height // rows, 1 / columns, 1 / rows)

    def _scaled(self, width: int, height: int, su: float, sv: float) -> 'CameraCalibration':
        # f' = s f, c' = s (c + 1/2) - 1/2
        to_pixel = np.array([[su, 0, (su - 1) / 2], [0, sv, (sv - 1) / 2], [0, 0, 1]])
        return self._mapped(width, height, to_pixel)

    def _mapped(self, width: int, height: int, to_pixel: np.ndarray) -> 'CameraCalibration':
        """Return the calibration after an affine change of pixel coordinates."""
        if np.array_equal(to_pixel, np.eye(3)) and (width, height) == (self.width, self.height):
            return self
        return replace(
            self,
            width=width,
            height=height,
            K=matrix_rows(to_pixel @ np.array(self.K)),
            P=matrix_rows(to_pixel @ np.array(self.P)),
        )


def fit_to_image(calibration: CameraCalibration, width: int, height: int) -> CameraCalibration:
    """Return the calibration scaled to an image of another resolution but the same view.

    Raises:
        CalibrationError: The aspect ratios differ by more than the rounding to whole pixels.
    """
    if not same_aspect((calibration.width, calibration.height), (width, height)):
        raise CalibrationError(
            f'calibration is for {calibration.width}x{calibration.height} px and the image has '
            f'{width}x{height} px, another aspect ratio',
            'use the calibration of this image',
        )
    su, sv = width / calibration.width, height / calibration.height
    return calibration._scaled(width, height, su, sv)


def same_aspect(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether (width, height) of two images have one aspect ratio, up to rounding."""
    width, height = size
    other_width, other_height = other
    off_u = abs(other_width - width * other_height / height)
    off_v = abs(other_height - height * other_width / width)
    return min(off_u, off_v) <= 1 and min(other) >= 1


def _camera(width: int, height: int, matrix: Matrix) -> PinholeCamera:
    (fx, _, cx, *_), (_, fy, cy, *_), _ = matrix
    return PinholeCamera(width, height, fx, fy, cx, cy)


def matrix_rows(matrix: np.ndarray) -> Matrix:
    """Return a matrix as a calibration holds it, row by row."""
    # Adding 0 makes zeros positive.
    return tuple(map(tuple, (matrix + 0.0).tolist()))
