"""Compression of images and depth as in image_transport."""

import cv2
import numpy as np
import numpy.typing as npt

from .file_writers import to_millimeters

_STEP = 1 / 10100  # of inverse depth [1/m], the default of compressed_depth_image_transport
_LARGEST = 65535
_NEAREST = 0.05


def inverse_depth_png(depth: npt.NDArray[np.float32]) -> tuple[bytes, float, float]:
    """Return depth (H, W) [m], NaN unknown, as PNG in steps of inverse depth, with its a and b.

    Its 16-bit values v mean depth a / (v - b) [m], 0 unknown. The step is 1e-4 1/m, or larger if
    16 bits would not span the range. Depth below 5 cm becomes 5 cm. The error of depth z is at
    most z^2/2 steps: 5 mm at 10 m.
    """
    is_known = np.isfinite(depth) & (depth > 0)
    inverse = 1 / np.clip(depth[is_known], _NEAREST, None)
    farthest, nearest = (inverse.min(), inverse.max()) if inverse.size else (0.0, 0.0)
    a = np.float32(1 / max(_STEP, (nearest - farthest) / (_LARGEST - 1)))
    b = np.float32(1 - a * farthest)
    values = np.zeros(depth.shape, np.uint16)
    values[is_known] = np.clip(np.rint(a * inverse + b), 1, _LARGEST)
    return _png(values), float(a), float(b)


def millimeter_png(depth: npt.NDArray[np.float32]) -> bytes:
    """Return depth (H, W) [m] as a 16-bit PNG; see `to_millimeters`."""
    return _png(to_millimeters(depth))


def jpeg(bgr: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture (H, W, 3) BGR as JPEG."""
    _, encoded = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return encoded.tobytes()


def _png(values: npt.NDArray[np.uint16]) -> bytes:
    _, encoded = cv2.imencode('.png', values, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()
