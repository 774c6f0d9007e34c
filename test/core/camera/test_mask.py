"""Masks from pictures of every usual kind, and what they become in other sizes."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.camera.mask import Mask, read_mask
from mono_depth_ros.core.errors import ImageError, SettingsError
from mono_depth_ros.core.pipeline import PipelineSettings
from mono_depth_ros.core.settings import updated


def body() -> np.ndarray:
    """Return (6, 8) bool, false in the lower left corner."""
    seen = np.ones((6, 8), bool)
    seen[4:, :3] = False
    return seen


def written(path: Path, picture: np.ndarray) -> str:
    assert cv2.imwrite(str(path), picture)
    return str(path)


PICTURES = {
    'white on black': body().astype(np.uint8) * 255,
    'one on black': body().astype(np.uint8),
    '16 bits, one on black': body().astype(np.uint16),
    'a dark blue on black': np.dstack([body(), body() * 0, body() * 0]).astype(np.uint8),
    'opaque': np.dstack([body() * 255] * 3 + [np.full((6, 8), 255)]).astype(np.uint8),
    'transparent': np.dstack([body() * 255] * 3 + [np.zeros((6, 8))]).astype(np.uint8),
}


@pytest.mark.parametrize('name', PICTURES)
def test_black_is_blind_in_every_kind_of_png(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / 'mask.png', PICTURES[name])
    mask = read_mask(path)
    assert mask.path == path
    np.testing.assert_array_equal(mask.valid, body())
    assert mask.fitted(8, 6) is mask.valid


def test_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    written(tmp_path / 'mask.png', PICTURES['white on black'])
    np.testing.assert_array_equal(read_mask('~/mask.png').valid, body())


@pytest.mark.parametrize(
    ('data', 'complaint'),
    [
        (None, r"mask is '.*robot\.png', which does not exist"),
        (b'', r'robot\.png.: it is empty \(0 bytes\)'),
        (b'not a picture', r'it \(13 bytes\) is damaged or no picture; a PNG is best'),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes | None, complaint: str) -> None:
    path = tmp_path / 'robot.png'
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SettingsError, match=complaint):
        read_mask(str(path))


def test_black_picture_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / 'robot.png', np.zeros((6, 8), np.uint8))
    with pytest.raises(SettingsError, match='black everywhere; black pixels are those left out'):
        read_mask(path)


def test_larger_image_gets_larger_blind_pixels() -> None:
    fitted = Mask('', body()).fitted(16, 12)
    assert not fitted[8:, :6].any()
    assert fitted[:7].all()
    assert fitted[:, 7:].all()


def test_smaller_image_is_blind_wherever_any_of_the_mask_is() -> None:
    expected = np.ones((3, 4), bool)
    expected[2, :2] = False
    np.testing.assert_array_equal(Mask('', body()).fitted(4, 3), expected)


@pytest.mark.parametrize(('width', 'height'), [(8, 8), (6, 8), (16, 9)])
def test_another_aspect_is_refused(width: int, height: int) -> None:
    complaint = rf'mask robot\.png is 8x6 px and the image {width}x{height} px'
    with pytest.raises(ImageError, match=complaint):
        Mask('robot.png', body()).fitted(width, height)


def test_rounded_aspect_is_taken() -> None:
    assert Mask('', np.ones((720, 1280), bool)).fitted(853, 480).all()


@pytest.mark.parametrize('kind', ['missing', 'folder', 'pipe', 'no such user'])
def test_only_a_regular_file_can_be_set(tmp_path: Path, kind: str) -> None:
    place = tmp_path / 'robot.png'
    if kind == 'folder':
        place.mkdir()
    if kind == 'pipe':
        os.mkfifo(place)
    value = '~nobody_of_that_name/x.png' if kind == 'no such user' else str(place)
    with pytest.raises(SettingsError, match=r'^mask is '):
        updated(PipelineSettings(), {'mask': value})
    with pytest.raises(SettingsError, match=r'^mask is '):
        read_mask(value)


@pytest.mark.parametrize('path', ['~nouser/x', 'x' * 5000, 'a\0b', '/dev/zero', '/'])
def test_what_no_path_can_be_and_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match='mask is '):
        updated(PipelineSettings(), {'mask': path})
    with pytest.raises(SettingsError, match='mask is '):
        read_mask(path)


def test_another_parameter_can_be_set_when_the_mask_has_gone(tmp_path: Path) -> None:
    path = written(tmp_path / 'mask.png', PICTURES['white on black'])
    settings = updated(PipelineSettings(), {'mask': path})
    Path(path).unlink()
    assert updated(settings, {'max_depth': 5.0, 'mask': path}).max_depth == 5
    assert updated(settings, {'mask': ''}).mask == ''
    with pytest.raises(SettingsError, match='does not exist'):
        updated(PipelineSettings(), {'mask': path})


def test_a_mask_that_is_too_large_or_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / 'robot.png', body())
    rows, columns = body().shape
    complaint = f'it states {columns}x{rows} px, {rows * columns} in all, and max_pixels is 10'
    with pytest.raises(SettingsError, match=complaint):
        read_mask(path, 10)
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SettingsError, match='damaged or no picture'):
        read_mask(path)
