"""Images of video decoders and other layouts of Image messages, by the colors they show."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.files.color_messages import ColorDecoder
from mono_depth_ros.core.files.planar_encodings import PLANAR

COLORS = np.array([[[200, 40, 40], [30, 180, 60]], [[40, 60, 220], [128, 128, 128]]], np.uint8)
"""A quarter of the picture each: red, green, blue, gray."""


def scene(width: int, height: int) -> np.ndarray:
    rows = np.arange(height) * 2 // (height + height % 2)
    columns = np.arange(width) * 2 // (width + width % 2)
    return COLORS[rows[:, None], columns]


def yuv(rgb: np.ndarray) -> np.ndarray:
    """Return Y, U, V of BT.601 in limited range (ITU-R BT.601-7, 8 bits)."""
    matrix = np.array(
        [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
    )
    return np.rint(rgb / 255 @ matrix.T + (16, 128, 128)).astype(np.uint8)


def message(encoding: str, width: int, height: int, padding: int = 0) -> SimpleNamespace:
    y, u, v = np.moveaxis(yuv(scene(width, height)), 2, 0)
    if PLANAR[encoding].halved:
        u, v = u[::2, ::2], v[::2, ::2]
    first, second = (u, v) if PLANAR[encoding].order == 'UV' else (v, u)
    rows = [np.pad(y, [(0, 0), (0, padding)])]
    if PLANAR[encoding].interleaved:
        pairs = np.stack((first, second), axis=2).reshape(len(first), -1)
        extra = padding if PLANAR[encoding].halved else 2 * padding
        rows.append(np.pad(pairs, [(0, 0), (0, extra)]))
    else:
        rows += [np.pad(plane, [(0, 0), (0, padding // 2)]) for plane in (first, second)]
    data = b''.join(plane.tobytes() for plane in rows)
    return SimpleNamespace(
        width=width,
        height=height,
        encoding=encoding,
        step=width + padding,
        is_bigendian=0,
        data=data,
    )


@pytest.mark.parametrize('encoding', list(PLANAR))
@pytest.mark.parametrize(('width', 'height'), [(16, 8), (12, 20)])
@pytest.mark.parametrize('padding', [0, 10])
def test_planes(encoding: str, width: int, height: int, padding: int) -> None:
    rgb = ColorDecoder().rgb(message(encoding, width, height, padding))
    np.testing.assert_allclose(rgb.astype(int), scene(width, height).astype(int), atol=3)


@pytest.mark.parametrize('encoding', ['nv12', 'i420', 'nv24'])
@pytest.mark.parametrize(('width', 'height'), [(7, 5), (2, 3), (1, 1)])
def test_odd_sizes(encoding: str, width: int, height: int) -> None:
    rgb = ColorDecoder().rgb(message(encoding, width, height))
    assert rgb.shape == (height, width, 3)
    np.testing.assert_allclose(rgb[0, 0].astype(int), COLORS[0, 0].astype(int), atol=3)


@pytest.mark.parametrize('step', [0, 8, 24, 32])
def test_a_step_that_does_not_fit_packed_data(step: int) -> None:
    """Drivers state the bytes of all planes, of both bytes of a pixel, or nothing."""
    packed = message('nv12', 16, 8)
    packed.step = step
    rgb = ColorDecoder().rgb(packed)
    np.testing.assert_allclose(rgb.astype(int), scene(16, 8).astype(int), atol=3)


@pytest.mark.parametrize('encoding', list(PLANAR))
def test_too_few_bytes_are_refused_by_number(encoding: str) -> None:
    cut = message(encoding, 16, 8)
    cut.data = cut.data[:-1]
    with pytest.raises(ImageError, match=f'data has {len(cut.data)} bytes; 16x8 px of {encoding}'):
        ColorDecoder().rgb(cut)
    cut.width = 0
    with pytest.raises(ImageError, match='image is 0x8 px'):
        ColorDecoder().rgb(cut)


def packed(encoding: str, pixels: np.ndarray) -> SimpleNamespace:
    height, width = pixels.shape[:2]
    return SimpleNamespace(
        width=width,
        height=height,
        encoding=encoding,
        step=pixels[0].nbytes,
        is_bigendian=0,
        data=pixels.tobytes(),
    )


def test_layouts_of_opencv_and_of_16_bits() -> None:
    rgb = scene(16, 8)
    bgra = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA)
    np.testing.assert_array_equal(ColorDecoder().rgb(packed('8UC4', bgra)), rgb)
    wide = rgb.astype(np.uint16) * 257
    for encoding, samples in (('rgb16', wide), ('bgr16', wide[..., ::-1])):
        message = packed(encoding, np.ascontiguousarray(samples))
        np.testing.assert_allclose(ColorDecoder().rgb(message), rgb, atol=1)


def test_an_encoding_of_nobody_is_named() -> None:
    with pytest.raises(ImageError, match=r"encoding 'nv99' is none of rgb8, .*, nv12, .*, yv12"):
        ColorDecoder().rgb(packed('nv99', scene(4, 4)))
