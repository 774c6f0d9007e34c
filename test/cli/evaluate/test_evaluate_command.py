"""`mono_depth evaluate` as a user calls it."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.cli.evaluate import evaluate_command
from mono_depth_ros.cli.main import main
from mono_depth_ros.core.files.file_writers import write_depth_png

TRUTH = 1 + np.arange(600, dtype=np.float32).reshape(20, 30) / 100


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder of predictions and one of truths, five frames each, 10 % too far."""
    predictions, truths = tmp_path / 'predictions', tmp_path / 'truths'
    predictions.mkdir()
    truths.mkdir()
    for i in range(5):
        write_depth_png(truths / f'depth_{i}.png', TRUTH + i)
        np.save(predictions / f'color_{i}.npy', 1.1 * (TRUTH + i))
    return predictions, truths


def evaluated(tmp_path: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    path = tmp_path / 'result.json'
    status = main(['evaluate', *map(str, arguments), '--json', str(path)])
    return status, json.loads(path.read_text())


def test_folders(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = evaluated(tmp_path, *folders, '--per-frame')
    assert status == 0
    assert result['failed'] == []
    assert [frame['name'] for frame in result['frames']] == ['0', '1', '2', '3', '4']
    assert result['mean']['none']['abs_rel'] == pytest.approx(0.1, abs=2e-4)
    assert result['mean']['scale']['abs_rel'] == pytest.approx(0, abs=2e-4)
    assert result['mean']['scale']['scale'] == pytest.approx(1.1, rel=1e-3)
    assert result['mean']['none']['edge_f'] > 0.99
    assert result['mean']['constant']['edge_f'] == 0
    assert result['mean']['constant']['abs_rel'] > 0.2
    output = capsys.readouterr().out
    assert (
        'truth: 5 frames, layout files; 1 in a 16-bit PNG of depth is 1/1000 m, the default'
        in output
    )
    assert 'mean of 5 frames' in output
    abs_rel = next(line for line in output.splitlines() if 'AbsRel ' in line and '0.1' in line)
    assert [cell.strip() for cell in abs_rel.split('│')[1:3]] == ['AbsRel', '0.1000']


def test_frames_are_judged_on_one_thread(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, seen = evaluate_command.judge_frame, []

    def judging(*arguments: Any) -> Any:
        seen.append(torch.get_num_threads())
        return judge(*arguments)

    monkeypatch.setattr(evaluate_command, 'judge_frame', judging)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert evaluated(tmp_path, *folders)[0] == 0
    finally:
        torch.set_num_threads(before)
    assert seen == [1] * 5


def test_relative_prediction_needs_an_alignment(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions, truths = folders
    for i in range(5):
        np.save(predictions / f'color_{i}.npy', 30 / (TRUTH + i) - 2)
    relative = (predictions, truths, '--quantity', 'relative_inverse_depth')
    status, result = evaluated(tmp_path, *relative)
    assert status == 0
    assert set(result['mean']) == {'scale', 'scale_shift', 'constant', 'row gradient'}
    assert result['mean']['scale_shift']['rmse'] == pytest.approx(0, abs=2e-3)
    assert result['mean']['scale_shift']['scale'] == pytest.approx(1 / 30, rel=1e-3)
    assert main(['evaluate', *map(str, relative), '--align', 'none']) == 1
    assert 'relative_inverse_depth has no unit' in capsys.readouterr().err
    # Given as what it is not, it runs the wrong way, and that is said.
    assert main(['evaluate', str(predictions), str(truths)]) == 0
    assert 'is --quantity right?' in capsys.readouterr().out


def test_caps_and_crop_reach_the_protocol(folders: tuple[Path, Path], tmp_path: Path) -> None:
    caps = ('--min-depth', 2, '--max-depth', 4, '--crop', 'garg')
    _, result = evaluated(tmp_path, *folders, *caps, '--align', 'none')
    assert result['asked']['crop'] == 'garg'
    inside = (TRUTH > 2) & (TRUTH < 4)
    inside[: int(0.40810811 * 20)] = inside[int(0.99189189 * 20) :] = False
    inside[:, : int(0.03594771 * 30)] = inside[:, int(0.96405229 * 30) :] = False
    assert result['frames'][0]['none']['n'] == inside.sum()


def test_bad_frames_are_named_and_counted_and_the_rest_goes_on(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions, truths = folders
    (predictions / 'color_1.npy').write_bytes(b'')
    (truths / 'depth_2.png').write_bytes(b'no picture')
    np.save(predictions / 'color_3.npy', np.ones((7, 30)))
    status, result = evaluated(tmp_path, *folders)
    assert status == 3
    assert [frame['name'] for frame in result['frames']] == ['0', '4']
    assert [failure['name'] for failure in result['failed']] == ['1', '2', '3']
    errors = capsys.readouterr().err
    for reason in ('is empty (0 bytes)', 'is damaged or no picture', 'another aspect ratio'):
        assert reason in errors
    assert 'Traceback' not in errors


def test_nothing_to_judge_is_an_error(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions, truths = folders
    assert main(['evaluate', *map(str, folders), '--max-depth', '0.5']) == 1
    assert 'no frame could be judged' in capsys.readouterr().err
    assert main(['evaluate', str(tmp_path / 'nowhere.npy'), str(truths)]) == 1
    assert 'nowhere.npy does not exist' in capsys.readouterr().err
    assert main(['evaluate', str(predictions), str(truths), '--disparity']) == 1
    assert 'needs --focal and --baseline' in capsys.readouterr().err
    assert main(['evaluate', *map(str, folders), '--json', '/proc/nowhere/x.json']) == 1
    assert 'cannot write to /proc/nowhere' in capsys.readouterr().err


def test_disparity_as_truth(tmp_path: Path) -> None:
    disparity = (500 * 0.1 / TRUTH - 3).astype(np.float32)
    assert cv2.imwrite(str(tmp_path / 'disp0.pfm'), disparity)
    np.save(tmp_path / 'mine.npy', 1.1 * TRUTH)
    given = ('--disparity', '--focal', 500, '--baseline', 0.1, '--doffs', 3)
    paths = (tmp_path / 'mine.npy', tmp_path / 'disp0.pfm')
    _, result = evaluated(tmp_path, *paths, *given)
    assert result['mean']['none']['abs_rel'] == pytest.approx(0.1, rel=1e-4)


def test_pictures_show_the_error_and_what_is_not_judged(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    pictures = tmp_path / 'new' / 'pictures'
    evaluated(tmp_path, *folders, '--pictures', pictures, '--align', 'none', '--max-depth', 4)
    # The others are farther than 4 m everywhere.
    assert sorted(path.name for path in pictures.iterdir()) == ['0.png', '1.png', '2.png']
    picture = cv2.imread(str(pictures / '0.png')).astype(int)
    blue, green, red = picture[..., 0], picture[..., 1], picture[..., 2]
    third = picture.shape[1] // 3
    too_far = (red > blue + 20) & (red > green + 20)
    assert too_far[:, 2 * third :].mean() > 0.1  # +10 %, a light red
    gray = (picture == 0x60).all(axis=-1)
    assert gray[:, 2 * third :].mean() > 0.1


def test_numbers_of_a_real_network(shared_dir: Path, tmp_path: Path) -> None:
    folder = shared_dir / 'data/rgbd/nyu_fastdepth'
    _, result = evaluated(tmp_path, folder / 'pred.npy', folder / 'depth.npy')
    none = result['mean']['none']
    stated = f'{none["abs_rel"]:.4f} {none["rmse"]:.3f} {none["delta1"]:.3f}'
    assert stated == '0.1405 0.618 0.777'


@pytest.mark.parametrize(
    ('folder', 'options', 'frames', 'constant'),
    [
        ('rgbd/redwood', (), 5, '0.234 / 0.519'),
        ('rgbd/icl_nuim', ('--layout', 'icl'), 5, '0.187 / 0.872'),
        ('rgbd/tum', ('--layout', 'tum'), 1, '0.124 / 0.837'),
    ],
)
def test_layouts_of_real_data(
    shared_dir: Path,
    tmp_path: Path,
    folder: str,
    options: tuple[str, ...],
    frames: int,
    constant: str,
) -> None:
    """Truth against itself; and the constant's score shows that it came in meters."""
    truth = shared_dir / 'data' / folder
    unit = '0.001' if folder.endswith('redwood') else '0.0002'
    _, result = evaluated(tmp_path, truth, truth, '--unit', unit, *options)
    assert len(result['frames']) == frames
    assert result['mean']['none']['abs_rel'] == pytest.approx(0, abs=1e-12)
    first = result['frames'][0]['constant']
    assert f'{first["abs_rel"]:.3f} / {first["delta1"]:.3f}' == constant
