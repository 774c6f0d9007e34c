"""The alignment measured: outliers, real stereo, noise, constants, time, filters, drives, floor.

python -m benchmarks.bench_alignment writes results/alignment.md and its picture beside this file,
and the table in docs/accuracy.md. It uses the real pairs in ../shared, and the RANSAC and Huber of
scikit-learn.
"""

import argparse
import datetime
import importlib.metadata
from pathlib import Path

import cv2
import torch

from . import accuracy_page
from .alignment import (
    breakdown,
    constants,
    filters,
    noise,
    obstacles,
    real_stereo,
    simulated,
    timing,
)
from .measuring import machine

ROOT = Path(__file__).resolve().parents[1]
STEREO = ROOT.parent / 'shared/data/stereo'
RESULTS = Path(__file__).resolve().parent / 'results'


def main() -> None:
    """Run every part and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoint', default='', help='weights of tiny, if not those embedded')
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    RESULTS.mkdir(exist_ok=True)
    text = [_head()]
    for part in (
        lambda: breakdown.report(RESULTS / 'alignment_breakdown.png'),
        lambda: real_stereo.report(STEREO),
        lambda: noise.report(STEREO),
        lambda: constants.report(STEREO),
        timing.report,
        filters.report,
        lambda: simulated.report(arguments.checkpoint),
        obstacles.report,
    ):
        text.append(part())
        print(text[-1], flush=True)
    (RESULTS / 'alignment.md').write_text(''.join(text))
    accuracy_page.write_alignment(''.join(text))


def _head() -> str:
    try:
        rival = importlib.metadata.version('scikit-learn')
    except importlib.metadata.PackageNotFoundError:
        rival = 'not installed'
    return (
        '# Alignment\n\n'
        f'`OMP_NUM_THREADS=1 python -m benchmarks.bench_alignment`, {datetime.date.today()}\n\n'
        f'{machine(torch.device("cpu"))}, scikit-learn {rival}\n'
    )


if __name__ == '__main__':
    main()
