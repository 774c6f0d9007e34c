"""The running node under faults from a seed: python -m benchmarks.soak writes results/soak.md.

The node runs as a process of its own with the embedded network; this one is camera, user and
lifecycle manager. Ordinary frames and faults alternate, and after each fault a good image must
give the depth that the library gives. 1 if a frame is not accounted for, or a budget is exceeded.
"""

import argparse
import datetime
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rclpy
import torch

import mono_depth_ros
from mono_depth_ros.ros.ros_domain import claimed_domain, ros_environment

from .alignment.table import table
from .measuring import machine
from .memory import BUDGET_KB, resident_kb
from .node_process import node_process
from .soaking.faults import FAULTS, Trouble
from .soaking.rig import HEIGHT, WIDTH, SoakRig

RESULTS = Path(__file__).resolve().parent / 'results'
GOOD = {'scale': 1.0}
WARM_SIZES = 60
"""Changes of resolution before memory is judged: the node keeps freed memory for the next frame
(`keep_freed_memory`), and with images of many sizes that takes so long to level off."""
FATES = {
    'out': 'frames processed',
    'without a listener': 'frames idle',
    'dropped': 'frames dropped',
    'refused': 'frames failed',
    'skipped': 'frames skipped by max_rate',
}


@dataclass
class Record:
    """What was seen of the node's process and its counts."""

    pid: int
    rig: SoakRig
    resident: list[tuple[int, int]] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    received: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    recovery_s: dict[str, float] = field(default_factory=dict)

    def sample(self) -> None:
        """Look at the process."""
        place = Path(f'/proc/{self.pid}')
        self.resident.append((self.rig.sent, resident_kb(self.pid)))
        self.threads.append(len(list((place / 'task').iterdir())))
        self.descriptors.append(len(list((place / 'fd').iterdir())))

    def count(self) -> None:
        """Add up what the node says it did since it was configured; it begins anew then."""
        counts = self.rig.settled()
        self.received += int(counts['images received'])
        for fate, name in FATES.items():
            self.fates[fate] += int(counts[name])

    @property
    def slope_kb(self) -> float:
        """Growth of resident memory once every fault has come [kB per frame]."""
        warm = min(len(FAULTS), len(self.resident) // 2)
        sent, resident = np.array(self.resident[warm:], float).T
        return float(np.polyfit(sent, resident, 1)[0])

    @property
    def broken(self) -> list[str]:
        """What does not hold."""
        warm = len(self.threads) // 2
        claims = {
            'in = out + dropped + refused + skipped': self.received == self.fates.total(),
            f'memory grows by less than {BUDGET_KB} kB per frame': self.slope_kb < BUDGET_KB,
            'threads are no more': max(self.threads[warm:]) <= max(self.threads[:warm]),
            'descriptors are no more': max(self.descriptors[warm:])
            <= max(self.descriptors[:warm]),
            'every ordinary frame is answered': not self.rig.unanswered,
        }
        return [claim for claim, holds in claims.items() if not holds]


def soak(frames: int, seed: int) -> Record:
    """Run the node through faults until so many frames have been sent."""
    picture = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    depth = mono_depth_ros.MonoDepth('tiny', device='cpu', **GOOD)(picture).depth
    with tempfile.TemporaryDirectory() as folder, _node(folder) as pid:
        rig = SoakRig(picture, depth)
        record = Record(pid, rig)
        trouble = Trouble(rig, seed, GOOD, record.count)
        rig.prove()
        for _ in range(WARM_SIZES):
            trouble.sizes()
            rig.prove()
        for fault in trouble.endless():
            if rig.sent >= frames:
                break
            trouble.ordinary()
            record.sample()
            fault(trouble)
            name = fault.__name__
            record.faults[name] += 1
            record.recovery_s[name] = max(record.recovery_s.get(name, 0.0), rig.prove())
            print(
                f'{rig.sent:6d} frames, {record.resident[-1][1] / 1e3:.0f} MB, {name}', flush=True
            )
        trouble.end()
        record.count()
        rig.close()
    return record


@contextmanager
def _node(folder: str) -> Iterator[int]:
    """Run the node in a domain of its own; yield its process id."""
    with claimed_domain() as domain:
        os.environ.update(ros_environment(domain, processes=2))
        rclpy.init(args=[])
        with node_process({'snapshot_folder': folder}) as pid:
            yield pid
        rclpy.try_shutdown()


def report(record: Record, frames: int, seed: int) -> str:
    """Return what was measured as a page."""
    rig, latency_ms = record.rig, 1e3 * np.array(record.rig.latencies_s)
    fates = ' + '.join(f'{count} {fate}' for fate, count in record.fates.items())
    lost = rig.sent - record.received
    first, last = record.resident[0], record.resident[-1]
    grown = f'{record.slope_kb:+.3f} kB per frame once every fault has come'
    rows = [
        ['images sent', f'{rig.sent}'],
        ['of which the transport lost', f'{lost}'],
        ['received by the node', f'{record.received} = {fates}'],
        [
            'resident memory',
            f'{first[1] / 1e3:.0f} MB after {first[0]} frames, '
            f'{last[1] / 1e3:.0f} MB after {last[0]}; {grown} '
            f'(budget {BUDGET_KB})',
        ],
        [
            'threads',
            f'{record.threads[0]} at first, {record.threads[-1]} at last, '
            f'at most {max(record.threads)}',
        ],
        [
            'file descriptors',
            f'{record.descriptors[0]} at first, {record.descriptors[-1]} at '
            f'last, at most {max(record.descriptors)}',
        ],
        ['ordinary frames', f'{len(latency_ms)} answered, {rig.unanswered} not'],
        [
            'their latency',
            f'median {np.median(latency_ms):.0f} ms, p99 '
            f'{np.quantile(latency_ms, 0.99):.0f} ms, worst {latency_ms.max():.0f} ms',
        ],
    ]
    faults = [
        [
            fault.__name__,
            (fault.__doc__ or '').rstrip('.'),
            str(record.faults[fault.__name__]),
            f'{record.recovery_s[fault.__name__]:.2f}',
        ]
        for fault in FAULTS
    ]
    return (
        '# The node under faults\n\n'
        f'`python -m benchmarks.soak --frames {frames} --seed {seed}`, {datetime.date.today()}\n\n'
        f'{machine(torch.device("cpu"))}\n\n'
        f'Images of {WIDTH}x{HEIGHT} px, encoder tiny on the CPU, over DDS. Camera and listener '
        'share the machine with the node. The transport may lose images: the node listens '
        'best-effort and keeps the newest one. '
        f'{WARM_SIZES} changes of resolution come first, until the freed memory that the node '
        'keeps has leveled off.\n\n'
        + table(['', 'measured'], rows)
        + '\nAfter each fault a good image had to give the depth that the library gives '
        '(within 0.1 %).\n\n'
        + table(['fault', 'what it does', 'times', 'longest until right depth [s]'], faults)
        + '\nWhat does not hold: '
        + ('; '.join(record.broken) or 'nothing')
        + '.\n'
    )


def main() -> int:
    """Run, print and write the report; 1 if something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--frames', type=int, default=10_000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--report', type=Path, default=RESULTS / 'soak.md')
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record = soak(arguments.frames, arguments.seed)
    text = report(record, arguments.frames, arguments.seed)
    print(text)
    arguments.report.write_text(text)
    return int(bool(record.broken))


if __name__ == '__main__':
    sys.exit(main())
