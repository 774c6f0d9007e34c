"""Pictures through messages: every encoding, padded rows, odd sizes, both byte orders."""

import sys
import tracemalloc
from array import array
from collections.abc import Callable
from itertools import product
from typing import Any

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from mono_depth_ros.core.camera.decoding import DecodingSettings
from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.files.encodings import ENCODINGS
from mono_depth_ros.ros.messages import (
    cloud_to_message,
    color_decoder,
    depth_to_image,
    float_to_image,
    rgb_to_image,
    to_image,
)

Making = Callable[[], tuple[Callable[..., Any], np.ndarray, dict[str, Any]]]

DEEP = ['rgb16', 'bgr16', 'rgba16', 'bgra16']
SIZES = [(8, 6), (7, 5), (3, 3), (1, 1), (1, 4), (2, 1), (33, 3)]
PADDINGS = [0, 1, 2, 3, 40]
BAYER = [f'bayer_{order}{bits}' for order in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)]

# 100 % color bars of ITU-R BT.601: R, G, B and their Y, Cb, Cr.
BARS = [
    ((255, 255, 255), (235, 128, 128)),
    ((255, 255, 0), (210, 16, 146)),
    ((0, 255, 255), (170, 166, 16)),
    ((0, 255, 0), (145, 54, 34)),
    ((255, 0, 255), (106, 202, 222)),
    ((255, 0, 0), (81, 90, 240)),
    ((0, 0, 255), (41, 240, 110)),
    ((0, 0, 0), (16, 128, 128)),
]


def decoded(msg: Image | CompressedImage, bit_depth: int = 0) -> np.ndarray:
    return color_decoder(DecodingSettings(bit_depth=bit_depth)).rgb(msg)


def message(samples: np.ndarray, encoding: str, padding: int = 0, big: bool = False) -> Image:
    """Pack samples (H, W, ...) into a message whose rows end in `padding` bytes of rubbish."""
    height, width = samples.shape[:2]
    ordered = samples.astype(samples.dtype.newbyteorder('>' if big else '<'))
    rows = np.frombuffer(ordered.tobytes(), np.uint8).reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xA5)
    msg = Image(height=height, width=width, encoding=encoding, is_bigendian=int(big))
    msg.step = rows.shape[1]
    msg.data = array('B', rows.tobytes())
    return msg


def compressed(data: bytes, text: str) -> CompressedImage:
    msg = CompressedImage(format=text)
    msg.data = array('B', data)
    return msg


def encoded(suffix: str, picture: np.ndarray, text: str, *options: int) -> CompressedImage:
    return compressed(cv2.imencode(suffix, picture, options)[1].tobytes(), text)


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def smooth(height: int, width: int) -> np.ndarray:
    v, u = np.mgrid[:height, :width]
    waves = [np.sin(u / 9 + k) + np.cos(v / 7 - k) for k in range(3)]
    return (128 + 60 * np.stack(waves, axis=-1)).astype(np.uint8)


def gray(values: np.ndarray) -> np.ndarray:
    return np.stack([values] * 3, axis=-1)


def demosaiced(mosaic: np.ndarray, order: str) -> np.ndarray:
    """Fill in each color bilinearly; `order` is the letters of the upper left 2x2 block."""
    v, u = np.indices(mosaic.shape)
    letters = np.array(list(order))[(v % 2) * 2 + u % 2]
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float64)
    channels = []
    for letter in 'rgb':
        here = (letters == letter).astype(np.float64)
        total = cv2.filter2D(mosaic * here, -1, kernel, borderType=cv2.BORDER_CONSTANT)
        weight = cv2.filter2D(here, -1, kernel, borderType=cv2.BORDER_CONSTANT)
        channels.append(np.where(here, mosaic, total / np.maximum(weight, 1)))
    return np.stack(channels, axis=-1)


# What is packed for an RGB picture, and what must come back.
PACKED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    'rgb8': lambda rgb: rgb,
    'bgr8': lambda rgb: rgb[..., ::-1],
    '8UC3': lambda rgb: rgb[..., ::-1],
    'rgba8': lambda rgb: np.dstack([rgb, rgb[..., 1]]),
    'bgra8': lambda rgb: np.dstack([rgb[..., ::-1], rgb[..., 0]]),
    '8UC4': lambda rgb: np.dstack([rgb[..., ::-1], rgb[..., 0]]),
    'mono8': lambda rgb: rgb[..., 0],
    '8UC1': lambda rgb: rgb[..., 0],
}


@pytest.mark.parametrize('encoding', PACKED)
def test_8_bit_pictures_come_back_exactly(encoding: str) -> None:
    for (width, height), padding, big in product(SIZES, PADDINGS, (False, True)):
        rgb = noise(height, width, 3)
        expected = gray(rgb[..., 0]) if PACKED[encoding](rgb).ndim == 2 else rgb
        result = decoded(message(PACKED[encoding](rgb), encoding, padding, big))
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, expected)


def test_mono16_is_scaled_and_rounded_in_either_byte_order() -> None:
    for (width, height), padding, big in product(SIZES, PADDINGS, (False, True)):
        values = noise(height, width, dtype=np.uint16)
        expected = (values.astype(np.int64) * 255 * 2 + 65535) // (65535 * 2)
        result = decoded(message(values, 'mono16', padding, big), 16)
        np.testing.assert_array_equal(result, gray(expected))
    ends = np.array([[0, 128, 129, 257, 65535]], np.uint16)
    assert decoded(message(ends, 'mono16'))[0, :, 0].tolist() == [0, 0, 1, 1, 255]


@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('uyvy', 'uyvY'), ('yuv422', 'uyvY'), ('yuyv', 'yuYv'), ('yuv422_yuy2', 'yuYv')],
)
def test_yuv_color_bars(encoding: str, order: str) -> None:
    for padding, big, rows in product(PADDINGS, (False, True), (1, 3)):
        pairs = [
            [{'y': y, 'Y': 16, 'u': cb, 'v': cr}[letter] for letter in order]
            for _, (y, cb, cr) in BARS
        ]
        line = np.array(pairs, np.uint8).reshape(1, -1, 2)
        result = decoded(message(np.repeat(line, rows, 0), encoding, padding, big))
        assert result.shape == (rows, 16, 3)
        bars = np.array([rgb for rgb, _ in BARS])
        # Rounded to 8 bits, the standard's own numbers are off by up to 2.
        np.testing.assert_allclose(result[:, ::2], np.stack([bars] * rows), atol=2)
        # The second pixel of each pair has the same color but Y of black.
        assert result[0, 1::2].max(axis=1)[[0, 7]].max() <= 2
        assert (result[0, 1::2].astype(int) <= result[0, ::2]).all()


def test_yuv_of_odd_width_needs_the_whole_last_pair() -> None:
    samples = np.full((2, 4, 2), 128, np.uint8)
    samples[:, 2, 1] = 235
    msg = message(samples, 'uyvy')
    msg.width = 3
    result = decoded(msg)
    assert result.shape == (2, 3, 3)
    assert result[0, 2].tolist() == [255, 255, 255]
    msg = message(np.zeros((2, 3, 2), np.uint8), 'uyvy')
    with pytest.raises(ImageError, match='step is 6 bytes; 3 px of uyvy take 8'):
        decoded(msg)


@pytest.mark.parametrize('encoding', BAYER)
def test_bayer_colors_lie_where_the_name_says(encoding: str) -> None:
    order = encoding[6:10]
    for (width, height), padding, big in product(SIZES, PADDINGS, (False, True)):
        if min(width, height) < 3:
            continue
        mosaic = noise(height, width)
        samples = mosaic if encoding.endswith('8') else mosaic.astype(np.uint16) * 257
        result = decoded(message(samples, encoding, padding, big), 16)
        expected = demosaiced(mosaic, order)
        assert result.shape == (height, width, 3)
        np.testing.assert_allclose(result[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1)


@pytest.mark.parametrize('encoding', BAYER)
def test_bayer_flat_color_up_to_the_border(encoding: str) -> None:
    color = {'r': 200, 'g': 120, 'b': 40}
    block = np.array([color[letter] for letter in encoding[6:10]]).reshape(2, 2)
    mosaic = np.tile(block, (4, 4))[:7, :5].astype(np.uint8)
    samples = mosaic if encoding.endswith('8') else mosaic.astype(np.uint16) * 257
    result = decoded(message(samples, encoding), 16)
    assert np.unique(result.reshape(-1, 3), axis=0).tolist() == [[200, 120, 40]]


def test_every_encoding_of_the_table_is_tested() -> None:
    others = {'mono16', *DEEP, 'uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2'}
    assert set(ENCODINGS) == {*PACKED, *others, *BAYER}


@pytest.mark.parametrize('padding', [0, 5])
def test_rgb8_is_a_view(padding: int) -> None:
    msg = message(noise(4, 6, 3), 'rgb8', padding)
    rgb = decoded(msg)
    assert rgb.strides == (18 + padding, 3, 1)
    assert np.shares_memory(rgb, np.frombuffer(msg.data, np.uint8))


@pytest.mark.parametrize(
    'make',
    [
        lambda: (float_to_image, np.ones((480, 640), np.float32), {}),
        lambda: (rgb_to_image, np.ones((480, 640, 3), np.uint8), {}),
        lambda: (cloud_to_message, np.ones((300_000, 4), np.float32), {'is_dense': True}),
    ],
    ids=['depth', 'color', 'cloud'],
)
def test_a_message_is_made_with_one_copy_and_without_an_object_for_each_byte(make: Making) -> None:
    convert, values, how = make()
    tracemalloc.start()
    try:
        msg = convert(values, Header(), **how)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(msg.data, array)
    assert len(msg.data) == values.nbytes
    assert peak < 1.2 * values.nbytes


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'width': 0}, 'image is 0x4 px; rgb8 needs 1x1 at least'),
        ({'height': 0}, 'image is 6x0 px; rgb8 needs 1x1 at least'),
        ({'step': 17}, 'step is 17 bytes; 6 px of rgb8 take 18'),
        ({'step': 0}, 'step is 0 bytes'),
        ({'step': 19}, 'data has 72 bytes; step 19 x height 4 is 76'),
        ({'height': 5}, 'data has 72 bytes; step 18 x height 5 is 90'),
        ({'height': 3}, 'data has 72 bytes; step 18 x height 3 is 54'),
        ({'width': 7}, 'step is 18 bytes; 7 px of rgb8 take 21'),
        ({'width': 2**32 - 1}, 'step is 18 bytes; 4294967295 px of rgb8 take 12884901885'),
        ({'data': array('B')}, 'data has 0 bytes; step 18 x height 4 is 72'),
        ({'encoding': 'rgba8'}, 'step is 18 bytes; 6 px of rgba8 take 24'),
        ({'encoding': ''}, "encoding '' is none of rgb8, bgr8"),
        ({'encoding': 'RGB8'}, "encoding 'RGB8' is none of rgb8, bgr8"),
        ({'encoding': '16UC1'}, "encoding '16UC1' is none of rgb8, bgr8"),
    ],
)
def test_bad_message(change: dict[str, object], complaint: str) -> None:
    msg = message(noise(4, 6, 3), 'rgb8')
    for field, value in change.items():
        setattr(msg, field, value)
    with pytest.raises(ImageError, match=complaint):
        decoded(msg)


@pytest.mark.parametrize(('width', 'height'), [(2, 4), (4, 2), (1, 1)])
def test_bayer_without_a_neighborhood(width: int, height: int) -> None:
    with pytest.raises(ImageError, match=f'{width}x{height} px; bayer_rggb8 needs 3x3'):
        decoded(message(noise(height, width), 'bayer_rggb8'))


def test_png_is_exact() -> None:
    rgb = noise(9, 7, 3)
    result = decoded(encoded('.png', rgb[..., ::-1], 'rgb8; png compressed bgr8'))
    np.testing.assert_array_equal(result, rgb)
    with_alpha = np.dstack([rgb[..., ::-1], noise(9, 7)])
    np.testing.assert_array_equal(decoded(encoded('.png', with_alpha, 'png')), rgb)


@pytest.mark.parametrize('text', ['jpeg', 'rgb8; jpeg compressed bgr8', ''])
def test_jpeg_is_close(text: str) -> None:
    rgb = smooth(48, 64)
    msg = encoded('.jpg', rgb[..., ::-1], text, cv2.IMWRITE_JPEG_QUALITY, 95)
    np.testing.assert_allclose(decoded(msg).astype(int), rgb, atol=8)


def test_gray_pictures_of_8_and_16_bits() -> None:
    values = noise(6, 5)
    result = decoded(encoded('.png', values, 'mono8; png compressed mono8'))
    np.testing.assert_array_equal(result, gray(values))
    deep = np.array([[0, 128, 129, 65407, 65535]], np.uint16)
    result = decoded(encoded('.png', deep, 'mono16; png compressed '))
    np.testing.assert_array_equal(result, gray(np.array([[0, 0, 1, 255, 255]])))


@pytest.mark.parametrize('encoding', BAYER)
def test_compressed_mosaic_is_demosaiced(encoding: str) -> None:
    mosaic = noise(8, 6)
    samples = mosaic if encoding.endswith('8') else mosaic.astype(np.uint16) * 257
    msg = encoded('.png', samples, f'{encoding}; png compressed ')
    np.testing.assert_array_equal(decoded(msg), decoded(message(samples, encoding)))


@pytest.mark.parametrize('target', ['mono8', 'bgr8'])
def test_bayer_that_was_demosaiced_before_compression(target: str) -> None:
    bgr = noise(8, 6, 3)
    picture = bgr[..., 0] if target == 'mono8' else bgr
    msg = encoded('.png', picture, f'bayer_rggb8; png compressed {target}')
    expected = gray(picture) if target == 'mono8' else bgr[..., ::-1]
    np.testing.assert_array_equal(decoded(msg), expected)


def test_orientation_tag_does_not_turn_the_picture() -> None:
    tiff = b'II*\0\x08\0\0\0' + b'\x01\0' + b'\x12\x01\x03\0\x01\0\0\0\x06\0\0\0' + b'\0\0\0\0'
    segment = b'Exif\0\0' + tiff
    plain = bytes(encoded('.jpg', smooth(16, 32), 'jpeg').data)
    turned = plain[:2] + b'\xff\xe1' + (len(segment) + 2).to_bytes(2, 'big') + segment + plain[2:]
    upright = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
    assert upright.shape == (32, 16, 3), 'the tag asks for a quarter turn'
    assert decoded(compressed(turned, 'jpeg')).shape == (16, 32, 3)


def test_jpeg_followed_by_padding_is_read() -> None:
    plain = bytes(encoded('.jpg', smooth(16, 32), 'jpeg').data)
    expected = decoded(compressed(plain, 'jpeg'))
    result = decoded(compressed(plain + bytes(500), 'jpeg'))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_cut_off_picture_is_refused(suffix: str) -> None:
    whole = bytes(encoded(suffix, smooth(120, 160), suffix).data)
    for part in (0.02, 0.3, 0.5, 0.9):
        with pytest.raises(ImageError, match=r'damaged|cut off'):
            decoded(compressed(whole[: int(len(whole) * part)], 'cut'))


@pytest.mark.parametrize(
    ('msg', 'complaint'),
    [
        (compressed(b'', 'jpeg'), "format 'jpeg' is empty"),
        (
            compressed(b'no picture', 'h264'),
            r"format 'h264' \(10 bytes\) is damaged or no picture",
        ),
        (compressed(bytes(range(256)) * 9, ''), r'\(2304 bytes\) is damaged or no picture'),
        (
            encoded('.tiff', np.zeros((4, 4, 3), np.float32), 'tiff'),
            'has pixels of float32; send JPEG or PNG',
        ),
        (
            encoded('.png', np.zeros((2, 2), np.uint8), 'bayer_rggb8; png compressed '),
            'image is 2x2 px; bayer_rggb8 needs 3x3',
        ),
    ],
)
def test_bad_compressed_message(msg: CompressedImage, complaint: str) -> None:
    with pytest.raises(ImageError, match=complaint):
        decoded(msg)


def test_depth_in_meters_is_unchanged() -> None:
    depth = np.array([[1.25, np.nan, 3.5], [0.1, 80.0, np.nan]], np.float32)
    header = Header(frame_id='optical')
    msg = depth_to_image(depth, header)
    assert (msg.height, msg.width, msg.step, msg.encoding) == (2, 3, 12, '32FC1')
    assert (msg.header, msg.is_bigendian) == (header, int(sys.byteorder == 'big'))
    assert type(msg.data) is array
    np.testing.assert_array_equal(np.frombuffer(msg.data, np.float32).reshape(2, 3), depth)


def test_depth_in_millimeters() -> None:
    table = {
        1.0: 1000,
        0.0014: 1,
        0.0016: 2,
        65.535: 65535,
        65.536: 0,
        70.0: 0,
        1e9: 0,
        0.0: 0,
        -1.0: 0,
        np.nan: 0,
        np.inf: 0,
        -np.inf: 0,
    }
    depth = np.array([list(table)], np.float32)
    msg = depth_to_image(depth, Header(), '16UC1')
    assert (msg.encoding, msg.step, len(msg.data)) == ('16UC1', 2 * len(table), 2 * len(table))
    assert np.frombuffer(msg.data, np.uint16).tolist() == list(table.values())


def test_unknown_depth_encoding() -> None:
    with pytest.raises(ImageError, match="'mono16'; choose 32FC1"):
        depth_to_image(np.zeros((2, 2), np.float32), Header(), 'mono16')


def test_color_makes_the_round_trip_also_from_views() -> None:
    rgb = noise(9, 14, 3)[::2, 1::2]
    header = Header(frame_id='optical')
    for msg in (rgb_to_image(rgb, header), to_image(rgb[..., ::-1], header, 'bgr8')):
        assert (msg.step, msg.header, len(msg.data)) == (21, header, 105)
        np.testing.assert_array_equal(decoded(msg), rgb)


def test_float_image_takes_any_float_type() -> None:
    msg = float_to_image(np.array([[0.5, 2.0]], np.float64), Header())
    assert (msg.encoding, msg.step) == ('32FC1', 8)
    assert np.frombuffer(msg.data, np.float32).tolist() == [0.5, 2.0]
