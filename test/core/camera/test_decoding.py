"""Pictures that are damaged or too large are refused by number, and complete ones are read."""

import contextlib
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.camera import decoding
from mono_depth_ros.core.camera.decoding import GRAY, DecodingSettings, decode_picture
from mono_depth_ros.core.errors import ImageError, SettingsError

needs_jpeg_check = pytest.mark.skipif(
    not decoding.has_jpeg_check(), reason='needs simplejpeg, which tells of damage'
)
END = b'\xff\xd9'


def scene(height: int = 240, width: int = 320) -> np.ndarray:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def encoded(suffix: str, *options: int, picture: np.ndarray | None = None) -> bytes:
    return cv2.imencode(suffix, scene() if picture is None else picture, options)[1].tobytes()


def decode(data: bytes, **options: int) -> decoding.DecodedPicture:
    return decode_picture(np.frombuffer(data, np.uint8), 'it', **options)


JPEG = encoded('.jpg')
PROGRESSIVE = encoded('.jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTS = encoded('.jpg', cv2.IMWRITE_JPEG_RST_INTERVAL, 4)
SCAN = JPEG.index(b'\xff\xda')


def without_middle(data: bytes) -> bytes:
    return data[: int(0.4 * len(data))] + data[int(0.6 * len(data)) :]


@needs_jpeg_check
@pytest.mark.parametrize(
    ('data', 'warning'),
    [
        (JPEG[: len(JPEG) // 2] + END, 'premature end of data segment'),
        (without_middle(JPEG), 'premature end of data segment'),
        (JPEG[: SCAN + 14] + END, 'premature end of data segment'),
        (JPEG[: len(JPEG) // 2], 'Premature end of JPEG file'),
        (JPEG[:-2], 'Premature end of JPEG file'),
        (PROGRESSIVE[: len(PROGRESSIVE) // 2] + END, 'premature end of data segment'),
        (without_middle(RESTARTS), 'before marker 0xd'),
    ],
    ids=['half', 'middle', 'header', 'cut', 'endless', 'progressive', 'restarts'],
)
@pytest.mark.parametrize('flags', [decoding.COLOR, GRAY, cv2.IMREAD_ANYCOLOR])
def test_scan_data_that_is_missing(data: bytes, warning: str, flags: int) -> None:
    reason = rf'it \({len(data)} bytes of JPEG\) is damaged: .*{warning}'
    with pytest.raises(ImageError, match=reason):
        decode(data, flags=flags)


@needs_jpeg_check
@pytest.mark.parametrize(
    'data', [JPEG, PROGRESSIVE, RESTARTS], ids=['plain', 'progressive', 'rst']
)
def test_complete_jpeg_is_what_opencv_decodes(data: bytes) -> None:
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    for padding in (b'', bytes(1), bytes(1023), bytes(20_000), data):
        picture = decode(data + padding)
        np.testing.assert_allclose(picture.pixels.astype(int), expected, atol=1)
        assert picture.extraneous == 0
    gray = decode(data, flags=GRAY).pixels
    assert gray.shape == expected.shape[:2]


@needs_jpeg_check
@pytest.mark.parametrize('stray', [b'\0\0', b'\x12\x34\x56', bytes(512)])
def test_extraneous_bytes_are_counted_and_passed(stray: bytes) -> None:
    expected = decode(JPEG).pixels
    table = JPEG.index(b'\xff\xc4')
    for at in (table, SCAN):
        picture = decode(JPEG[:at] + stray + JPEG[at:])
        np.testing.assert_array_equal(picture.pixels, expected)
        assert picture.extraneous == len(stray)
    both = decode(JPEG[:table] + stray + JPEG[table:SCAN] + stray + JPEG[SCAN:])
    np.testing.assert_array_equal(both.pixels, expected)
    assert both.extraneous == 2 * len(stray)
    interval = RESTARTS.index(b'\xff\xd0')
    picture = decode(RESTARTS[:interval] + bytes(2) + b'\x55' + RESTARTS[interval:])
    assert 0 < picture.extraneous <= 3
    np.testing.assert_array_equal(picture.pixels, decode(RESTARTS).pixels)


@needs_jpeg_check
@pytest.mark.parametrize('damaged', [JPEG[: len(JPEG) // 2] + END, without_middle(JPEG)])
def test_extraneous_bytes_do_not_hide_missing_ones(damaged: bytes) -> None:
    with pytest.raises(ImageError, match='premature end of data segment'):
        decode(damaged[:SCAN] + b'\0\x12' + damaged[SCAN:])


@needs_jpeg_check
def test_extraneous_bytes_before_a_restart_do_not_hide_missing_ones() -> None:
    interval = RESTARTS.index(b'\xff\xd0')
    stray = RESTARTS[:interval] + b'\0\0\x55' + RESTARTS[interval:]
    for damaged in (without_middle(stray), stray[: len(stray) // 2] + END):
        with pytest.raises(ImageError, match='extraneous bytes before marker 0xd'):
            decode(damaged)
    gray = encoded('.jpg', cv2.IMWRITE_JPEG_RST_INTERVAL, 7, picture=scene(96, 136)[..., 0])
    interval = gray.index(b'\xff\xd0')
    assert 0 < decode(gray[:interval] + b'\0\0\x55' + gray[interval:]).extraneous <= 3


@needs_jpeg_check
def test_more_extraneous_bytes_than_a_camera_sends_are_damage() -> None:
    with pytest.raises(ImageError, match=r'damaged: .* 1500 extraneous bytes before marker 0xda'):
        decode(JPEG[:SCAN] + bytes(1500) + JPEG[SCAN:])


def test_without_the_library_a_missing_end_mark_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, 'simplejpeg', None)
    assert not decoding.has_jpeg_check()
    expected = cv2.imdecode(np.frombuffer(JPEG, np.uint8), cv2.IMREAD_COLOR)
    for padding in (b'', bytes(1023), bytes(5000)):
        np.testing.assert_array_equal(decode(JPEG + padding).pixels, expected)
    with pytest.raises(ImageError, match=r'bytes of JPEG\) is cut off'):
        decode(JPEG[: len(JPEG) // 2])
    with pytest.raises(ImageError, match=r'states 32000x32000 px, 1024000000 in all'):
        decode(stating_32000())


def stating_32000() -> bytes:
    small = encoded('.jpg', picture=scene(64, 64))
    sof = small.index(b'\xff\xc0') + 5
    return small[:sof] + struct.pack('>HH', 32000, 32000) + small[sof + 4 :]


def large_png(side: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
        )

    rows = zlib.compress(bytes(1000), 9)
    head = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', rows) + chunk(b'IEND', b'')


def large_bmp(side: int) -> bytes:
    info = struct.pack('<IiiHHIIiiII', 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    return b'BM' + struct.pack('<IHHI', 54, 0, 0, 54) + info


@pytest.mark.parametrize(
    ('data', 'size'),
    [
        (stating_32000(), '32000x32000 px, 1024000000'),
        (large_png(16384), '16384x16384 px, 268435456'),
        (large_bmp(20000), '20000x20000 px, 400000000'),
        (b'P5 30000 30000 255\n', '30000x30000 px, 900000000'),
    ],
    ids=['jpeg', 'png', 'bmp', 'pgm'],
)
def test_stated_size_is_limited_before_anything_is_decoded(data: bytes, size: str) -> None:
    tracemalloc.start()
    with pytest.raises(ImageError, match=f'{size} in all, and max_pixels is 128000000') as error:
        decode(data)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
    assert 'raise max_pixels' in error.value.remedy


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.tiff', '.webp', '.jp2', '.ppm'])
def test_the_limit_is_a_parameter(suffix: str) -> None:
    data = encoded(suffix)
    assert decode(data, max_pixels=320 * 240).pixels.shape == (240, 320, 3)
    with pytest.raises(
        ImageError, match='states 320x240 px, 76800 in all, and max_pixels is 76799'
    ):
        decode(data, max_pixels=320 * 240 - 1)


def test_what_is_no_picture() -> None:
    with pytest.raises(ImageError, match=r'it is empty \(0 bytes\)'):
        decode(b'')
    for data in (
        b'no picture',
        bytes(99),
        b'\xff\xd8',
        b'\xff\xd8' + END,
        b'\xff\xd8' + bytes(99),
    ):
        with pytest.raises(ImageError, match=r'no picture|cut off'):
            decode(data)


def test_bytes_that_change_anywhere_in_a_header_raise_nothing_else() -> None:
    rng = np.random.default_rng(0)
    for data in (JPEG, encoded('.png')):
        for _ in range(100):
            changed = np.frombuffer(data, np.uint8).copy()
            changed[rng.integers(2, 400, 3)] = rng.integers(0, 256, 3)
            with contextlib.suppress(ImageError):
                assert decode_picture(changed, 'it', 10**6).pixels.size <= 3 * 10**6


def test_bit_depth_below_8_is_refused() -> None:
    assert [DecodingSettings(bit_depth=bits).bit_depth for bits in (0, 8, 12, 16)] == [
        0,
        8,
        12,
        16,
    ]
    for bits in (1, 7):
        with pytest.raises(SettingsError, match=f'bit_depth is {bits}; choose 8 to 16, or 0'):
            DecodingSettings(bit_depth=bits)
