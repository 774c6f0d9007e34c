"""From stamp to receipt: python -m benchmarks.latency writes results/latency.md.

Cameras, node and reader are processes of their own, over DDS, with one torch thread. The rows are
measured in turns. A reader of depth, or of clouds; with the Fast DDS profile of `config/` for
cameras and node, and for the reader, or without; and several cameras on one network, beside as
many nodes.
"""

import argparse
import datetime
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from ..alignment.table import table
from ..measuring import machine
from .trial import Outcome, Trial, run

RESULTS = Path(__file__).resolve().parents[1] / 'results'
SIZES = (320, 240), (640, 480), (1280, 720)
SIDES = ('front', 'left', 'rear', 'right')
ONE = {
    f'{output.partition("/")[0]}, {size[0]}x{size[1]}, {said}': Trial(
        size=size, output=output, has_profile=profile
    )
    for size in SIZES
    for output in ('depth/image_rect', 'points')
    for said, profile in {
        'profile': (True, True),
        'reader without': (True, False),
        'no profile': (False, False),
    }.items()
}
SEVERAL = {
    f'{count} cameras, {said}': Trial(SIDES[:count], rate=5.0, is_shared=is_shared)
    for count in (1, 2, 4)
    for said, is_shared in (('one process', True), ('a process each', False))
    if count > 1 or is_shared
}
HEADER = ['p50 [ms]', 'p95 [ms]', 'p99 [ms]', 'received', 'CPU [cores]', 'memory [MB]']


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=10.0, help='of each trial')
    parser.add_argument('--turns', type=int, default=2)
    arguments = parser.parse_args()
    outcomes: defaultdict[str, list[Outcome]] = defaultdict(list)
    trials = [*ONE.items(), *SEVERAL.items()] * arguments.turns
    for name, trial in track(trials, 'trials'):
        outcomes[name].append(run(trial, arguments.seconds))
    load = ', '.join(f'{load:.1f}' for load in os.getloadavg())
    text = (
        '# From stamp to receipt\n\n'
        f'`python -m benchmarks.latency --seconds {arguments.seconds:g} --turns '
        f'{arguments.turns}`, {datetime.date.today()}\n\n{machine(torch.device("cpu"))}\n\n'
        f'Load of the machine at the end: {load} (1, 5, 15 minutes).\n\n'
        'Cameras, node and reader are processes of their own, over DDS; encoder tiny. *received* '
        'is the share of the images that were sent: what the network has no time for is replaced '
        'by a newer image. *CPU* is the processor time of the nodes by the clock. *memory* is '
        "proportional: what processes share counts once.\n\n## One camera at 30 Hz\n\n'profile' "
        'is `config/fastdds_large.xml` for cameras, node and reader.\n\n'
        + table(['reads', *HEADER], [_row(name, outcomes[name]) for name in ONE])
        + '\n\n## Several cameras at 5 Hz, 640x480\n\n*least fair* is the ratio of the fewest '
        'images that came of a camera to the most.\n\n'
        + table(['nodes', *HEADER, 'least fair'], [_several(n, outcomes[n]) for n in SEVERAL])
        + '\n'
    )
    print(text)
    (RESULTS / 'latency.md').write_text(text)


def _row(name: str, outcomes: list[Outcome]) -> list[str]:
    latencies = np.concatenate([one for outcome in outcomes for one in outcome.latencies_s])
    cameras = len(outcomes[0].latencies_s)
    share = len(latencies) / sum(outcome.sent * cameras for outcome in outcomes)
    times = [f'{1e3 * q:.0f}' for q in np.quantile(latencies, (0.5, 0.95, 0.99))]
    cpu, memory = (
        np.mean([getattr(outcome, what) for outcome in outcomes])
        for what in ('cpu_share', 'memory_mb')
    )
    return [name, *times, f'{share:.0%}', f'{cpu:.2f}', f'{memory:.0f}']


def _several(name: str, outcomes: list[Outcome]) -> list[str]:
    counts = [[len(one) for one in outcome.latencies_s] for outcome in outcomes]
    fair = min(min(count) / max(count) for count in counts)
    return [*_row(name, outcomes), f'{fair:.2f}']


if __name__ == '__main__':
    main()
