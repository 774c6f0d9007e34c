"""docs/offline.md has the formats and units that the code has."""

import re
from pathlib import Path

import pytest

from mono_depth_ros.core.files.map_units import UNITS
from mono_depth_ros.offline.calibration_files import READ
from mono_depth_ros.offline.input_files import BAG_FILES, PICTURE_FILES
from mono_depth_ros.offline.videos import VIDEO_FILES

TEXT = (Path(__file__).resolve().parents[1] / 'docs' / 'offline.md').read_text()


def cells(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table whose head begins so: first cell -> the others."""
    lines = iter(TEXT.splitlines())
    next(line for line in lines if line.startswith(f'| {heading} |'))
    next(lines)
    rows = {}
    for line in lines:
        if not line.startswith('|'):
            break
        first, *rest = (cell.strip() for cell in line.strip('|').split('|'))
        rows[first] = rest
    return rows


@pytest.mark.parametrize(
    ('row', 'suffixes'),
    [('pictures', PICTURE_FILES), ('videos', VIDEO_FILES), ('bags', BAG_FILES)],
)
def test_suffixes(row: str, suffixes: tuple[str, ...]) -> None:
    (cell,) = cells('in folders')[row]
    assert tuple(re.findall(r'\.[a-z0-9.]+\b', cell)) == suffixes


def test_units() -> None:
    rows = cells('map')
    assert set(rows) == {unit.quantity for unit in UNITS.values()}
    for unit in UNITS.values():
        floats, png, others = rows[unit.quantity]
        assert floats == unit.symbol
        assert others.startswith('to be stated')
        for value in re.findall(r'(\S+) (?:px|m) \(', others):
            assert value in unit.usual
        if unit.of_png:
            number, symbol = png.split()
            counter, _, divisor = number.partition('/')
            assert float(counter) / float(divisor or 1) == unit.of_png
            assert symbol == unit.symbol
        else:
            assert png == 'to be stated'


def test_formats_of_calibrations() -> None:
    listed = re.split(r', (?![A-Z]+\))', READ)
    assert [name.replace('`', '') for name in cells('file')] == [
        n.replace('`', '') for n in listed
    ]
