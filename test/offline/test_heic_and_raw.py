"""HEIC pictures, and pictures that are not read."""

import io
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from damage import damaged, outcome
from PIL import Image, features

from mono_depth_ros.core.camera.orientation import turned_pixels
from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.offline.images import CONVERTED, ReadingSettings, load_picture

READING = ReadingSettings()


def heic(path: Path, pixels: np.ndarray, orientation: int = 1) -> Path:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    mode = 'RGB' if pixels.ndim == 3 else 'L'
    heif = pillow_heif.from_bytes(mode, pixels.shape[1::-1], pixels.tobytes())
    heif.save(file, quality=-1, exif=exif.tobytes(), matrix_coefficients=0, chroma=444)
    path.write_bytes(file.getvalue())
    return path


def quarters() -> np.ndarray:
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:], pixels[24:, :32] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    return pixels


def test_colors(tmp_path: Path) -> None:
    frame = load_picture(heic(tmp_path / 'a.heic', quarters()), READING)
    np.testing.assert_allclose(frame.rgb.astype(int), quarters().astype(int), atol=2)


def test_gray(tmp_path: Path) -> None:
    gray = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    frame = load_picture(heic(tmp_path / 'a.heic', gray), READING)
    np.testing.assert_allclose(frame.rgb.astype(int), gray[..., None].repeat(3, 2), atol=2)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_turned_upright(tmp_path: Path, orientation: int) -> None:
    frame = load_picture(heic(tmp_path / 'a.heic', quarters(), orientation), READING)
    assert frame.orientation == orientation
    expected = turned_pixels(quarters(), orientation)
    np.testing.assert_allclose(frame.rgb.astype(int), expected.astype(int), atol=2)


@pytest.mark.skipif(not features.check('avif'), reason='needs a Pillow with AVIF')
@pytest.mark.parametrize('orientation', range(1, 9))
def test_avif_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / 'a.avif'
    Image.fromarray(quarters()).save(path, exif=exif, quality=100)
    frame = load_picture(path, READING)
    assert frame.orientation == orientation
    expected = turned_pixels(quarters(), orientation)
    assert np.median(np.abs(frame.rgb.astype(int) - expected)) <= 2


def test_too_large(tmp_path: Path) -> None:
    path = heic(tmp_path / 'a.heic', quarters())
    with pytest.raises(ImageError, match=r'a\.heic states 64x\d+ px'):
        load_picture(path, ReadingSettings(max_pixels=3000))


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = heic(tmp_path / 'a.heic', quarters())
    monkeypatch.setitem(sys.modules, 'pillow_heif', None)
    with pytest.raises(ImageError, match=r'pip install .mono_depth_ros\[heic\]., or .* heif-conv'):
        load_picture(path, READING)


def test_whatever_byte_is_damaged(tmp_path: Path) -> None:
    path = heic(tmp_path / 'a.heic', quarters())
    for content in damaged(path.read_bytes(), places=60):
        path.write_bytes(content)
        found = outcome(lambda: load_picture(path, READING))
        assert not isinstance(found, ImageError) or str(path) in str(found)


@pytest.mark.parametrize('suffix', list(CONVERTED))
def test_pictures_that_are_not_read_say_what_to_do(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f'photo{suffix.upper()}'
    Image.new('RGB', (160, 120)).save(path, 'TIFF')  # the preview in many a raw photograph
    with pytest.raises(ImageError) as refused:
        load_picture(path, READING)
    assert str(refused.value) == f'{path} is {CONVERTED[suffix]}'
