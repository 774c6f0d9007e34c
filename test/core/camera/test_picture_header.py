"""Sizes and orientations that the headers of pictures state."""

import io

import cv2
import numpy as np
import pytest
from damage import damaged
from PIL import Image

from mono_depth_ros.core.camera.decoding import decode_picture
from mono_depth_ros.core.camera.picture_header import stated_orientation, stated_size
from mono_depth_ros.core.errors import ImageError

FORMATS = (
    *('.jpg', '.png', '.tif', '.webp', '.bmp', '.ppm', '.pgm', '.jp2', '.hdr', '.pfm', '.ras'),
    *('.avif', '.gif'),
)


def encoded(suffix: str, height: int = 40, width: int = 60) -> np.ndarray:
    v, u = np.mgrid[:height, :width]
    picture = np.dstack((u, v, u + v)).astype(np.uint8)
    if suffix == '.pgm':
        picture = picture[..., 0]
    if suffix in ('.hdr', '.pfm'):
        picture = picture.astype(np.float32)
    return cv2.imencode(suffix, picture)[1].ravel()


@pytest.mark.parametrize('suffix', FORMATS)
def test_stated_sizes_of_all_formats(suffix: str) -> None:
    data = encoded(suffix)
    assert stated_size(data, 'it') == (60, 40)
    with pytest.raises(
        ImageError, match='it states 60x40 px, 2400 in all, and max_pixels is 2000'
    ):
        decode_picture(data, 'it', 2000)
    assert decode_picture(data, 'it').pixels.shape[:2] == (40, 60)


@pytest.mark.parametrize('suffix', FORMATS)
def test_whatever_byte_of_a_header_is_damaged(suffix: str) -> None:
    whole = encoded(suffix).tobytes()
    for content in damaged(whole[:64], places=64):
        data = np.frombuffer(content + whole[64:], np.uint8)
        try:
            picture = decode_picture(data, 'the file', 10_000)
        except ImageError as error:
            refused = str(error)
        else:
            refused = 'the file'
            assert picture.pixels.shape[0] * picture.pixels.shape[1] <= 10_000
        assert refused.startswith('the file')


def test_openexr_and_jpeg_2000_without_a_container() -> None:
    window = b'dataWindow\0box2i\0\x10\0\0\0' + np.array([2, 3, 31, 22], '<i4').tobytes()
    exr = np.frombuffer(b'\x76\x2f\x31\x01\x02\0\0\0' + window, np.uint8)
    assert stated_size(exr, 'it') == (30, 20)
    bare = b'\xff\x4f\xff\x51\0\x2f\0\0' + np.array([30, 20], '>u4').tobytes()
    assert stated_size(np.frombuffer(bare, np.uint8), 'it') == (30, 20)
    for header in (exr[:12], np.frombuffer(bare[:10], np.uint8)):
        assert stated_size(header, 'it') is None


@pytest.mark.parametrize('form', ['JPEG', 'PNG', 'TIFF', 'WEBP'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientations_of_all_formats(form: str, orientation: int) -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    options = {'tiffinfo': {0x0112: orientation}} if form == 'TIFF' else {'exif': exif}
    Image.new('RGB', (30, 20)).save(file, form, **options)
    assert stated_orientation(np.frombuffer(file.getvalue(), np.uint8), 'it') == orientation


@pytest.mark.parametrize('stated', [0, 9, 255])
def test_orientations_that_are_none(stated: int) -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = stated
    Image.new('RGB', (30, 20)).save(file, 'PNG', exif=exif)
    whole = file.getvalue()
    assert stated_orientation(np.frombuffer(whole, np.uint8), 'it') == 1
    for content in damaged(whole):
        assert stated_orientation(np.frombuffer(content, np.uint8), 'it') in range(1, 9)
