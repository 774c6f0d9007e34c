"""The picture of AbsRel by pattern."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .methods import FUSED, LOCAL, ORACLE, ROBUST, WITHOUT_NETWORK
from .patterns import PATTERNS
from .scores import Scores

COLORS = {
    FUSED: 'tab:blue',
    LOCAL: 'tab:cyan',
    ROBUST: 'tab:green',
    WITHOUT_NETWORK: 'tab:orange',
    ORACLE: '0.3',
    'sklearn RANSAC': '0.6',
    'sklearn Huber': '0.8',
}
MOST = 0.3


def draw(picture: Path, found: dict[tuple[str, str], Scores]) -> None:
    """Draw the mean AbsRel at pixels that were not given, a panel for each network."""
    networks = list(dict.fromkeys(network for network, _ in found))
    figure = Figure(figsize=(15, 4.5 * len(networks)), layout='constrained')
    for axes, network in zip(np.ravel(figure.subplots(len(networks), 1)), networks, strict=True):
        width = 0.85 / len(COLORS)
        for k, (method, color) in enumerate(COLORS.items()):
            errors = [found[network, name].not_given.get(method, []) for name in PATTERNS]
            means = [np.mean(values) if values else np.nan for values in errors]
            places = np.arange(len(PATTERNS)) + (k - (len(COLORS) - 1) / 2) * width
            axes.bar(places, means, width, color=color, label=method)
        axes.set(
            title=f'{network} (higher bars are cut)',
            ylabel='AbsRel, pixels not given',
            ylim=(0, MOST),
        )
        axes.set_xlim(-0.6, len(PATTERNS) - 0.4)
        axes.set_xticks(range(len(PATTERNS)), [name.replace(', ', ',\n') for name in PATTERNS])
        axes.tick_params(axis='x', labelsize=8)
        axes.grid(axis='y', alpha=0.3)
        axes.set_axisbelow(True)
    bars, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(bars, names, loc='outside lower center', ncols=len(names))
    figure.savefig(picture, dpi=100)
