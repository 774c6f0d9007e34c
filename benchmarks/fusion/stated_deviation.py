"""The stated uncertainty against the error: by tenths of the pixels, and without the worst."""

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from mono_depth_ros.core.scale.uncertainty import Uncertainty

from ..alignment.table import table
from .methods import FUSED, MODELS, RANGE, ROBUST, estimator_of, prediction_of
from .patterns import PATTERNS
from .scenes import DISTORTED, TINY, Scene

_PIXELS = 4000  # of a scene
_TENTHS = 10
_KEPT = 0.8
_WANTED = 0.55, 0.80
_WANTED_GAIN = 0.25
Floats = npt.NDArray[np.floating]
Found = dict[tuple[str, str, str], Floats]


def measure(scenes: list[Scene]) -> Found:
    """Return stated deviation and error (2, N), shares of depth, by model, network and pattern."""
    found: dict[tuple[str, str, str], list[Floats]] = {}
    for seed, scene in enumerate(scenes):
        for pattern_name, pattern in PATTERNS.items():
            measured = pattern.measure(scene, seed)
            for network in (TINY, DISTORTED) if measured is not None else ():
                for name in (FUSED, ROBUST):
                    prediction = prediction_of(scene, network)
                    scale = estimator_of(MODELS[name], pattern.source).update(
                        1, prediction, RANGE, partial(dict, {pattern.source: measured[0]})
                    )
                    if scale.applied is None:
                        continue
                    metric = scale.metric(prediction, RANGE)
                    stated = Uncertainty(metric, prediction, scale).share
                    known = (scene.truth.isfinite() & stated.isfinite()).flatten().nonzero()[:, 0]
                    chosen = known[:: max(1, len(known) // _PIXELS)]
                    ratio = scene.truth.flatten()[chosen] / metric.inverse_depth.flatten()[chosen]
                    pair = np.stack((stated.flatten()[chosen].numpy(), np.abs(ratio.numpy() - 1)))
                    found.setdefault((name, network, pattern_name), []).append(pair)
    return {key: np.concatenate(pairs, axis=1) for key, pairs in found.items()}


def tenths(pairs: Floats) -> Floats:
    """Return the share of errors within the stated deviation, by tenths of the latter."""
    stated, error = pairs
    order = np.argsort(stated, kind='stable')
    return np.array(
        [np.mean(error[part] <= stated[part]) for part in np.array_split(order, _TENTHS)]
    )


def gain(pairs: Floats) -> float:
    """Return the share by which AbsRel falls without the fifth that is least certain."""
    stated, error = pairs
    order = np.argsort(stated, kind='stable')
    return float(1 - error[order[: round(_KEPT * len(order))]].mean() / error.mean())


def report(found: Found) -> str:
    """Return the table, wanted values in its head."""
    rows = []
    for (name, network, pattern), pairs in found.items():
        shares = tenths(pairs)
        low, high = _WANTED
        inside = int(((shares >= low) & (shares <= high)).sum())
        rows.append(
            [
                f'{pattern}, {network}, `{name}`',
                ' '.join(f'{share:.0%}'.rstrip('%') for share in shares),
                f'{inside} of {_TENTHS}',
                f'{gain(pairs):.0%}',
            ]
        )
    head = [
        'pattern, network, model',
        'within one deviation, % by tenths of it',
        f'tenths within {_WANTED[0]:.0%} to {_WANTED[1]:.0%}',
        f'AbsRel less without the worst fifth (wanted: {_WANTED_GAIN:.0%})',
    ]
    return (
        '\n## Uncertainty\n\nThe constants of uncertainty.py and cell_variances.py were chosen '
        'together, by random search, on the scenes that those of the fusion were chosen on, views '
        '90100 to 90111, and drives 100 to 103 and 300 to 303 with the sensors of docs/robots.md; '
        'for SGBM on pairs of drives 50 to 55; the simulated ones here are others. Normal errors '
        'would be within one deviation in 68 % of the pixels.\n\n'
        '![Stated uncertainty](fusion_uncertainty.png)\n\n' + table(head, rows)
    )


def draw(picture: Path, found: Found) -> None:
    """Draw the share within one deviation by tenths, and AbsRel by the share of pixels kept."""
    figure = Figure(figsize=(13, 9), layout='constrained')
    grid = figure.subplots(2, 2)
    for axes, network in zip(grid, (TINY, DISTORTED), strict=True):
        for pattern in PATTERNS:
            pairs = found.get((FUSED, network, pattern))
            if pairs is None:
                continue
            axes[0].plot(range(1, _TENTHS + 1), tenths(pairs), marker='.', label=pattern)
            error = pairs[1][np.argsort(pairs[0], kind='stable')]
            mean = np.cumsum(error) / np.arange(1, len(error) + 1)
            kept = np.linspace(0.05, 1, 60)
            axes[1].plot(kept, mean[(kept * len(mean)).astype(int) - 1] / error.mean())
        axes[0].axhspan(*_WANTED, color='0.9')
        axes[0].set(title=f'{network}: within one stated deviation', xlabel='tenth', ylim=(0, 1))
        axes[1].set(title=f'{network}: AbsRel / AbsRel of all', xlabel='share of pixels kept')
    lines, names = grid[0][0].get_legend_handles_labels()
    figure.legend(lines, names, loc='outside lower center', ncols=6)
    figure.savefig(picture, dpi=80)
