"""Picture files of every kind become upright 8-bit RGB, and broken ones say why."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.offline.images import ReadingSettings, load_picture
from mono_depth_ros.offline.input_files import Pictures
from mono_depth_ros.offline.videos import Video

NO_LIMIT = ReadingSettings(max_side=10_000)


def read_picture(path: Path, reading: ReadingSettings = NO_LIMIT) -> np.ndarray:
    return load_picture(path, reading).rgb


def quadrants(dtype: type = np.uint8, high: float = 255) -> np.ndarray:
    """Return 20x32 BGR: red, green above blue, white."""
    picture = np.zeros((20, 32, 3), dtype)
    picture[:10, :16, 2] = picture[:10, 16:, 1] = picture[10:, :16, 0] = high
    picture[10:, 16:] = high
    return picture


def saved(path: Path, picture: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), picture)
    return path


def with_orientation(path: Path, orientation: int) -> Path:
    """Add an EXIF tag to a JPEG."""
    entry = struct.pack('>HHIHH', 0x0112, 3, 1, orientation, 0)
    exif = b'Exif\0\0MM\0*' + struct.pack('>IH', 8, 1) + entry + bytes(4)
    jpeg = path.read_bytes()
    path.write_bytes(jpeg[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + jpeg[2:])
    return path


def corners(rgb: np.ndarray) -> list[str]:
    """Return the colors of the four quadrants, row by row."""
    height, width = rgb.shape[:2]
    names = {(1, 0, 0): 'r', (0, 1, 0): 'g', (0, 0, 1): 'b', (1, 1, 1): 'w', (0, 0, 0): 'k'}
    places = [(v, u) for v in (height // 4, 3 * height // 4) for u in (width // 4, 3 * width // 4)]
    return [names[tuple(int(c > 127) for c in rgb[place])] for place in places]


def test_8_bit_color(tmp_path: Path) -> None:
    rgb = read_picture(saved(tmp_path / 'a.png', quadrants()))
    assert rgb.dtype == np.uint8
    np.testing.assert_array_equal(rgb, quadrants()[..., ::-1])


@pytest.mark.parametrize(
    ('orientation', 'expected'),
    [(1, 'rgbw'), (3, 'wbgr'), (6, 'brwg'), (8, 'gwrb'), (2, 'grwb')],
)
def test_the_orientation_tag_is_obeyed(tmp_path: Path, orientation: int, expected: str) -> None:
    rgb = read_picture(
        with_orientation(saved(tmp_path / 'a.jpg', quadrants()), orientation), NO_LIMIT
    )
    assert rgb.shape == ((32, 20, 3) if orientation in (6, 8) else (20, 32, 3))
    assert ''.join(corners(rgb)) == expected


def test_16_bits_are_scaled(tmp_path: Path) -> None:
    picture = quadrants(np.uint16, 65535)
    picture[0, 0] = 128
    rgb = read_picture(saved(tmp_path / 'a.png', picture))
    assert ''.join(corners(rgb)) == 'rgbw'
    assert rgb.max() == 255
    assert rgb[0, 0].tolist() == [0, 0, 0]


def test_gray_of_8_and_16_bits(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(32, dtype=np.uint8) * 8, (20, 1))
    for picture in (ramp, ramp.astype(np.uint16) * 257):
        rgb = read_picture(saved(tmp_path / 'a.png', picture))
        np.testing.assert_array_equal(rgb, np.stack([ramp] * 3, axis=-1))


def test_alpha_is_dropped(tmp_path: Path) -> None:
    picture = np.dstack([quadrants(), np.full((20, 32), 7, np.uint8)])
    rgb = read_picture(saved(tmp_path / 'a.png', picture))
    np.testing.assert_array_equal(rgb, quadrants()[..., ::-1])


def test_floats_from_0_to_1(tmp_path: Path) -> None:
    picture = quadrants(np.float32, 1.0)
    picture[:10, :16, 2] = 0.5
    picture[0, 0] = np.nan
    rgb = read_picture(saved(tmp_path / 'a.tiff', picture))
    assert rgb[5, 5].tolist() == [128, 0, 0]
    assert rgb[15, 20].tolist() == [255, 255, 255]
    assert rgb[0, 0].tolist() == [0, 0, 0]


def test_floats_beyond_1_are_shown_up_to_the_brightest(tmp_path: Path) -> None:
    rgb = read_picture(saved(tmp_path / 'a.tiff', quadrants(np.float32, 40.0)))
    assert ''.join(corners(rgb)) == 'rgbw'


def test_linear_light_gets_a_gamma(tmp_path: Path) -> None:
    rgb = read_picture(saved(tmp_path / 'a.hdr', np.full((20, 32, 3), 0.25, np.float32)))
    assert abs(int(rgb[5, 5, 0]) - round(255 * 0.25 ** (1 / 2.2))) <= 2


def test_large_pictures_are_averaged_down_and_that_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / 'a.png', np.kron(quadrants(), np.ones((10, 10, 1), np.uint8)))
    (item,) = Pictures(((path, 'a'),), ReadingSettings(max_side=64)).items()
    frame = item.load()
    assert frame.rgb.shape == (40, 64, 3)
    assert frame.reduction == 0.2
    assert ''.join(corners(frame.rgb)) == 'rgbw'
    assert (item.name, item.path) == ('a', path)


@pytest.mark.large
def test_a_huge_photograph(tmp_path: Path) -> None:
    path = saved(tmp_path / 'huge.jpg', cv2.resize(quadrants(), (12000, 9000)))
    rgb = read_picture(path, ReadingSettings())
    assert rgb.shape == (3072, 4096, 3)
    assert ''.join(corners(rgb)) == 'rgbw'


@pytest.mark.parametrize(
    ('name', 'content', 'reason'),
    [
        ('zero.png', b'', r'is empty \(0 bytes\)'),
        ('text.jpg', b'no picture', r'\(10 bytes\) is damaged or no picture'),
        ('end.jpg', b'\xff\xd8\xff\xe0' + bytes(300), 'is cut off'),
    ],
)
def test_what_is_no_picture_says_why(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError, match=reason) as error:
        read_picture(path)
    assert str(path) in str(error.value)
    with pytest.raises(ImageError, match='cannot be read: No such file'):
        read_picture(tmp_path / 'missing.png')


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_a_picture_that_was_cut_off_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    path = saved(tmp_path / f'a{suffix}', noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(ImageError, match=r'cut off|damaged'):
        read_picture(path)


@pytest.mark.parametrize(('low', 'high'), [(0, 4095), (0, 1020), (7000, 9000)])
def test_16_bits_that_are_not_filled_are_shown_in_full(
    tmp_path: Path, low: int, high: int
) -> None:
    ramp = np.tile(np.linspace(low, high, 320), (20, 1)).astype(np.uint16)
    path = saved(tmp_path / 'a.png', ramp)
    expected = np.linspace(0, 255, 320)
    np.testing.assert_allclose(read_picture(path)[0, :, 0], expected, atol=5)
    if high == 4095:
        exact = read_picture(path, ReadingSettings(bit_depth=12))[0, :, 0]
        np.testing.assert_allclose(exact, expected, atol=1)


def test_pictures_and_videos_that_are_too_large_are_refused(tmp_path: Path) -> None:
    reading = ReadingSettings(max_pixels=639)
    with pytest.raises(ImageError, match=r'a\.png states 32x20 px, 640 in all, and max_pixels'):
        read_picture(saved(tmp_path / 'a.png', quadrants()), reading)
    clip = tmp_path / 'a.avi'
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (32, 20))
    writer.write(quadrants())
    writer.release()
    with pytest.raises(ImageError, match=r'a\.avi states 32x20 px'):
        Video(clip, 'a', reading)


def test_an_appended_film_and_a_thumbnail_do_not_hide_damage(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    path = saved(tmp_path / 'a.jpg', noise)
    whole = path.read_bytes()
    small = b'Exif\0\0' + cv2.imencode('.jpg', noise[::4, ::4])[1].tobytes()
    head = whole[:2] + b'\xff\xe1' + struct.pack('>H', len(small) + 2) + small
    expected = read_picture(path)
    path.write_bytes(head + whole[2:] + bytes(4 * len(whole)))
    np.testing.assert_array_equal(read_picture(path), expected)
    path.write_bytes(head + whole[2 : len(whole) // 2] + whole[-2:] + bytes(100))
    with pytest.raises(ImageError, match='damaged: Corrupt JPEG data: premature end'):
        read_picture(path)
