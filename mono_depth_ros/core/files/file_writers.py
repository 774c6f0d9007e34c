"""Writers of results: each replaces its file atomically, or raises OSError."""

import errno
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from plyfile import PlyData, PlyElement

from ..errors import MonoDepthError
from .message_writers import unpack_color

_MAX_MM = 65535
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PROBED_BLOCK, _PROBED_BLOCKS = 1 << 16, 16

_COLUMNS = (('x', '<f4'), ('y', '<f4'), ('z', '<f4'))
_CHANNELS = (('red', 'u1'), ('green', 'u1'), ('blue', 'u1'))


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
    """Write depth (H, W) [m] as 16-bit PNG; see `to_millimeters`."""
    _write_encoded(path, '.png', to_millimeters(depth))


def write_picture(path: Path, rgb: npt.NDArray[np.uint8]) -> None:
    """Write (H, W, 3) uint8 RGB in the format of the name's suffix."""
    _write_encoded(path, path.suffix, np.ascontiguousarray(rgb[..., ::-1]))


def write_npy(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Write any array as NumPy file, without a suffix added to the name."""
    with replaced(path) as file:
        np.save(file, array, allow_pickle=False)


def write_ply(path: Path, points: npt.NDArray[np.float32]) -> None:
    """Write points (..., 3 or 4) as binary PLY, those that are not finite left out.

    Vertices have x y z [m] and, where the fourth column holds the bits 0x00RRGGBB, red green blue.
    """
    rows = points.reshape(-1, points.shape[-1])
    rows = rows[np.isfinite(rows[:, :3]).all(axis=1)]
    fields, columns = [*_COLUMNS], [*rows[:, :3].T]
    if rows.shape[1] == 4:
        fields += _CHANNELS
        columns += [*unpack_color(rows[:, 3]).T]
    vertices = np.rec.fromarrays(columns, np.dtype(fields))
    with replaced(path) as file:
        PlyData([PlyElement.describe(vertices, 'vertex')], byte_order='<').write(file)


def _write_encoded(path: Path, suffix: str, pixels: npt.NDArray[Any]) -> None:
    _, encoded = cv2.imencode(suffix, pixels)
    with replaced(path) as file:
        file.write(encoded.tobytes())


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` on success."""
    partial = path.with_name(f'.{path.name}.{uuid.uuid4().hex}.part')
    try:
        with writing(path):
            with open(partial, 'xb') as file:
                yield file
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file, and the reason of the system, in what goes wrong while it is written.

    NumPy, sqlite and codecs fail without either on a full disk, so the system is asked again.

    Raises:
        OSError: With the path and the reason, for every error but ours.
    """
    try:
        yield
    except MonoDepthError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.filename == str(path):
            raise
        code = (isinstance(error, OSError) and error.errno) or _errno_of_writing(path.parent)
        if not code:
            raise
        reason = 'the disk is full' if code in _FULL else os.strerror(code)
        raise OSError(code, reason, str(path)) from error


def _errno_of_writing(folder: Path) -> int:
    """Return the number of the error that writing to a folder meets, 0 if there is none."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            for _ in range(_PROBED_BLOCKS):
                file.write(bytes(_PROBED_BLOCK))
    except OSError as error:
        return error.errno or errno.EIO
    return 0
