"""Alignment in the running node: frames do not wait, it starts soon, holds, expires, recovers.

python -m benchmarks.live_alignment writes results/live_alignment.md beside this file. The node
runs as a process of its own with the embedded network; this one is the camera at 15 Hz and the
matcher at 3 Hz and 300 ms late, on views of the simulated world.
"""

import argparse
import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import rclpy
import torch
from rclpy.node import Node

from mono_depth_ros.cli.demo.recorder import switch
from mono_depth_ros.cli.demo.trial import METHODS, NONE
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.ros.ros_domain import claimed_domain, ros_environment

from .alignment.live import EVERY, LATE_S, RATE_HZ, Answer, LiveRig, Record, render
from .alignment.table import percent, table
from .measuring import machine
from .node_process import node_process

RESULTS = Path(__file__).resolve().parent / 'results'
MAX_AGE_S = 2.0
ALIGNED = {'alignment.source': 'disparity', 'alignment.max_age': MAX_AGE_S}
BLOCK_S = 8.0
BLOCKS = 4
STARTS = 5
UNPLUGS = 3
START_S = 120.0
WAIT_S = 30.0
SETTLE_S = 3.0
QUIET_S = 10.0
"""The node repeats a warning after that time at the earliest."""


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoint', default='', help='weights of tiny, if not those embedded')
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    frames = render()
    with _node(arguments.checkpoint) as listener:
        rig = LiveRig(listener, frames)
        observer = Observer(rclpy.create_node('switch'))
        if not rig.run(lambda: _is_answered(rig.record), START_S):
            raise TimeoutError(f'no depth came within {START_S} s')
        text = _head() + _latency(rig, observer) + _start(rig, observer) + _unplug(rig)
    print(text)
    (RESULTS / 'live_alignment.md').write_text(text)


@contextmanager
def _node(checkpoint: str) -> Iterator[Node]:
    """Run the node; yield one of ours in its domain."""
    with claimed_domain() as domain:
        os.environ.update(ros_environment(domain, processes=2))
        rclpy.init(args=[])
        with node_process({'checkpoint': checkpoint} if checkpoint else {}):
            yield rclpy.create_node('benchmark')
        rclpy.try_shutdown()


def _latency(rig: LiveRig, observer: Observer) -> str:
    """Run with and without disparity in turns."""
    rig.is_plugged = True
    records = {'without disparity': Record(), 'with disparity': Record()}
    for _ in range(BLOCKS):
        for (_, record), parameters in zip(records.items(), (METHODS[NONE], ALIGNED), strict=True):
            switch(observer, '/mono_depth', parameters)
            rig.record = Record()
            rig.run_for(SETTLE_S)
            rig.record = record
            rig.run_for(BLOCK_S)
    rows = []
    for name, record in records.items():
        latency = np.array([a.latency_s for a in record.answers if a.latency_s is not None])
        spread = [f'{1e3 * q:.0f}' for q in np.quantile(latency, (0.5, 0.95, 0.99, 1.0))]
        answered = f'{len(latency) / len(record.answers):.1%}'
        rows.append([name, str(len(record.answers)), answered, *spread])
    errors = np.array([a.abs_rel for a in records['with disparity'].answers if a.is_metric])
    return (
        '\n## Frames do not wait\n\nFrom publishing an image to its depth at a subscriber, in '
        f'{BLOCKS} turns of {BLOCK_S:.0f} s each.\n\n'
        + table(
            ['latency [ms]', 'images', 'answered', 'median', 'p95', 'p99', 'worst'],
            rows,
        )
        + f'\nMetric depth against the truth with disparity, {len(errors)} frames: AbsRel mean '
        f'{percent(errors.mean())}, median {percent(float(np.median(errors)))}.\n'
    )


def _start(rig: LiveRig, observer: Observer) -> str:
    """Start the alignment anew, each time from nothing."""
    rows = []
    for k in range(STARTS):
        switch(observer, '/mono_depth', METHODS[NONE])
        rig.run_for(SETTLE_S + 0.1 * k)  # at another moment between two disparities
        switch(observer, '/mono_depth', ALIGNED)
        rig.record = record = Record()
        _await_metric(rig, record)
        rows.append(_first_metric(record, f'{k + 1}'))
    return (
        '\n## Start\n\nThe source is set and the alignment reset while images and disparities '
        'go on; a disparity of an image from before that has nothing to be fitted to.\n\n'
        + table(['start', *_FIRST], rows)
    )


def _unplug(rig: LiveRig) -> str:
    """Stop the disparities and let them come back."""
    held, back = [], []
    for k in range(UNPLUGS):
        rig.record = record = Record()
        rig.run_for(QUIET_S)
        rig.is_plugged = False
        last_ns, _ = record.disparities[-1]
        rig.run(lambda r=record: _is_answered(r) and not _newest(r).is_metric, WAIT_S)
        metric = [a for a in record.answers if a.is_metric]
        unknown = next(a for a in record.answers if a.stamp > metric[-1].stamp and a.latency_s)
        rig.run(lambda r=record: any('alignment is' in text for _, text in r.warnings), WAIT_S)
        warned_s, text = next(w for w in record.warnings if 'alignment is' in w[1])
        held.append(
            [
                f'{k + 1}',
                f'{(metric[-1].stamp - last_ns) / 1e9:.2f}',
                f'{(unknown.stamp - last_ns) / 1e9:.2f}',
                f'{warned_s - unknown.sent_s:.2f}',
            ]
        )
        rig.run_for(SETTLE_S)
        rig.record = record = Record()
        rig.is_plugged = True
        _await_metric(rig, record)
        back.append(_first_metric(record, f'{k + 1}'))
    return (
        f'\n## Disparity unplugged\n\n`alignment.max_age` is {MAX_AGE_S} s. Ages are stamps of '
        'images after the stamp of the last disparity.\n\n'
        + table(
            [
                'unplugged',
                'last metric depth, age [s]',
                'first unknown depth, age [s]',
                'warning after that image [s]',
            ],
            held,
        )
        + f'\nThe node says: "{text}"\n\n## Plugged back\n\n'
        + table(['plugged', *_FIRST], back)
    )


_FIRST = (
    'disparities until metric depth',
    'from the first disparity to metric depth [s]',
    'of which until the next image [s]',
    'AbsRel of that frame',
)


def _first_metric(record: Record, name: str) -> list[str]:
    """Return how long the first metric depth of a record took."""
    first = next(answer for answer in record.answers if answer.is_metric)
    arrived_s = first.sent_s + first.latency_s
    before = [sent_s for _, sent_s in record.disparities if sent_s < arrived_s]
    return [
        name,
        str(len(before)),
        f'{arrived_s - before[0]:.2f}',
        f'{max(0.0, first.sent_s - before[-1]):.2f}',
        percent(first.abs_rel),
    ]


def _await_metric(rig: LiveRig, record: Record) -> None:
    if not rig.run(lambda: any(answer.is_metric for answer in record.answers), WAIT_S):
        raise TimeoutError(f'no metric depth came within {WAIT_S} s')


def _is_answered(record: Record) -> bool:
    return any(answer.latency_s is not None for answer in record.answers)


def _newest(record: Record) -> Answer:
    return next(a for a in reversed(record.answers) if a.latency_s is not None)


def _head() -> str:
    return (
        '# Alignment in the running node\n\n'
        f'`python -m benchmarks.live_alignment`, {datetime.date.today()}\n\n'
        f'{machine(torch.device("cpu"))}\n\n'
        f'Images of 320x240 at {RATE_HZ} Hz, disparity at {RATE_HZ / EVERY:.0f} Hz and '
        f'{1e3 * LATE_S:.0f} ms late (SGBM on the simulated pair), encoder tiny, over DDS.\n'
    )


if __name__ == '__main__':
    main()
