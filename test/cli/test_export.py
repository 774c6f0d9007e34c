"""`mono_depth export`: the embedded network as a file, and the file as a network."""

from pathlib import Path

import pytest

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.network.cards.card_reader import read_card


def test_the_embedded_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'tiny.onnx'
    command = ['export', '--encoder', 'tiny', '-o', str(path), '--size', '128x96']
    assert main(command) == 0
    assert f'use it as network: {path}' in capsys.readouterr().out
    card = read_card(str(path))
    assert card.license == 'Apache-2.0'
    assert card.size.fixed == (96, 128)
    assert 'encoder tiny, variant auto, sha256' in card.source
    assert card.needs_camera
    assert (card.meters.rule, card.meters.focal_px) == ('canonical', 96)


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (['-o', 'tiny.pth'], 'has another suffix than .onnx; name such a file'),
        (['-o', 'nowhere/tiny.onnx'], 'nowhere is not a folder; make it first'),
        (['-o', 'tiny.onnx', '--size', '100x100'], 'both sides must be multiples of 32'),
        (['-o', 'tiny.onnx', '--variant', 'metric_outdoor'], "no variant 'metric_outdoor'"),
    ],
)
def test_what_cannot_be_exported(
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(['export', '--encoder', 'tiny', *arguments]) == 1
    assert complaint in capsys.readouterr().err


def test_a_size_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['export', '-o', 'x.onnx', '--size', '518'])
    assert '518 is not like 686x518' in capsys.readouterr().err
