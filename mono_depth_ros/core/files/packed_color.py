"""Colors as point clouds hold them: the bits 0x00RRGGBB in a float32, as PCL and RViz read it."""

import sys

import numpy as np
import numpy.typing as npt

BYTE_PLACES = (2, 1, 0) if sys.byteorder == 'little' else (1, 2, 3)
"""Which byte of 0x00RRGGBB in memory is red, green, blue."""


def unpack_color(packed: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return (..., 3) uint8 RGB of (...) float32 whose bits are 0x00RRGGBB."""
    parts = np.ascontiguousarray(packed, np.float32)[..., None].view(np.uint8)
    return np.ascontiguousarray(parts[..., list(BYTE_PLACES)])
