"""The script for a machine with a GPU, run as far as a CPU can."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import gpu, gpu_frames, gpu_tables

CPU = torch.device('cpu')
ROOT = Path(__file__).resolve().parents[1]
OPTIONAL = ('av', 'rosbags', 'mcap', 'simplejpeg', 'matplotlib', 'onnxruntime', 'onnx', 'rclpy')
FOUND: dict[str, Any] = {
    'network': [
        {'encoder': name, 'batch': batch, 'graph_ms': {'p50': 1.5 * batch, 'p99': 2.25 * batch}}
        for name in ('tiny', 'vits')
        for batch in (1, 4)
    ],
    'frame': [
        {'image': image, 'stage': stage, 'ms': {'p50': 0.5, 'p99': 0.75}}
        for image in ('640x480', '1920x1080')
        for stage in ('preprocess', 'after the network: depth')
    ],
    'overlap': {'each_alone_hz': 210.5, 'overlapped_hz': 301.0},
    'stamp_to_receipt': {'p50': 8.1, 'p99': 12.5},
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have images small, and nothing warmed up."""
    monkeypatch.setattr(gpu, 'BATCHES', (1,))
    monkeypatch.setattr(gpu, 'SIZE', (64, 96))
    for name, value in {'WARM_UPS': 0, 'IMAGES': ((160, 120),), 'ENCODER': 'tiny'}.items():
        monkeypatch.setattr(gpu_frames, name, value)


@pytest.mark.parametrize('encoder', ['tiny', 'zipdepth', 'vits'])
def test_it_times_every_family(encoder: str) -> None:
    (row,) = gpu.network(encoder, CPU, 1)
    assert row['encoder'] == encoder
    assert row['eager_ms']['p50'] > 0
    assert row['half_precision_differs'] < 1e-5, 'it is fp32 here'
    assert row['graph_differs'] == 0, 'and there is no graph'
    assert not row['is_wrong']


@pytest.mark.parametrize('encoder', ['tiny', 'zipdepth', 'vits'])
def test_half_precision_is_compared_where_it_shows(
    encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, 'find_precision', lambda *_: torch.bfloat16)
    (row,) = gpu.network(encoder, CPU, 1)
    assert 0.001 < row['half_precision_differs'] < 1


def test_an_output_that_is_a_constant_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = gpu.random_network('vits').eval()
    zeros.depth_head.scratch.output_conv2[-1].bias.fill_(-10)
    monkeypatch.setattr(gpu, 'random_network', lambda name: zeros)
    (row,) = gpu.network('vits', CPU, 1)
    assert row['is_wrong']


def test_it_times_frames_and_their_overlap() -> None:
    stages = [row['stage'] for row in gpu_frames.frames(CPU, 1)]
    assert any(stage.startswith('after the network') for stage in stages)
    found = gpu_frames.overlap(CPU, 1)
    assert found['encoder'] == 'tiny'
    assert min(found['each_alone_hz'], found['overlapped_hz']) > 0


def test_a_part_that_fails_is_said_and_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError('out of memory')

    monkeypatch.setattr(gpu, 'overlap', fail)
    monkeypatch.setattr(gpu, 'stamp_to_receipt', lambda device: {'said': gpu_tables.NOT_RUN})
    page = gpu_tables.PAGE.read_text()
    monkeypatch.setattr(sys, 'argv', ['gpu', '--device=cpu', '--rounds=1', '--encoders=tiny'])
    assert gpu.main() == 1
    found = json.loads(capsys.readouterr().out)
    assert found['overlap'] == {'failed': "RuntimeError('out of memory')"}
    assert found['frame']
    assert gpu_tables.PAGE.read_text() == page, 'a CPU tells nothing of a GPU'


def test_every_test_that_needs_cuda_is_run() -> None:
    needs = ("reason='needs a CUDA device'", "parametrize('device', ['cuda'")
    texts = {path: path.read_text() for path in (ROOT / 'test' / 'core').rglob('test_*.py')}
    found = {
        str(p.relative_to(ROOT)) for p, text in texts.items() if any(n in text for n in needs)
    }
    assert found
    assert found <= set(gpu.TESTS)
    assert all((ROOT / test).is_file() for test in gpu.TESTS)


def test_it_needs_no_package_that_its_docstring_does_not_name() -> None:
    lacking = f'import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r}))'
    run = [sys.executable, '-c', f'{lacking}; import benchmarks.gpu']
    subprocess.run(run, check=True, cwd=ROOT)


def test_the_page_has_the_tables_of_what_was_measured() -> None:
    page = gpu_tables.PAGE.read_text()
    measured = sorted(gpu.RESULTS.glob('gpu-*.json'))
    found = json.loads(measured[-1].read_text()) if measured else {}
    assert gpu_tables.updated_page(page, found) == page


def test_results_get_into_the_page() -> None:
    page = gpu_tables.PAGE.read_text()
    updated = gpu_tables.updated_page(page, FOUND)
    for row in (
        '| vits | 2.0 | 1.5 / 2.25 |',
        '| vitb | 3.5 | not run |',
        '| fp16 | 210.5 | 301.0 |',
        '| preprocess, 1920x1080 | 0.5 / 0.75 |',
        f'| {gpu_tables.RECEIPT} | 8.1 / 12.5 |',
    ):
        assert f'\n{row}\n' in updated
    assert len(updated.splitlines()) == len(page.splitlines())
    # What a run did not get to, or failed at, does not cost what another one measured.
    assert gpu_tables.updated_page(updated, {'tests': {'status': 0}}) == updated
    with pytest.raises(ValueError, match='no table'):
        gpu_tables.updated_page('# Speed', FOUND)
