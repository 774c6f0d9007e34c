"""Points from PLY, PCD and KITTI's .bin files."""

import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from plyfile import PlyData

from ..errors import PointsError
from ..parsing import parsing
from .encodings import Pixels

Points = npt.NDArray[np.float64]

_COORDINATES = ('x', 'y', 'z')
_PCD_TYPES = ('F4', 'F8', 'I1', 'I2', 'I4', 'I8', 'U1', 'U2', 'U4', 'U8')
_PCD_KEYWORDS = ('FIELDS', 'SIZE', 'TYPE', 'WIDTH', 'HEIGHT', 'DATA')
_KITTI_COLUMNS = 4  # x, y, z, reflectance
_MAX_RATIO = 88
"""Of LZF, in which three bytes stand for at most 264."""
_GRAY = 200
_MAX_HEADER = 1 << 16
_BYTES = {
    **dict.fromkeys(('char', 'uchar', 'int8', 'uint8'), 1),
    **dict.fromkeys(('short', 'ushort', 'int16', 'uint16'), 2),
    **dict.fromkeys(('int', 'uint', 'float', 'int32', 'uint32', 'float32'), 4),
    **dict.fromkeys(('double', 'float64'), 8),
}
_BYTES_AS_TEXT = 2
"""A digit and what separates it from the next."""


def read_points(path: Path) -> Points:
    """Return (N, 3) x y z [m] of the points in a .ply, .pcd or .bin (KITTI's) file.

    Points with a coordinate that is not finite are left out.

    Raises:
        PointsError: The file cannot be read, is damaged, or holds no points.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise PointsError(f'{path} is none of {", ".join(_READERS)}, which hold points')
    silent = np.errstate(invalid='ignore')  # of NaN that signal
    with parsing(path, f'file of points ({path.suffix})', PointsError), silent:
        points = reader(path)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        raise PointsError(f'{path} holds no points')
    return points


def _ply(path: Path) -> Points:
    return read_colored_points(path)[0].astype(np.float64)


def read_colored_points(path: Path) -> tuple[npt.NDArray[np.float32], Pixels]:
    """Return (N, 3) float32 [m] and (N, 3) uint8 RGB of a PLY, gray where it has no colors.

    Raises:
        PointsError: The file cannot be read, is damaged, or has no points.
    """
    with parsing(path, 'PLY with x, y, z', PointsError):
        _require_rows(path)
        vertices = PlyData.read(str(path))['vertex']
        xyz = np.stack([np.asarray(vertices[axis], np.float32) for axis in 'xyz'], axis=1)
        known = np.isfinite(xyz).all(axis=1)
        if not known.any():
            raise PointsError(f'{path} has no points')
        channels = ('red', 'green', 'blue')
        if not set(channels) <= {item.name for item in vertices.properties}:
            return xyz[known], np.full((int(known.sum()), 3), _GRAY, np.uint8)
        rgb = np.stack([np.asarray(vertices[channel]) for channel in channels], axis=1)
        if rgb.dtype.kind == 'f':
            rgb = np.rint(255 * np.nan_to_num(rgb).clip(0, 1))
        return xyz[known], rgb[known].astype(np.uint8)


def _require_rows(path: Path) -> None:
    """Refuse a file that states more rows than it can hold: room is made for them first."""
    with path.open('rb') as file:
        header = (
            file.read(_MAX_HEADER).partition(b'end_header')[0].decode('latin1').replace('\r', '\n')
        )
    size = path.stat().st_size
    for name, count, bytes_of_row in _elements(header):
        if count * bytes_of_row > size:
            raise PointsError(
                f'{path} states {count} of element {name}, at least {count * bytes_of_row} bytes, '
                f'and has {size}'
            )


def _elements(header: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, number of rows and least bytes of a row of each element."""
    is_text = 'format ascii' in header
    for element in re.split(r'^element\s', header, flags=re.MULTILINE)[1:]:
        name, count, *_ = element.split(maxsplit=2)
        types = re.findall(r'^property\s+(?:list\s+)?(\w+)', element, flags=re.MULTILINE)
        row = sum(_BYTES_AS_TEXT if is_text else _BYTES.get(kind, 1) for kind in types)
        yield name, int(count), max(1, row)


def _pcd(path: Path) -> Points:
    header, data = _pcd_header(path.read_bytes())
    types = _pcd_types(header)
    number = int(header['WIDTH'][0]) * int(header['HEIGHT'][0])
    form, layout = header['DATA'][0], np.dtype(types)
    if form == 'ascii':
        values = np.array(data.split(), np.float64).reshape(number, -1)
        first = np.cumsum([0, *(math.prod(shape) for _, _, shape in types)])
        return _columns(
            {name: values[:, i] for (name, _, _), i in zip(types, first[:-1], strict=True)}
        )
    if form == 'binary':
        records = np.frombuffer(data, layout, number)
        return _columns({name: records[name][:, 0] for name, _, _ in types})
    if form != 'binary_compressed':
        raise PointsError(f'DATA is {form!r}; ascii, binary and binary_compressed are read')
    packed, size = struct.unpack_from('<II', data)
    if size != number * layout.itemsize or packed > len(data) - 8:
        raise PointsError(f'{number} points are stated as {size} bytes, of {packed} compressed')
    # Field by field, where the other forms go point by point.
    planes, columns = memoryview(lzf_decompress(data[8 : 8 + packed], size)), {}
    for name, kind, shape in types:
        plane = np.frombuffer(planes, (kind, shape), number)
        columns[name], planes = plane[:, 0], planes[plane.nbytes :]
    return _columns(columns)


def _pcd_header(content: bytes) -> tuple[dict[str, list[str]], bytes]:
    """Return the values of each keyword, and what follows the header."""
    header: dict[str, list[str]] = {}
    while 'DATA' not in header:
        line, found, content = content.partition(b'\n')
        if not found:
            raise PointsError('it has no line DATA')
        keyword, *values = line.decode('ascii').split() or ['#']
        header[keyword] = values
    if missing := [keyword for keyword in _PCD_KEYWORDS if not header.get(keyword)]:
        raise PointsError(f'its header lacks {", ".join(missing)}')
    return header, content


def _pcd_types(header: Mapping[str, list[str]]) -> list[tuple[str, str, tuple[int]]]:
    """Return name, type and number of values of each field; fields of padding share a name."""
    names = header['FIELDS']
    counts = header.get('COUNT', ['1'] * len(names))
    found = []
    for i, name in enumerate(names):
        kind = header['TYPE'][i] + header['SIZE'][i]
        if kind not in _PCD_TYPES or int(counts[i]) < 1:
            raise PointsError(f'field {name} has type {kind} and COUNT {counts[i]}')
        label = name if name in _COORDINATES else f'{name} {i}'
        found.append((label, f'<{kind.lower()}', (int(counts[i]),)))
    return found


def lzf_decompress(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that LZF data stands for.

    A byte c < 32 is followed by c + 1 literal bytes. Any other copies from what came before: the
    upper 3 bits and, if all are set, the next byte are the length - 2, the lower 5 bits and the
    following byte the distance - 1 (M. Lehmann, liblzf).

    Raises:
        PointsError: The data is damaged, or of another size.
    """
    if size > _MAX_RATIO * len(data):
        raise PointsError(f'{len(data)} bytes of LZF cannot stand for the stated {size} bytes')
    out = bytearray()
    place = 0
    while place < len(data) and len(out) <= size:
        control = data[place]
        place += 1
        if control < 32:
            out += data[place : place + control + 1]
            place += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[place]
            place += 1
        distance = ((control & 31) << 8) + data[place] + 1
        place += 1
        if distance > len(out):
            raise PointsError(f'LZF refers {distance} bytes back, where only {len(out)} are')
        _repeat(out, distance, length + 2)
    if place != len(data) or len(out) != size:
        raise PointsError(f'LZF data ends after {len(out)} of the stated {size} bytes')
    return bytes(out)


def _repeat(out: bytearray, distance: int, length: int) -> None:
    """Append `length` bytes from `distance` back on, over and over if they are fewer."""
    start = len(out) - distance
    source = out[start : start + length]
    out += (source * -(-length // len(source)))[:length]


def _kitti(path: Path) -> Points:
    values = np.frombuffer(path.read_bytes(), '<f4')
    return values.reshape(-1, _KITTI_COLUMNS)[:, :3].astype(np.float64)


def _columns(found: Mapping[str, npt.NDArray[Any]]) -> Points:
    """Return (N, 3) of what a file holds by name."""
    if missing := [name for name in _COORDINATES if name not in found]:
        raise PointsError(f'it has {", ".join(found)} and lacks {", ".join(missing)}')
    return np.stack([found[name].astype(np.float64) for name in _COORDINATES], axis=1)


_READERS: dict[str, Callable[[Path], Points]] = {'.ply': _ply, '.pcd': _pcd, '.bin': _kitti}
POINT_FORMATS = tuple(_READERS)
"""Suffixes of the files that are read."""
