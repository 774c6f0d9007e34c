"""Figures: rows of images, and of maps of numbers with color bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, Formatter, FuncFormatter, Locator, PercentFormatter

from ..core.files.file_writers import replaced

Array = npt.NDArray[Any]

_WIDTH_PX = 320
_GAP_IN = 0.1
_LINE_IN = 0.3
_TITLE_IN = 0.7
_BAR_IN = 0.7
_LARGEST_ERROR = 0.5
_TICKS_M = (0.3, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 80)
_PX_PER_INCH = 100


@dataclass(frozen=True, eq=False)
class Palette:
    """Colors of the numbers in a column, and how its color bar is labeled."""

    colors: Colormap
    norm: Normalize
    label: str
    ticks: Locator | None = None
    format: Formatter | None = None
    extend: str = 'neither'


@dataclass(frozen=True, eq=False)
class Column:
    """A heading, and the palette of its numbers; None for a column of RGB images."""

    title: str
    palette: Palette | None = None


@dataclass(frozen=True, eq=False)
class Cell:
    """(H, W, 3) uint8 RGB, or (H, W) numbers with NaN for unknown; a line of text below."""

    values: Array
    caption: str = ''


def depth_palette(near: float, far: float) -> Palette:
    """Return the node's colors of depth [m]: warm is near, black is unknown."""
    return Palette(
        colormaps['turbo_r'].with_extremes(bad='black'),
        LogNorm(near, far),
        'depth [m], black = not known',
        FixedLocator([tick for tick in _TICKS_M if near <= tick <= far]),
        FuncFormatter(lambda tick, _: f'{tick:g}'),
    )


def error_palette() -> Palette:
    """Return colors of signed relative error, 1 = 100 % too far."""
    return Palette(
        colormaps['RdBu_r'].with_extremes(bad='#606060'),
        Normalize(-_LARGEST_ERROR, _LARGEST_ERROR),
        'too near (blue) or too far (red), gray = not judged',
        format=PercentFormatter(1.0),
        extend='both',
    )


def draw_rows(
    path: Path,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    width_px: int = _WIDTH_PX,
) -> None:
    """Write a grid of cells of one aspect ratio, `width_px` wide, as PNG or, by suffix, as JPEG.

    Each row has a cell for each column; RGB is shown as it is in any. Neighboring columns with the
    same palette object share a color bar.

    Raises:
        OSError: The file cannot be written.
    """
    shape = rows[0][0].values.shape
    width_in = width_px / _PX_PER_INCH
    row_in = width_in * shape[0] / shape[1]
    width = len(columns) * (width_in + _GAP_IN) + _GAP_IN
    height = len(rows) * (row_in + _LINE_IN) + _TITLE_IN + _BAR_IN
    figure = Figure((width, height), dpi=_PX_PER_INCH)
    figure.suptitle(title, y=1 - 0.1 / height, va='top')
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    figure.subplots_adjust(
        *(_GAP_IN / width, (_BAR_IN + _LINE_IN) / height),
        *(1 - _GAP_IN / width, 1 - _TITLE_IN / height),
        wspace=_GAP_IN / width_in,
        hspace=_LINE_IN / row_in,
    )
    for axis, column in zip(axes[0], columns, strict=True):
        axis.set_title(column.title, fontsize='medium')
    for line, row in zip(axes, rows, strict=True):
        for axis, column, cell in zip(line, columns, row, strict=True):
            axis.set(xticks=[], yticks=[])
            axis.set_xlabel(cell.caption, fontsize='small')
            if column.palette is None or cell.values.ndim == 3:
                axis.imshow(cell.values)
            else:
                numbers = np.ma.masked_invalid(cell.values)
                axis.imshow(numbers, column.palette.colors, column.palette.norm)
    _add_color_bars(figure, columns, axes[-1])
    with replaced(path) as file:
        figure.savefig(file, format='jpg' if path.suffix == '.jpg' else 'png')


def _add_color_bars(figure: Figure, columns: Sequence[Column], lowest: Sequence[Axes]) -> None:
    """Draw a bar below each group of neighboring columns that share a palette."""
    width, height = figure.get_size_inches()
    pairs = zip(columns, lowest, strict=True)
    for _, group in groupby(pairs, key=lambda pair: id(pair[0].palette)):
        members = list(group)
        palette = members[0][0].palette
        if palette is None:
            continue
        left = members[0][1].get_position().x0 + _LINE_IN / width
        right = members[-1][1].get_position().x1 - _LINE_IN / width
        place = (left, (_BAR_IN - 0.15) / height, right - left, 0.15 / height)
        bar = figure.colorbar(
            ScalarMappable(palette.norm, palette.colors),
            cax=figure.add_axes(place),
            orientation='horizontal',
            ticks=palette.ticks,
            format=palette.format,
            extend=palette.extend,
            label=palette.label,
        )
        bar.ax.minorticks_off()
