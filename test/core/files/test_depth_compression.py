"""Depth and pictures in few bytes, judged by what another library reads of them."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from mono_depth_ros.core.files.color_messages import jpeg
from mono_depth_ros.core.files.depth_messages import inverse_depth_png, millimeter_png


def values(png: bytes) -> np.ndarray:
    picture = Picture.open(io.BytesIO(png))
    assert picture.format == 'PNG'
    return np.array(picture).astype(np.float64)


def decoded(depth: np.ndarray) -> np.ndarray:
    png, a, b = inverse_depth_png(depth)
    read = values(png)
    with np.errstate(divide='ignore'):
        return np.where(read > 0, a / (read - b), np.nan)


def slope(nearest: float, farthest: float) -> np.ndarray:
    inverse = np.linspace(1 / farthest, 1 / nearest, 63 * 40)
    return (1 / inverse).reshape(63, 40).astype(np.float32)


@pytest.mark.parametrize(
    ('nearest', 'farthest'), [(0.5, 6.0), (0.2, 80.0), (5.0, 5.0), (0.15, 1000.0)]
)
def test_depth_is_off_by_half_a_step_of_inverse_depth_at_most(
    nearest: float, farthest: float
) -> None:
    depth = slope(nearest, farthest)
    np.testing.assert_allclose(1 / decoded(depth), 1 / depth, rtol=0, atol=0.51e-4)


def test_steps_grow_where_16_bits_do_not_reach() -> None:
    depth = slope(0.1, 80.0)
    step = (1 / 0.1 - 1 / 80) / 65534
    assert step > 1e-4
    np.testing.assert_allclose(1 / decoded(depth), 1 / depth, rtol=0, atol=0.51 * step)


def test_a_single_near_pixel_costs_the_others_little() -> None:
    depth = slope(1.0, 10.0)
    depth[0, 0] = 1e-4
    read = decoded(depth)
    assert read[0, 0] == pytest.approx(0.05, rel=1e-3)
    np.testing.assert_allclose(read.ravel()[1:], depth.ravel()[1:], rtol=2e-3)


def test_unknown_depth_stays_unknown() -> None:
    depth = slope(1.0, 4.0)
    depth[3, 4:9] = (np.nan, np.inf, -np.inf, 0.0, -1.0)
    assert np.array_equal(np.argwhere(np.isnan(decoded(depth))), [(3, i) for i in range(4, 9)])
    assert np.isnan(decoded(np.full((5, 7), np.nan, np.float32))).all()


def test_millimeters_are_exact() -> None:
    depth = np.array([[0.001, 1.2344, 65.535, 65.536, np.nan, -1.0]], np.float32)
    assert values(millimeter_png(depth)).tolist() == [[1, 1234, 65535, 0, 0, 0]]


def test_jpeg_keeps_colors_in_their_order() -> None:
    bgr = np.zeros((16, 24, 3), np.uint8)
    bgr[:] = (200, 100, 30)
    rgb = np.array(Picture.open(io.BytesIO(jpeg(bgr))))
    assert rgb.shape == (16, 24, 3)
    assert np.abs(rgb.astype(int) - (30, 100, 200)).max() <= 3


def test_a_step_is_as_fine_as_ten_meters_to_five_millimeters() -> None:
    depth = slope(8.0, 10.0)
    error = np.abs(decoded(depth) - depth).max()
    assert error == pytest.approx(0.005, rel=0.05)


def test_a_jpeg_is_small_and_close_to_the_picture() -> None:
    v, u = np.mgrid[:120, :160]
    bgr = np.stack((u, v, 200 - v + 20 * (u // 16 % 2)), axis=-1).astype(np.uint8)
    compressed = jpeg(bgr)
    read = np.array(Picture.open(io.BytesIO(compressed)))[..., ::-1].astype(float)
    assert np.abs(read - bgr).mean() < 1.0
    assert len(compressed) < 3000
