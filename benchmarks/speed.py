"""Milliseconds per network and per step after it: python -m benchmarks.speed.

CPU time of one thread, since that changes least with what else the machine does; all in turns.
Writes results/speed.json, draws it into docs/images/speed.png and prints the tables of
docs/speed.md; `--draw` does without measuring.
"""

import argparse
import datetime
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mono_depth_ros.core.devices import keep_freed_memory
from mono_depth_ros.core.network.families import build_network
from mono_depth_ros.core.network.preprocessing import network_size

from .frame import AFTER, BEFORE, stages
from .measuring import in_turns, machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / 'benchmarks' / 'results' / 'speed.json'
PICTURE = ROOT / 'docs' / 'images' / 'speed.png'
NETWORKS = ('tiny', 'zipdepth', 'vits')
IMAGES = ((640, 480), (1920, 1080))
GOAL_MS = 10.0
"""After the network, for an image of 640x480."""
STEPS = (
    *('preprocess', 'edge filter and gate', 'cloud, colored', 'cloud, nearest'),
    *('cloud, centroid', BEFORE, AFTER),
)
"""What the stages to be shown begin with."""
KEYS = ('least_ms', 'median_ms')


def main() -> None:
    """Measure unless told not to, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=25, help='of the steps')
    parser.add_argument('--network-rounds', type=int, default=3)
    parser.add_argument('--draw', action='store_true', help='what was measured before')
    arguments = parser.parse_args()
    if not arguments.draw:
        measured_now = measured(arguments.rounds, arguments.network_rounds)
        RESULTS.write_text(json.dumps(measured_now, indent=1) + '\n')
    found = json.loads(RESULTS.read_text())
    draw(PICTURE, found)
    print(table(found))


@torch.inference_mode()
def measured(rounds: int, network_rounds: int) -> dict[str, Any]:
    """Return the times of all networks and steps, and where they were measured."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_freed_memory()
    cpu = torch.device('cpu')
    found: dict[str, Any] = {
        'command': 'python -m benchmarks.speed',
        'date': str(datetime.date.today()),
        'machine': machine(cpu),
    }
    found['networks'] = times(dict(map(network, NETWORKS)), network_rounds)
    for width, height in IMAGES:
        made = stages('vits', width, height, cpu)
        shown = {name: run for name, run in made.items() if name.startswith(STEPS)}
        found[f'{width}x{height}'] = times(shown, rounds)
    return found


def network(name: str) -> tuple[str, Callable[[], object]]:
    """Return what a network with random weights is called, and what runs it once."""
    built = build_network(name).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    height, width = network_size(480, 640, built.input_size, built.sampling.multiple)
    return f'{name} {width}x{height}', partial(built, torch.zeros(1, 3, height, width))


def times(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Any]:
    """Return the least and the median CPU time of each, in turns [ms]."""
    taken = in_turns(candidates, rounds, torch.device('cpu'))
    return {
        name: {
            'least_ms': round(1e3 * float(it.cpu.min()), 2),
            'median_ms': round(1e3 * float(np.median(it.cpu)), 2),
        }
        for name, it in taken.items()
    }


def table(found: Mapping[str, Any]) -> str:
    """Return the least and the median times of the networks and the steps as Markdown."""
    sizes = [f'{width}x{height}' for width, height in IMAGES]
    lines = [f'| step | {" | ".join(sizes)} |', f'|---|{"---:|" * len(sizes)}']
    # Names of stages may hold a number of points, which depends on the image.
    for rows in zip(*(found[size].items() for size in sizes), strict=True):
        cells = ' | '.join(cell(row) for _, row in rows)
        lines.append(f'| {short(rows[0][0])} | {cells} |')
    lines += ['', '| network, input | least, median [ms] |', '|---|---:|']
    lines += [f'| {name} | {cell(row)} |' for name, row in found['networks'].items()]
    return '\n'.join(lines)


def cell(row: Mapping[str, float]) -> str:
    """Return the least and the median time."""
    return ', '.join(milliseconds(row[key]) for key in KEYS)


def milliseconds(value: float) -> str:
    """Return a time to a tenth, or a long one to a whole number."""
    return f'{value:.1f}' if value < 100 else f'{value:.0f}'


def draw(picture: Path, found: Mapping[str, Any]) -> None:
    """Draw the least times as bars, with the medians as lines from their ends."""
    figure = Figure(figsize=(11, 3.6), layout='constrained')
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    bars(left, found['networks'], 'networks')
    left.set(xscale='log', xlim=(1, None))
    size = 'x'.join(map(str, IMAGES[0]))
    steps = {short(name): row for name, row in found[size].items()}
    bars(right, steps, f'steps, {size}; dashed: goal')
    right.axvline(GOAL_MS, color='0.3', linestyle='--')
    figure.savefig(picture, dpi=75)


def bars(axes: Axes, rows: Mapping[str, Mapping[str, float]], title: str) -> None:
    """Draw a bar for each row, the first on top."""
    least, median = (np.array([row[key] for row in rows.values()]) for key in KEYS)
    shown = axes.barh(list(rows), least, xerr=[0 * least, median - least], color='tab:blue')
    axes.bar_label(shown, map(milliseconds, least), label_type='center', color='white')
    axes.invert_yaxis()
    axes.set(title=title, xlabel='CPU time [ms]: least, line to the median')


def short(name: str) -> str:
    """Return the name of a stage in few words."""
    if not name.startswith(AFTER):
        return name
    return 'all after the network' + (', thinned' if 'thinned' in name else '')


if __name__ == '__main__':
    main()
