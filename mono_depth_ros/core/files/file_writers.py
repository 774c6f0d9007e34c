"""Writers of results; every file is replaced atomically."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from plyfile import PlyData, PlyElement

from .packed_color import unpack_color

_MAX_MM = 65535

_XYZ = (('x', '<f4'), ('y', '<f4'), ('z', '<f4'))
_RGB = (('red', 'u1'), ('green', 'u1'), ('blue', 'u1'))


def to_millimeters(depth: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """Return depth [m] rounded to mm; 0 where unknown, not positive or beyond 65.535 m."""
    mm = np.rint(depth * np.float32(1000))
    # NaN fails every comparison.
    return np.where((mm > 0) & (mm <= _MAX_MM), mm, 0).astype(np.uint16)


def count_beyond_millimeters(depth: npt.NDArray[np.float32]) -> int:
    """Return the number of known depths beyond 65.535 m, which `to_millimeters` loses."""
    mm = np.rint(depth * np.float32(1000))
    return int(np.count_nonzero((mm > _MAX_MM) & np.isfinite(mm)))


def write_depth_png(path: Path, depth: npt.NDArray[np.float32]) -> None:
    """Write depth (H, W) [m] as 16-bit PNG; see `to_millimeters`.

    Raises:
        OSError: The file cannot be written.
    """
    _, encoded = cv2.imencode('.png', to_millimeters(depth))
    with replaced(path) as file:
        file.write(encoded.tobytes())


def write_picture(path: Path, rgb: npt.NDArray[np.uint8]) -> None:
    """Write (H, W, 3) uint8 RGB in the format of the name's suffix.

    Raises:
        OSError: The file cannot be written.
    """
    _, encoded = cv2.imencode(path.suffix, np.ascontiguousarray(rgb[..., ::-1]))
    with replaced(path) as file:
        file.write(encoded.tobytes())


def write_npy(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Write any array as NumPy file, without a suffix added to the name.

    Raises:
        OSError: The file cannot be written.
    """
    with replaced(path) as file:
        np.save(file, array, allow_pickle=False)


def write_ply(path: Path, points: npt.NDArray[np.float32]) -> None:
    """Write points (..., 3 or 4) as binary PLY, those that are not finite left out.

    Vertices have x y z [m] and, where the fourth column holds the bits 0x00RRGGBB, red green blue.

    Raises:
        OSError: The file cannot be written.
    """
    rows = points.reshape(-1, points.shape[-1])
    rows = rows[np.isfinite(rows[:, :3]).all(axis=1)]
    colored = rows.shape[1] == 4
    vertices = np.empty(len(rows), np.dtype([*_XYZ, *(_RGB if colored else ())]))
    for column, (name, _) in enumerate(_XYZ):
        vertices[name] = rows[:, column]
    if colored:
        for (name, _), channel in zip(_RGB, unpack_color(rows[:, 3]).T, strict=True):
            vertices[name] = channel
    with replaced(path) as file:
        PlyData([PlyElement.describe(vertices, 'vertex')], byte_order='<').write(file)


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` on success."""
    partial = path.with_name(f'.{path.name}.{uuid.uuid4().hex}.part')
    try:
        with open(partial, 'xb') as file:
            yield file
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
