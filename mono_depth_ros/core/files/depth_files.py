"""Depth and disparity maps from NumPy, PNG and PFM files."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..camera.decoding import MAX_PIXELS, decode_picture
from ..errors import ImageError

Map = npt.NDArray[np.float32]

MILLIMETER = 0.001
_MAX_BYTES = 8 * MAX_PIXELS
_DAMAGE = (
    *(ValueError, EOFError, OSError, SyntaxError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)
_INTEGERS = (np.uint8, np.uint16, np.int16, np.int32, np.uint32, np.int64, np.uint64)


def read_map(path: Path, unit: float = MILLIMETER) -> Map:
    """Return a map (H, W) float32, NaN unknown, from a .npy, .npz, .png or .pfm file.

    Integers are multiplied by `unit`, 0 is unknown. Floats are kept, infinite ones are unknown;
    0 and negative ones are valid relative inverse depth, so callers that read depth or disparity
    check the sign. Axes of length 1 are dropped. An .npz must hold one array, a .png be gray.

    `unit` is the value of 1 in a file of integers: 0.001 m in our own PNG, 1/5000 m in TUM's,
    1/256 in KITTI's, for depth and disparity alike.

    Raises:
        ImageError: The file cannot be read, is damaged, or holds no map.
    """
    readers = {'.npy': _numpy, '.npz': _numpy, '.png': _png, '.pfm': _pfm}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ImageError(f'{path} is none of {", ".join(readers)}, which hold depth or disparity')
    values = _as_map(path, reader(path, _content(path)))
    if values.dtype.kind == 'f':
        return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    return np.where(values > 0, values * unit, np.nan).astype(np.float32)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f'{path} cannot be read: {error.strerror}') from error
    if not content:
        raise ImageError(f'{path} is empty (0 bytes)')
    return content


def _as_map(path: Path, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values of shape (H, W) and of an integer or float type."""
    shape = values.shape
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    while values.ndim > 2 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 2 or values.size == 0:
        raise ImageError(f'{path} has shape {shape}; one map (height, width) is needed')
    if values.dtype.kind != 'f' and values.dtype not in _INTEGERS:
        raise ImageError(f'{path} holds {values.dtype}; floats or integers are needed')
    return values


def _numpy(path: Path, content: bytes) -> npt.NDArray[Any]:
    # Which of these is raised depends on the damaged byte.
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        names = loaded.zip.namelist()
        stated = sum(member.file_size for member in loaded.zip.infolist())
        if stated > _MAX_BYTES:
            raise ImageError(f'{path} states {stated} bytes; up to {_MAX_BYTES} are read')
        if len(names) == 1:
            array: npt.NDArray[Any] = loaded[names[0]]
            return array
    except ImageError:
        raise
    except _DAMAGE as error:
        raise ImageError(f'{path} is no readable NumPy file: {error}') from error
    raise ImageError(f'{path} holds {len(names)} arrays ({", ".join(names)}), not one')


def _png(path: Path, content: bytes) -> npt.NDArray[Any]:
    data = np.frombuffer(content, np.uint8)
    values = decode_picture(data, str(path), flags=cv2.IMREAD_UNCHANGED).pixels
    if values.ndim == 3:
        if not (values == values[..., :1]).all():
            raise ImageError(f'{path} is in color; depth or disparity has one channel')
        values = values[..., 0]
    return values


def _pfm(path: Path, content: bytes) -> npt.NDArray[Any]:
    # Rows are bottom up; the sign of the third line is the byte order. Its value, a scale, is
    # ignored as Middlebury's files require; OpenCV, which reads PFM, too, applies it.
    file = io.BytesIO(content)
    lines = [file.readline(64).strip() for _ in range(3)]
    if lines[0] != b'Pf':
        raise ImageError(f'{path} begins with {lines[0][:16]!r}; a PFM of one channel with Pf')
    try:
        width, height = (int(number) for number in lines[1].split())
        order = float(lines[2])
    except ValueError as error:
        raise ImageError(f'{path} has the PFM header {lines}: {error}') from error
    data = content[file.tell() :]
    if min(width, height) < 1 or len(data) < 4 * width * height:
        raise ImageError(f'{path} says {width}x{height} px and holds {len(data)} bytes of them')
    values = np.frombuffer(data, '<f4' if order < 0 else '>f4', width * height)
    return values.reshape(height, width)[::-1]
