"""Frames in a row each: image, depth as published, truth, and the errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from ...core.evaluation.metrics import aligned_depth
from ...core.outputs.colormap import ColormapSettings

Depth = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

_LARGEST_ERROR = 0.5
_WIDTH_IN = 3.2
_GAP_IN = 0.1
_LINE_IN = 0.3
_TITLE_IN = 0.7
_LEGEND_IN = 0.7
_TICKS_M = (0.3, 0.5, 1, 2, 3, 5, 10, 20)


@dataclass(frozen=True, eq=False)
class Row:
    """One frame of the panel.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        colormap: (H, W, 3) uint8 RGB, as the node paints depth.
        depth: (H, W) float32 [m], NaN unknown.
        prediction: (H, W) float32, relative inverse depth.
        truth: (H, W) float32 [m], NaN unknown; None if there is none at all.
    """

    color: Pixels
    colormap: Pixels
    depth: Depth
    prediction: Depth
    truth: Depth | None


def write_panel(path: Path, title: str, rows: Sequence[Row], settings: ColormapSettings) -> None:
    """Write the panel as PNG; without any truth it has two columns."""
    with_truth = any(row.truth is not None for row in rows)
    names = ['image', 'depth as published']
    if with_truth:
        names += ['truth', 'error as published', 'error, affine-aligned']
    height, width = rows[0].color.shape[:2]
    page = _Page(len(rows), len(names), _WIDTH_IN * height / width)
    page.figure.suptitle(title, y=1 - 0.1 / page.height_in, va='top')
    for i, row in enumerate(rows):
        axes = [page.picture(i, j) for j in range(len(names))]
        if i == 0:
            for axis, name in zip(axes, names, strict=True):
                axis.set_title(name, fontsize='medium')
        _draw_row(row, axes, settings)
    _add_depth_legend(page.legend(1, 2 if with_truth else 1), settings)
    if with_truth:
        _add_error_legend(page.legend(3, 4))
    page.figure.savefig(path)


class _Page:
    """A figure with a grid of pictures, a title above and legends below; sizes in inches."""

    def __init__(self, rows: int, columns: int, row_in: float) -> None:
        self.width_in = columns * (_WIDTH_IN + _GAP_IN) + _GAP_IN
        self.height_in = rows * (row_in + _LINE_IN) + _TITLE_IN + _LEGEND_IN
        self.figure = Figure(figsize=(self.width_in, self.height_in), dpi=100)
        self._row_in = row_in

    def picture(self, row: int, column: int) -> Axes:
        """Return a cell of the grid, without ticks."""
        top = _TITLE_IN + row * (self._row_in + _LINE_IN)
        axes = self._axes(self._left(column), top, _WIDTH_IN, self._row_in)
        axes.set_xticks([])
        axes.set_yticks([])
        return axes

    def legend(self, first: int, last: int) -> Axes:
        """Return a narrow strip below some columns."""
        left, right = self._left(first) + _LINE_IN, self._left(last) + _WIDTH_IN - _LINE_IN
        return self._axes(left, self.height_in - _LEGEND_IN, right - left, 0.15)

    def _left(self, column: int) -> float:
        return _GAP_IN + column * (_WIDTH_IN + _GAP_IN)

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self.height_in - top - height
        across, up = 1 / self.width_in, 1 / self.height_in
        return self.figure.add_axes((left * across, bottom * up, width * across, height * up))


def relative_error(depth: Depth, truth: Depth) -> Depth:
    """Return |z - z*| / z* (H, W), NaN where either is not known."""
    known = np.isfinite(truth) & (truth > 0)
    safe = np.where(known, truth, 1)
    return np.where(known, np.abs(depth - safe) / safe, np.nan).astype(np.float32)


def depth_colors() -> Colormap:
    """Return the node's colors: warm = near, black = not known."""
    return colormaps['turbo_r'].with_extremes(bad='black')


def error_colors() -> Colormap:
    """Return dark = right, bright = wrong, gray = nothing to compare."""
    return colormaps['inferno'].with_extremes(bad='#808080')


def _draw_row(row: Row, axes: list[Axes], settings: ColormapSettings) -> None:
    axes[0].imshow(row.color)
    axes[1].imshow(row.colormap)
    if row.truth is None:
        for axis in axes[2:]:
            axis.set_xlabel('not measured')
        return
    axes[2].imshow(row.truth, depth_colors(), LogNorm(settings.near, settings.far))
    aligned = aligned_depth(torch.from_numpy(row.prediction), torch.from_numpy(row.truth))
    for axis, depth in zip(axes[3:], (row.depth, aligned.numpy()), strict=True):
        error = relative_error(depth, row.truth)
        axis.imshow(error, error_colors(), Normalize(0, _LARGEST_ERROR))
        if np.isfinite(error).any():
            axis.set_xlabel(f'mean {np.nanmean(error):.3f}', fontsize='small')


def _add_depth_legend(axes: Axes, settings: ColormapSettings) -> None:
    bar = Colorbar(
        axes,
        ScalarMappable(LogNorm(settings.near, settings.far), depth_colors()),
        orientation='horizontal',
        ticks=[tick for tick in _TICKS_M if settings.near <= tick <= settings.far],
        format=FuncFormatter(lambda tick, _: f'{tick:g}'),
    )
    bar.set_label('depth [m], black = not known')
    bar.ax.minorticks_off()


def _add_error_legend(axes: Axes) -> None:
    bar = Colorbar(
        axes,
        ScalarMappable(Normalize(0, _LARGEST_ERROR), error_colors()),
        orientation='horizontal',
        extend='max',
        format=PercentFormatter(1.0),
    )
    bar.set_label('relative error, gray = nothing to compare')
