"""Fusion in the running node: its depth against the truth, over DDS, from three kinds of sensors.

python -m benchmarks.live_fusion writes results/live_fusion.md beside this file. The node runs as a
process of its own with the embedded network; this one is the camera and the sensor, both at 5 Hz,
on views of the simulated world. Every view is measured; its measurement follows it by 10 ms.
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
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.ros.ros_domain import claimed_domain, ros_environment
from mono_depth_ros.simulation.rig import StereoFrame

from .alignment.live import render
from .alignment.table import percent, table
from .fusion.live_camera import LATE_S, RATE_HZ, Errors, LiveCamera, Turn
from .fusion.live_sensors import POSE, SENSORS, LiveSensor
from .measuring import machine
from .node_process import node_process

RESULTS = Path(__file__).resolve().parent / 'results'
MODELS = ('global', 'local', 'fused')
EVERY = 3
"""Of the views, rendered for a camera at 15 Hz."""
TURNS = 2
SETTLE_S = 2.0
TURN_S = 60.0
START_S = 120.0


def main() -> None:
    """Measure, print and write the report."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    frames = render()[::EVERY]
    for sensor in SENSORS:
        sensor.prepare(frames)
    with _node() as (listener, process_id):
        camera = LiveCamera(listener, frames)
        observer = Observer(rclpy.create_node('switch'))
        if not camera.run(lambda: bool(camera.turn.depths), START_S):
            raise TimeoutError(f'no depth came within {START_S} s')
        without, turns = _measure(camera, observer, process_id, len(frames))
    text = _report(frames, without, turns)
    print(text)
    (RESULTS / 'live_fusion.md').write_text(text)


@contextmanager
def _node() -> Iterator[tuple[Node, int]]:
    """Run the node; yield one of ours in its domain, and the process of the other."""
    with claimed_domain() as domain:
        os.environ.update(ros_environment(domain, processes=2))
        rclpy.init(args=[])
        with node_process({}) as process_id:
            yield rclpy.create_node('benchmark'), process_id
        rclpy.try_shutdown()


def _measure(
    camera: LiveCamera, observer: Observer, process_id: int, views: int
) -> tuple[Turn, dict[tuple[LiveSensor, str], Turn]]:
    """Run without and with each sensor and model in turns; return what the node made of it."""
    without = Turn()
    turns = {(sensor, model): Turn() for sensor in SENSORS for model in MODELS}
    for _ in range(TURNS):
        switch(observer, '/mono_depth', {'alignment.source': 'none'})
        _run(camera, None, without, process_id, views)
        for (sensor, model), turn in turns.items():
            switch(
                observer,
                '/mono_depth',
                {
                    'alignment.source': sensor.source,
                    'alignment.model': model,
                    'alignment.sensor_pose': POSE,
                },
            )
            _run(camera, sensor, turn, process_id, views)
    return without, turns


def _run(
    camera: LiveCamera, sensor: LiveSensor | None, turn: Turn, process_id: int, views: int
) -> None:
    camera.sensor, camera.turn = sensor, Turn()
    camera.run(lambda: False, SETTLE_S)
    processed, fused = camera.next_counts()
    cpu_s = _cpu_s(process_id)
    camera.turn, camera.number = turn, 0
    if not camera.run(lambda: camera.number >= views, TURN_S):
        raise TimeoutError(f'{views} views were not sent within {TURN_S} s')
    camera.turn = Turn()
    processed_then, fused_then = camera.next_counts()
    turn.cpu_s += _cpu_s(process_id) - cpu_s
    turn.processed += processed_then - processed
    turn.fused += fused_then - fused


def _report(
    frames: list[StereoFrame], without: Turn, turns: dict[tuple[LiveSensor, str], Turn]
) -> str:
    p50 = np.quantile(without.latencies_s, 0.5)
    rows = [['none', '', *_cost(without, p50), *[''] * 5]]
    errors = {key: turn.errors(frames, key[0].given) for key, turn in turns.items()}
    common = sorted(set.intersection(*(set(found) for found in errors.values())))
    for (sensor, model), turn in turns.items():
        fused = f'{turn.fused / turn.processed:.0%}' if model == 'fused' else ''
        means = _means([errors[sensor, model][view] for view in common])
        rows.append([sensor.name, model, *_cost(turn, p50), fused, *means])
    load = ', '.join(f'{load:.1f}' for load in os.getloadavg())
    return (
        '# Fusion in the running node\n\n'
        f'`python -m benchmarks.live_fusion`, {datetime.date.today()}\n\n'
        f'{machine(torch.device("cpu"))}\n\n'
        f'Load of the machine at the end: {load} (1, 5, 15 minutes). What lies above the number '
        'of cores is other work, and the latencies contain it.\n\n'
        f'Images of 320x240 at {RATE_HZ} Hz, each measured, its measurement {1e3 * LATE_S:.0f} ms '
        f'after it; encoder tiny, defaults otherwise, over DDS; {TURNS} turns of '
        f'{len(frames)} views '
        'each. Latency is from publishing an image to its depth at a subscriber. *Fused* is the '
        "share of frames with a measurement of their own in their depth, by the node's "
        'diagnostics. CPU is the processor time of the whole node, DDS included, by its frames. '
        f'AbsRel is that of the published depth, mean over the {len(common)} views that were '
        'answered in all rows; *given* are pixels that the sensor measured.\n\n'
        + table(['source', 'model', *_COST, 'fused', *_ERRORS], rows)
        + ''.join(f'\n* **{sensor.name}**: {sensor.about}.' for sensor in SENSORS)
        + '\n'
    )


_COST = (
    'answered',
    'p50 [ms]',
    'p95 [ms]',
    'p50 more than without [ms]',
    'CPU per frame [ms]',
)
_ERRORS = ('AbsRel, all', 'not given', 'given', 'known')


def _cost(turn: Turn, without_s: float) -> list[str]:
    p50, p95 = np.quantile(turn.latencies_s, (0.5, 0.95))
    answered = f'{len(turn.latencies_s) / turn.sent:.0%}'
    more, cpu = f'{1e3 * (p50 - without_s):.1f}', f'{1e3 * turn.cpu_s / turn.processed:.0f}'
    return [answered, f'{1e3 * p50:.0f}', f'{1e3 * p95:.0f}', more, cpu]


def _means(errors: list[Errors]) -> list[str]:
    *abs_rel, known = np.nanmean(errors, axis=0)
    return [*(percent(value) for value in abs_rel), f'{known:.0%}']


def _cpu_s(process_id: int) -> float:
    """Return the processor time that a process has taken [s]."""
    after_name = Path(f'/proc/{process_id}/stat').read_text().rpartition(')')[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf('SC_CLK_TCK')


if __name__ == '__main__':
    main()
