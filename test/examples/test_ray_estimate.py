"""examples/ray_estimate.py with two workers on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('ray', reason='ray is not installed here (requirements/dev.txt has it)')

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'examples' / 'ray_estimate.py'
OUTPUTS = ['--encoder', 'tiny', '--formats', 'npy']


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / 'archive'
    folder.mkdir()
    for i in range(5):
        pixels = np.random.default_rng(i).integers(0, 255, (6, 8, 3), np.uint8)
        smooth = cv2.resize(pixels, (160, 120), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f'{i}.png'), smooth)
    return folder


def run(home: Path, *arguments: object) -> 'subprocess.CompletedProcess[str]':
    """Run Python."""
    environment = {
        **os.environ,
        'HOME': str(home),  # Ray keeps a token there
        'OMP_NUM_THREADS': '1',
        'RAY_USAGE_STATS_ENABLED': '0',
    }
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


def estimated(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.large
def test_two_workers_make_what_one_process_makes(archive: Path, tmp_path: Path) -> None:
    """Of three shards the one with the bad picture fails, and all that can be made is."""
    (archive / '2.png').write_bytes(b'')
    alone, spread = tmp_path / 'alone', tmp_path / 'spread'
    command = ('-m', 'mono_depth_ros.cli.main', 'estimate', archive, '-o', alone, *OUTPUTS)
    assert run(tmp_path, *command).returncode == 1
    workers = ('--shards', 3, '--workers', 2)
    done = run(tmp_path, SCRIPT, *workers, archive, '-o', spread, *OUTPUTS)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = sorted(line for line in done.stdout.splitlines() if line.startswith('shard '))
    assert [line.partition(',')[0] for line in lines] == [
        'shard 1/3: done',
        'shard 2/3: done',
        'shard 3/3: failed (1)',
    ]
    assert len(estimated(alone)) == 4
    assert estimated(spread) == estimated(alone)


def test_script_is_short() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= 60
