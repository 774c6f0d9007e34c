"""Write the trained weights into the package, and the training curve beside this file."""

import argparse
import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from safetensors.torch import save_file

mpl.use('Agg')
from matplotlib import pyplot as plt

PACKAGED = Path(__file__).parents[1] / 'mono_depth_ros/weights/tiny.safetensors'
CURVE = Path(__file__).with_name('curve.png')
_LIMIT_BYTES = 8_000_000


def export_weights(run: Path, target: Path) -> int:
    """Write the run's averaged weights in half precision; return the training step.

    Raises:
        ValueError: The file would be larger than the package may carry.
    """
    state = torch.load(run / 'state.pt', map_location='cpu', weights_only=True)
    weights = {name: value.half().contiguous() for name, value in state['average'].items()}
    size = sum(value.nbytes for value in weights.values())
    if size > _LIMIT_BYTES:
        raise ValueError(f'the weights have {size} bytes; at most {_LIMIT_BYTES} are shipped')
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, target, metadata={'encoder': 'tiny', 'step': str(state['step'])})
    target.chmod(0o644)  # save_file leaves it to its owner alone
    return int(state['step'])


def plot_curve(run: Path, target: Path) -> None:
    """Draw the loss over the steps of a run."""
    with (run / 'log.csv').open() as file:
        rows = np.array([[float(cell) for cell in row] for row in csv.reader(file)])
    figure, axes = plt.subplots(figsize=(7, 3.5), layout='constrained')
    axes.semilogy(rows[:, 0], rows[:, 1], linewidth=0.8)
    axes.set(xlabel='step', ylabel='loss, mean of 50 steps', title='encoder: tiny')
    axes.grid(alpha=0.3, which='both')
    figure.savefig(target, dpi=110)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--run', type=Path, default=Path('training/runs/tiny'))
    parser.add_argument('--target', type=Path, default=PACKAGED)
    parser.add_argument('--curve', type=Path, default=CURVE)
    arguments = parser.parse_args()
    step = export_weights(arguments.run, arguments.target)
    plot_curve(arguments.run, arguments.curve)
    print(f'step {step}: {arguments.target}, {arguments.curve}')
