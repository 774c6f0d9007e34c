"""Colored clouds from PLY files."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from plyfile import PlyData

from ..errors import PointsError
from ..parsing import parsing

Points = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

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


def read_colored_points(path: Path) -> tuple[Points, Pixels]:
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
