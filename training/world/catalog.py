"""Reads the catalogs of Sweet Home 3D's furniture libraries (.sh3f, ZIP files).

Debian's package `sweethome3d-furniture` installs five of them in /usr/share/sweethome3d/furniture.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_PROPERTY = re.compile(r'(\w+)#(\d+)\s*=\s*(.*)')
_ESCAPE = re.compile(r'\\u([0-9a-fA-F]{4})')
_LICENSES = {
    'BlendSwap-CC-0': 'CC0-1.0',
    'BlendSwap-CC-BY': 'CC-BY-3.0',
    'KatorLegaz': 'CC-BY-3.0-US',
    'Reallusion': 'CC-BY-3.0-US',
    'Scopia': 'CC-BY-3.0',
}
"""Of Debian's copyright file."""


@dataclass(frozen=True)
class CatalogEntry:
    """One model of a library.

    Attributes:
        key: Library and number, unique.
        name: What it is.
        category: One of the catalog's twelve.
        tags: More words.
        creator: Who is to be named.
        license: SPDX identifier.
        size: (3,) width, depth and height [m].
        elevation: Where its bottom belongs above the floor [m].
        top: Where things are put on it [m]; negative: nowhere, NaN: on its height.
        model: The OBJ file inside the library.
        rotation: (3, 3) from the file's axes to the upright model facing +z.
    """

    key: str
    name: str
    category: str
    tags: str
    creator: str
    license: str
    size: tuple[float, float, float]
    elevation: float
    top: float
    model: str
    rotation: tuple[float, ...]


def read_catalog(library: zipfile.ZipFile, name: str) -> Iterator[CatalogEntry]:
    """Yield the entries of an opened library; `name` is that of its file, without the suffix."""
    text = library.read('PluginFurnitureCatalog.properties').decode('latin-1')
    rows: dict[int, dict[str, str]] = {}
    for line in text.splitlines():
        match = _PROPERTY.match(line)
        if match:
            value = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), match[3].strip())
            rows.setdefault(int(match[2]), {})[match[1]] = value
    for number, row in sorted(rows.items()):
        yield _entry(f'{name}/{number:03d}', row, _LICENSES[name])


def libraries(folder: Path) -> list[Path]:
    """Return the libraries in a folder.

    Raises:
        FileNotFoundError: There are none.
    """
    found = sorted(folder.glob('*.sh3f'))
    if not found:
        raise FileNotFoundError(
            f'no *.sh3f in {folder}: install the Debian package sweethome3d-furniture'
        )
    return found


def _entry(key: str, row: dict[str, str], license_name: str) -> CatalogEntry:
    def meters(field: str, default: float) -> float:
        return float(row[field]) / 100 if field in row else default

    rotation = row.get('modelRotation', '1 0 0 0 1 0 0 0 1')
    return CatalogEntry(
        key=key,
        name=row['name'],
        category=row['category'],
        tags=row.get('tags', ''),
        creator=row.get('creator', ''),
        license=license_name,
        size=(meters('width', 1), meters('depth', 1), meters('height', 1)),
        elevation=meters('elevation', 0.0),
        top=meters('dropOnTopElevation', float('nan')),
        model=row['model'].removeprefix('/'),
        rotation=tuple(float(cell) for cell in rotation.split()),
    )


def rotation_matrix(entry: CatalogEntry) -> np.ndarray:
    """Return the (3, 3) rotation of an entry."""
    return np.array(entry.rotation).reshape(3, 3)
