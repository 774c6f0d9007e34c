"""Write a run's weights as one file in half precision, and its curve as a picture.

python -m training.export --candidate tiny
"""

import argparse
import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from safetensors.torch import save_file

from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.core.network.families import Network

from .batch_norms import fused
from .candidates import CANDIDATES

mpl.use('Agg')
from matplotlib import pyplot as plt

LIMIT_BYTES = 12_000_000
"""All weights that the package ships, together."""


def trained_network(run: Path, candidate: str) -> tuple[Network, int]:
    """Return the running average of a run for inference, and its training step."""
    network = CANDIDATES[candidate].build()
    state = torch.load(run / 'state.pt', map_location='cpu', weights_only=True)
    network.load_state_dict(state['average'])
    network.eval()
    return fused(network) if isinstance(network, CompactDepth) else network, int(state['step'])


def export_weights(run: Path, candidate: str, target: Path) -> int:
    """Write the run's running average in half precision; return the training step.

    Raises:
        ValueError: The file would be larger than the package may carry.
    """
    network, step = trained_network(run, candidate)
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    size = sum(value.nbytes for value in weights.values())
    if size > LIMIT_BYTES:
        raise ValueError(f'the weights have {size} bytes; at most {LIMIT_BYTES} are shipped')
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, target, metadata={'encoder': candidate, 'step': str(step)})
    target.chmod(0o644)  # save_file leaves it to its owner alone
    return step


def plot_curve(runs: dict[str, Path], target: Path) -> None:
    """Draw loss and validation errors of runs over their processor time."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5), layout='constrained')
    for name, run in runs.items():
        with (run / 'log.csv').open() as file:
            rows = np.array([[float(cell) for cell in row] for row in csv.reader(file)])
        hours = rows[:, 1] / 3600
        left.plot(hours, rows[:, 3], linewidth=0.9, label=name)
        right.plot(hours, rows[:, 4], linewidth=0.9, label=f'{name}, after the best fit')
        right.plot(hours, rows[:, 5], linewidth=0.9, linestyle='--', label=f'{name}, in meters')
    left.set(xlabel='processor time [h]', ylabel='loss')
    right.set(xlabel='processor time [h]', ylabel='AbsRel, validation')
    for axes in (left, right):
        axes.set_yscale('log')
        axes.grid(alpha=0.3, which='both')
        axes.legend(fontsize=8)
    figure.savefig(target, dpi=110)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--candidate', default='tiny')
    parser.add_argument('--run', type=Path, default=None)
    parser.add_argument('--target', type=Path, default=None)
    parser.add_argument('--curve', type=Path, default=Path('training/runs/curve.png'))
    arguments = parser.parse_args()
    folder = arguments.run or Path('training/runs') / arguments.candidate
    file = arguments.target or folder.with_suffix('.safetensors')
    step = export_weights(folder, arguments.candidate, file)
    plot_curve({arguments.candidate: folder}, arguments.curve)
    print(f'step {step}: {file}, {arguments.curve}')
