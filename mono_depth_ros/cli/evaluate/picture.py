"""One frame: truth, prediction after alignment, and where it is too near or too far."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from ...core.evaluation.depth_evaluation import EvaluationResult

Depth = npt.NDArray[np.floating]

_LARGEST_ERROR = 0.5
_WIDTH_IN = 4.0


def write_picture(
    path: Path,
    title: str,
    judgment: EvaluationResult,
    truth: Depth,
    counted: npt.NDArray[np.bool_],
) -> None:
    """Write a PNG of a judgment beside the truth, both in the truth's range of depth.

    Args:
        path: The file.
        title: What to write above.
        judgment: Of the prediction.
        truth: (H, W) [m].
        counted: (H, W), where the truth counts.

    Raises:
        OSError: It cannot be written.
    """
    depth = judgment.depth.cpu().numpy()
    near, far = np.percentile(truth[counted], (1, 99))
    meters = LogNorm(near, max(far, 1.01 * near))
    error = np.where(counted, depth - truth, np.nan) / np.where(counted, truth, 1)

    height, width = truth.shape
    row_in = _WIDTH_IN * height / width
    figure = Figure((3 * _WIDTH_IN, row_in + 1.4), dpi=100, layout='constrained')
    figure.suptitle(title, fontsize='medium', y=0.99, va='top')
    axes = figure.subplots(1, 3)
    _show(axes[0], 'truth', truth, meters, _depth_colors())
    _show(axes[1], 'prediction', depth, meters, _depth_colors())
    share = Normalize(-_LARGEST_ERROR, _LARGEST_ERROR)
    _show(axes[2], f'error, AbsRel {judgment.metrics.abs_rel:.3f}', error, share, _error_colors())
    bar = figure.colorbar(
        ScalarMappable(meters, _depth_colors()),
        ax=axes[:2],
        orientation='horizontal',
        format=FuncFormatter(lambda tick, _: f'{tick:g}'),
        ticks=LogLocator(subs=(1, 2, 5)),
        shrink=0.6,
        label='depth [m], black = not known',
    )
    bar.ax.xaxis.set_minor_formatter(NullFormatter())
    figure.colorbar(
        ScalarMappable(share, _error_colors()),
        ax=axes[2],
        orientation='horizontal',
        extend='both',
        format=PercentFormatter(1.0),
        label='too near (blue) or too far (red), gray = not judged',
    )
    figure.savefig(path)


def _show(axes: Axes, title: str, values: Depth, norm: Normalize, colors: Colormap) -> None:
    axes.imshow(np.ma.masked_invalid(values), colors, norm, interpolation='nearest')
    axes.set_title(title, fontsize='small')
    axes.set_axis_off()


def _depth_colors() -> Colormap:
    """Return warm = near, as the node paints depth."""
    return colormaps['turbo_r'].with_extremes(bad='black')


def _error_colors() -> Colormap:
    return colormaps['RdBu_r'].with_extremes(bad='#606060')
