"""Depth and disparity maps from NumPy, PNG and PFM files."""

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from ..camera.decoding import MAX_PIXELS, decode_picture
from ..errors import ImageError
from ..parsing import parsing, read_bytes
from .map_units import UNITS, Quantity

Map = npt.NDArray[np.float32]

_MAX_BYTES = 8 * MAX_PIXELS
_INTEGERS = (np.uint8, np.uint16, np.int16, np.int32, np.uint32, np.int64, np.uint64)
_EXPECTED = {
    '.npy': 'NumPy file',
    '.npz': 'NumPy archive',
    '.png': 'PNG',
    '.pfm': 'PFM of one channel',
}
_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


def read_map(path: Path, unit: float | None = None, quantity: Quantity = 'depth') -> Map:
    """Return a map (H, W) float32, NaN unknown, from a .npy, .npz, .png or .pfm file.

    Integers are multiplied by `unit`, 0 is unknown. Floats are kept, infinite ones are unknown;
    0 and negative ones are valid relative inverse depth, so callers that read depth or disparity
    check the sign. Axes of length 1 are dropped. An .npz must hold one array, a .png be gray.

    Args:
        path: File of the map.
        unit: Value of 1 in a file of integers: 0.001 m in our own PNG, 1/5000 m in TUM's, 1/256
            in KITTI's, for depth and disparity alike. None is the usual one of 16-bit PNG of
            `quantity`; other integers are then refused.
        quantity: depth, disparity or inverse_depth.

    Raises:
        ImageError: The file cannot be read, is damaged, holds no map, or no unit is known.
    """
    readers = {'.npy': _numpy, '.npz': _numpy, '.png': _png, '.pfm': _pfm}
    suffix = path.suffix.lower()
    reader = readers.get(suffix)
    if reader is None:
        raise ImageError(f'{path} is none of {", ".join(readers)}, which hold depth or disparity')
    content = read_bytes(path, _MAX_BYTES, ImageError)
    with parsing(path, _EXPECTED[suffix], ImageError):
        values = _as_map(path, reader(path, content))
    if values.dtype.kind == 'f':
        return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    bits = 8 * values.dtype.itemsize
    unit = UNITS[quantity].of_counts(str(path), bits, suffix == '.png', unit)
    return np.where(values > 0, values * unit, np.nan).astype(np.float32)


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
    if not content.startswith(b'PK'):
        return _array(path, io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        stated = sum(member.file_size for member in archive.infolist())
        if stated > _MAX_BYTES:
            raise ImageError(f'{path} states {stated} bytes; up to {_MAX_BYTES} are read')
        if len(names) != 1:
            raise ImageError(f'{path} holds {len(names)} arrays ({", ".join(names)}), not one')
        with archive.open(names[0]) as member:
            return _array(path, member)


def _array(path: Path, file: IO[bytes]) -> npt.NDArray[Any]:
    """Return the array of a .npy; nothing is allocated by what its header states."""
    version = npy_format.read_magic(file)
    if version not in _HEADERS:
        raise ImageError(f'{path} has version {version} of the format; (1, 0) and (2, 0) are read')
    shape, is_fortran, dtype = _HEADERS[version](file)
    if dtype.kind not in 'fiu':
        raise ImageError(f'{path} holds {dtype}; floats or integers are needed')
    data = file.read(_MAX_BYTES + 1)
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ImageError(f'{path} states {dtype} of shape {shape} and holds {len(data)} bytes')
    return np.frombuffer(data, dtype).reshape(shape, order='F' if is_fortran else 'C')


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
    width, height = (int(number) for number in lines[1].split())
    order = float(lines[2])
    data = content[file.tell() :]
    if min(width, height) < 1 or len(data) < 4 * width * height:
        raise ImageError(f'{path} says {width}x{height} px and holds {len(data)} bytes of them')
    values = np.frombuffer(data, '<f4' if order < 0 else '>f4', width * height)
    return values.reshape(height, width)[::-1]
