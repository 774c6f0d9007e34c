"""Files of others on the command line: units, damage, what is left out, what is replaced."""

import os
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest

from mono_depth_ros.cli.main import main

WEIGHTS = Path(str(resources.files('mono_depth_ros'))) / 'weights' / 'tiny.safetensors'
TINY = ['--encoder', 'tiny', '--device', 'cpu', '--scale', '0.5']
PAIR = ['--baseline', '0.1', '--focal', '100']

pytestmark = pytest.mark.skipif(
    not WEIGHTS.is_file(), reason='needs the weights of encoder tiny in the package'
)


def noise(seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return cv2.resize(small, (128, 96), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that commands run in, with a picture."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite('photo.jpg', noise())
    return tmp_path


def estimate(*arguments: str) -> int:
    return main(['estimate', *arguments, '--formats', 'npy', *TINY])


def test_a_named_input_beside_its_results(folder: Path) -> None:
    for _ in range(2):
        assert estimate('photo.jpg', '-o', '.') == 0
        assert sorted(os.listdir(folder)) == ['photo.jpg', 'photo_depth.npy']


def test_what_cannot_be_read_costs_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / 'empty').mkdir()
    (folder / 'in').mkdir()
    (folder / 'in/raw.NEF').write_bytes(b'II*\0')
    (folder / 'in/notes.txt').touch()
    (folder / 'in/loop.png').symlink_to('loop.png')
    cv2.imwrite('in/good.png', noise())
    assert estimate('empty', '*.webp', 'in', 'photo.jpg', '-o', 'out') == 4
    told = capsys.readouterr()
    for reason in (
        'empty holds no picture, video or bag',
        '*.webp matches nothing',
        'raw.NEF is a raw photograph',
        'loop.png cannot be read: Too many levels of symbolic links',
        'left out: 1 files that are no pictures, videos or bags (.txt)',
    ):
        assert reason in told.err
    assert '2 written to out, 4 failed' in told.out
    assert sorted(os.listdir('out')) == ['good_depth.npy', 'photo_depth.npy']


def test_no_result_replaces_an_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = cv2.imencode('.png', noise(1))[1].tobytes()
    (folder / 'photo_colormap.png').write_bytes(mine)
    arguments = ['photo.jpg', 'photo_colormap.png', '-o', '.', '--formats', 'color', *TINY]
    assert main(['estimate', *arguments]) == 1
    assert 'photo_colormap.png would be replaced, and is an input' in capsys.readouterr().err
    assert (folder / 'photo_colormap.png').read_bytes() == mine


@pytest.mark.parametrize('suffix', ['.heic', '.HEIF'])
def test_heic_pictures(folder: Path, suffix: str) -> None:
    pixels = cv2.cvtColor(noise(), cv2.COLOR_BGR2RGB)
    heif = pillow_heif.from_bytes(mode='RGB', size=(128, 96), data=pixels.tobytes())
    heif.save(f'photo{suffix}', quality=-1)
    assert estimate(f'photo{suffix}', '-o', 'out') == 0
    assert np.load('out/photo_depth.npy').shape == (96, 128)


@pytest.mark.usefixtures('folder')
def test_integers_of_disparity_need_their_unit(capsys: pytest.CaptureFixture[str]) -> None:
    np.save('disparity.npy', np.full((96, 128), 256, np.int16))
    arguments = [
        '--encoder',
        'tiny',
        '--variant',
        'relative',
        *PAIR,
        '--disparity',
        'disparity.npy',
    ]
    assert main(['estimate', 'photo.jpg', '-o', 'out', *arguments]) == 1
    assert '1/16 px (StereoSGBM' in capsys.readouterr().err
    assert main(['calibrate', 'photo.jpg', '-o', 'scale.yaml', *arguments]) == 1
    assert '1/256 px (KITTI)' in capsys.readouterr().err
    assert not os.path.exists('scale.yaml')


@pytest.mark.usefixtures('folder')
def test_a_png_of_disparity_is_the_same_in_every_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cv2.imwrite('disparity.png', np.full((96, 128), 16 * 256, np.uint16))
    np.save('predicted.npy', np.full((96, 128), 100 * 0.1 / 16, np.float32))
    said = '1 in a 16-bit PNG of disparity is 1/256 px, the default'
    arguments = ['predicted.npy', 'disparity.png', '--disparity', *PAIR, '--align', 'none']
    assert main(['evaluate', *arguments, '--json', 'scores.json']) == 0
    assert said in capsys.readouterr().out
    assert '"abs_rel": 0.0' in Path('scores.json').read_text()
    main(['estimate', 'photo.jpg', '-o', 'out', '--disparity', 'disparity.png', *PAIR, *TINY[:4]])
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures('folder')
@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['--focal', '2.6'], 'if it is in millimeters, of a full-frame sensor'),
        (['--fov', '1.1'], 'in radians it is 63 degrees'),
        (['--disparity', 'd.npy', '--focal', '100', '--baseline', '193'], '--baseline 0.193 if'),
        (['--disparity', 'd.npy', '--focal', '100', '--baseline', '6.3e4'], '0.01 to 10'),
    ],
)
def test_numbers_in_another_unit(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    np.save('d.npy', np.full((96, 128), 16, np.float32))
    assert main(['estimate', 'photo.jpg', '-o', 'out', '--encoder', 'tiny', *arguments]) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.usefixtures('folder')
def test_one_cut_header_does_not_end_an_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ('a', 'b', 'c'):
        Path(name).mkdir()
        for place in ('predicted', 'true'):
            Path(place).mkdir(exist_ok=True)
            np.save(f'{place}/{name}.npy', np.linspace(1, 2, 96 * 128).reshape(96, 128))
    whole = Path('predicted/b.npy').read_bytes()
    Path('predicted/b.npy').write_bytes(whole[:60])
    assert main(['evaluate', 'predicted', 'true']) == 1
    told = capsys.readouterr()
    assert 'predicted/b.npy is damaged or no NumPy file' in told.err
    assert 'mean of 2 frames' in told.out
