"""`mono_depth benchmark`: what is measured, compared and recommended."""

import json
from pathlib import Path

import pytest

from mono_depth_ros.cli.benchmark.benchmark_command import advice
from mono_depth_ros.cli.benchmark.turns import measure_group
from mono_depth_ros.cli.benchmark.variants import (
    Measured,
    Variant,
    backends_here,
    groups,
    recommended,
)
from mono_depth_ros.cli.main import main


def row(network: str, ms: float, backend: str = 'torch', **values: object) -> Measured:
    return Measured(Variant(network, 0, backend, 'fp32'), (ms,) * 9 + (ms + 10,), **values)


def test_a_network_in_every_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'found.json'
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    options = ['--rounds', '2', '--rate', '0.01', '--json', str(path), '--device', 'cpu']
    assert main(['benchmark', '--networks', 'tiny', *options]) == 0
    found = json.loads(path.read_text())
    assert [r['variant']['backend'] for r in found['rows']] == backends_here()
    for measured in found['rows']:
        assert (measured['error'], measured['is_random'], measured['seen']) == (
            '',
            False,
            [192, 256],
        )
        assert len(measured['ms']) == 2
        assert 0 < measured['median_ms'] <= measured['p99_ms']
        assert 50 < measured['peak_mb'] < 10_000
    assert [r['difference'] < 1e-4 for r in found['rows']] == [True] * len(found['rows'])
    assert found['rows'][0]['difference'] == 0
    assert found['advice'].startswith('encoder: tiny, backend: ')
    printed = capsys.readouterr().out
    assert f'for 0.01 Hz: {found["advice"]}' in printed
    assert '192' in printed
    assert 'random weights' not in printed


def test_random_weights_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights that are not here, in an empty cache."""
    monkeypatch.setenv('HF_HOME', str(tmp_path))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    options = ['--sizes', '32', '--rounds', '1', '--device', 'cpu', '--backends', 'torch']
    assert main(['benchmark', '--networks', 'zipdepth', *options]) == 0
    printed = capsys.readouterr().out
    assert 'zipdepth*' in printed
    assert 'random weights: those published are not on this machine' in printed
    assert not (tmp_path / 'mono_depth_ros').exists()


def test_what_fails_costs_its_row_only() -> None:
    bad, good = (
        Variant('tiny', 0, 'torch', 'fp16', 'cpu'),
        Variant('tiny', 0, 'torch', 'fp32', 'cpu'),
    )
    failed, timed = measure_group([bad, good], 1)
    assert failed.error.startswith('precision is fp16, which is slower than fp32 on a CPU')
    assert (failed.ms, timed.error, len(timed.ms), timed.difference) == ((), '', 1, 0.0)


def test_nothing_measured_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    options = ['--precisions', 'fp16', '--backends', 'torch', '--device', 'cpu']
    assert main(['benchmark', '--networks', 'tiny', *options]) == 1
    assert 'nothing could be measured' in capsys.readouterr().out


def test_groups_begin_with_the_reference() -> None:
    made = list(
        groups(['tiny', 'a/card.yaml'], [0, 280], ['torch', 'onnx'], ['bf16', 'fp32'], 'cpu')
    )
    assert [len(group) for group in made] == [4, 4, 1, 1]
    ways = [(v.backend, v.precision) for v in made[1]]
    assert ways[0] == ('torch', 'fp32')
    assert set(ways) == {(b, p) for b in ('torch', 'onnx') for p in ('fp32', 'bf16')}
    assert [v.parameters for v in made[3]] == ['network: a/card.yaml, input_size: 280']
    text = 'encoder: tiny, backend: torch, input_size: 280, precision: fp32'
    assert made[1][0].parameters == text


def test_the_largest_network_that_keeps_the_rate() -> None:
    found = [
        row('tiny', 5),
        row('vits', 60),
        row('vits', 50, 'onnx'),
        row('vitb', 20, error='failed'),
        row('vitl', 95),  # one frame in ten takes 105 ms
    ]
    best = recommended(found, 10)
    assert best is found[2]
    assert advice(found, best, 10).startswith('for 10 Hz: encoder: vits, backend: onnx, precision')
    assert recommended(found, 9) is found[4]
    assert recommended(found, 100) is None
    assert 'the fastest, encoder: tiny, backend: torch' in advice(found, None, 100)
    assert 'keeps 71 Hz' in advice(found, None, 100)


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (['--backends', 'tensorflow'], 'tensorflow is none of torch, onnx, openvino'),
        (['--precisions', 'int8'], 'int8 is none of fp32, fp16, bf16'),
        (['--rate', '0'], '0 is not positive'),
        (['--sizes', 'large'], 'invalid'),
    ],
)
def test_bad_arguments(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(['benchmark', *arguments])
    assert complaint in capsys.readouterr().err


def test_a_file_in_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['benchmark', '--json', str(tmp_path / 'none/found.json')]) == 1
    assert 'is not a folder' in capsys.readouterr().err
