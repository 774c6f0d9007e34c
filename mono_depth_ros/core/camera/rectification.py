"""Rectification: raw images resampled to the projection P."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..errors import CalibrationError, ImageError
from .calibration import CameraCalibration

_BROWN_COUNTS = (4, 5, 8, 12, 14)

COEFFICIENTS = {
    'plumb_bob': _BROWN_COUNTS,
    'rational_polynomial': _BROWN_COUNTS,
    'equidistant': (4,),
}
"""Distortion models of ROS and their numbers of coefficients.

The first two are one model; missing coefficients are 0, as in image_geometry, and zeros beyond
those of a model are dropped.
"""

Maps = tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]

_OUTSIDE = -1000.0
_FRACTION_BITS = 5
_FRACTIONS = 1 << _FRACTION_BITS


class Rectifier:
    """Rectifies the images of one calibration, which keep their size."""

    def __init__(self, calibration: CameraCalibration, device: torch.device | str = 'cpu') -> None:
        """Compute the maps once.

        Raises:
            CalibrationError: The distortion model, or its number of coefficients, is unknown.
        """
        self._size = calibration.height, calibration.width
        self._maps = rectification_maps(calibration)
        is_on_cpu = torch.device(device).type == 'cpu'
        self._grid = None if is_on_cpu else sampling_grid(self._maps).to(device)

    def rectify(self, rgb: torch.Tensor) -> torch.Tensor:
        """Return (H, W, 3) uint8 rectified, on the device; black outside the raw image.

        Black is also beyond the angle at which the lens formula folds back. Bilinear, with sample
        points rounded to 1/32 px on every device.

        Raises:
            ImageError: The image has another size than the calibration.
        """
        if rgb.shape[:2] != self._size:
            (height, width), (rows, columns) = rgb.shape[:2], self._size
            raise ImageError(
                f'image is {width}x{height} px; this rectification is for {columns}x{rows} px'
            )
        return remap(rgb, self._maps) if self._grid is None else sample(rgb, self._grid)

    def valid_mask(self, raw: torch.Tensor) -> torch.Tensor:
        """Return (H, W) bool, true where a rectified pixel mixes only valid raw pixels (H, W)."""
        white = raw[..., None].expand(-1, -1, 3).to(torch.uint8) * 255
        return self.rectify(white)[..., 0] == 255


def rectification_maps(calibration: CameraCalibration) -> Maps:
    """Return the raw position of each rectified pixel in OpenCV's fixed point.

    (H, W, 2) whole columns and rows, and (H, W) their fractions in 1/32 px; outside the image
    where the lens formula folds back.
    """
    intrinsics, rotation = np.array(calibration.K), np.array(calibration.R)
    projection = np.array(calibration.P)[:, :3]
    size = (calibration.width, calibration.height)
    lens = lens_coefficients(calibration)
    make: Any = cv2.initUndistortRectifyMap
    if lens is not None and calibration.distortion_model == 'equidistant':
        make = cv2.fisheye.initUndistortRectifyMap
    u, v = make(intrinsics, lens, rotation, projection, size, cv2.CV_32FC1)
    if lens is not None and min(size) > 1:
        folded = _is_folded(calibration, u, v)
        u[folded] = v[folded] = _OUTSIDE
    whole, fractions = cv2.convertMaps(u, v, cv2.CV_16SC2)
    return whole.astype(np.int16, copy=False), fractions.astype(np.uint16, copy=False)


def _is_folded(
    calibration: CameraCalibration, u: npt.NDArray[np.float32], v: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Return (H, W): rays beyond the angle at which the lens formula folds back.

    Farther out the polynomial falls again, so two rays map to one pixel. There the Jacobian
    determinant of the map is not positive.
    """
    (u_v, u_u), (v_v, v_u) = np.gradient(u), np.gradient(v)
    folds: npt.NDArray[np.bool_] = np.less_equal(u_u * v_v, u_v * v_u)
    if not folds.any():
        return folds
    to_raw = np.array(calibration.R).T @ np.linalg.inv(np.array(calibration.P)[:, :3])
    rows, columns = np.indices(u.shape)
    x, y, z = np.tensordot(to_raw, np.stack([columns, rows, np.ones_like(rows)]), axes=1)
    angle = np.arctan2(np.hypot(x, y), z)
    folded: npt.NDArray[np.bool_] = angle >= angle[folds].min()
    return folded


def sampling_grid(maps: Maps) -> torch.Tensor:
    """Return the maps as (1, H, W, 2) float32 for `sample`: -1 and 1 are the image's edges."""
    whole, fractions = maps
    low = np.stack([fractions & (_FRACTIONS - 1), fractions >> _FRACTION_BITS], axis=-1)
    pixels = whole + low / _FRACTIONS
    height, width = fractions.shape
    grid = (pixels * 2 + 1) / (width, height) - 1
    return torch.from_numpy(grid.astype(np.float32))[None]


def remap(rgb: torch.Tensor, maps: Maps) -> torch.Tensor:
    """Return (H, W, 3) uint8 on the CPU resampled at the maps' points; 0 outside."""
    whole, fractions = maps
    rectified = cv2.remap(rgb.numpy(), whole, fractions, cv2.INTER_LINEAR)
    return torch.from_numpy(rectified.astype(np.uint8, copy=False))


def sample(rgb: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Return (H, W, 3) uint8 on any device resampled at the grid's points; 0 outside."""
    planes = rgb.permute(2, 0, 1)[None].to(torch.float32)
    sampled = torch.nn.functional.grid_sample(
        planes, grid, mode='bilinear', padding_mode='zeros', align_corners=False
    )
    return (sampled[0] + 0.5).to(torch.uint8).permute(1, 2, 0).contiguous()


def lens_coefficients(calibration: CameraCalibration) -> npt.NDArray[np.float64] | None:
    """Return D of a supported model; None if there is no distortion.

    Raises:
        CalibrationError: The distortion model, or its number of coefficients, is unknown.
    """
    if not calibration.has_distortion:
        return None
    model, count = calibration.distortion_model, len(calibration.D)
    if model not in COEFFICIENTS:
        raise CalibrationError(
            f'distortion model is {model!r}',
            f'calibrate for {", ".join(COEFFICIENTS)}, or take an image that is rectified already '
            'and set assume_rectified in place of rectify',
        )
    taken = [n for n in COEFFICIENTS[model] if n <= count and not any(calibration.D[n:])]
    if not taken:
        last = max(n for n, d in enumerate(calibration.D, 1) if d)
        wanted = ' or '.join(map(str, COEFFICIENTS[model]))
        raise CalibrationError(
            f'D has {count} coefficients',
            f'number {last} is {calibration.D[last - 1]:g}, and distortion model {model} takes '
            f'{wanted}',
        )
    return np.array(calibration.D[: taken[-1]])
