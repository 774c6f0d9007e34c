"""`mono_depth networks` and `calibrate` with a model of transformers, of random weights."""

from pathlib import Path

import pytest
from hub_models import glpn, processor, save

from mono_depth_ros.cli.main import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a GLPN in it and a card of it that states its kind."""
    save(glpn(), tmp_path / 'glpn', processor('GLPN'))
    (tmp_path / 'card.yaml').write_text(
        'model: hf:glpn\noutput: {kind: relative_depth}\nmeters: {rule: fit}\nsource: made here\n'
    )
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return ' '.join(capsys.readouterr().out.split())


def test_list_show_and_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / 'unknown').mkdir()
    (folder / 'unknown' / 'config.json').write_text('{"model_type": "dpt"}')
    assert main(['networks', 'list', str(folder)]) == 0
    listed = shown(capsys)
    assert 'glpn depth metric MIT here' in listed
    assert 'card.yaml relative_depth fit MIT here' in listed
    assert f'what hf:{folder / "unknown"} predicts cannot be known' in listed

    assert main(['networks', 'show', f'hf:{folder / "glpn"}']) == 0
    text = shown(capsys)
    for part in (
        f'model hf:{folder / "glpn"}',
        'type glpn',
        'license MIT',
        'image rgb nchw: (0.00392157 value - [0, 0, 0]) / [1, 1, 1]',
        'size as the image, multiples of 32',
        'camera not needed',
        'range 0 to 7.84 m',
    ):
        assert part in text

    assert main(['networks', 'show', str(folder / 'card.yaml')]) == 0
    assert 'depth relative_depth meters fit source made here' in shown(capsys)

    assert main(['networks', 'check', f'hf:{folder / "glpn"}', '--rounds', '1']) == 1
    checked = shown(capsys)
    assert 'right at two sizes' in checked
    assert '640x480 px (input 640x480)' in checked
    assert 'are these weights trained?' in checked
    (folder / 'glpn' / 'model.safetensors').unlink()
    assert main(['networks', 'list', str(folder)]) == 0
    assert 'glpn depth metric MIT not here' in shown(capsys)


def test_calibrate_names_the_folder_from_anywhere(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / 'glpn' / 'config.json').write_text('{"model_type": "depth_anything"}')  # relative
    arguments = ['--network', 'hf:glpn', '--focal', '500', '--baseline', '0.1']
    scale = ['--scale-disparity', '0.5', '--shift-disparity', '1']
    assert main(['calibrate', *arguments, *scale]) == 0
    assert f"network: 'hf:{folder / 'glpn'}'" in capsys.readouterr().out
