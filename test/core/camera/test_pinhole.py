import math

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError

CAMERA = PinholeCamera(640, 480, 525.0, 530.0, 319.5, 241.25)


@pytest.mark.parametrize(
    ('width', 'height', 'fov_deg', 'fx', 'cx', 'cy'),
    [(640, 480, 90.0, 320.0, 319.5, 239.5), (3, 1, 2 * math.degrees(math.atan(1.5)), 1, 1, 0)],
)
def test_field_of_view(
    width: int, height: int, fov_deg: float, fx: float, cx: float, cy: float
) -> None:
    camera = PinholeCamera.from_fov(width, height, fov_deg)
    assert camera.fx == camera.fy == pytest.approx(fx)
    assert (camera.width, camera.height, camera.cx, camera.cy) == (width, height, cx, cy)
    # The field of view spans whole pixels: from the left edge of the first, u = -1/2.
    edge = (-0.5 - camera.cx) / camera.fx
    assert math.degrees(2 * math.atan(-edge)) == pytest.approx(fov_deg)


@pytest.mark.parametrize('fov_deg', [0.0, -10.0, 180.0, math.nan])
def test_impossible_field_of_view(fov_deg: float) -> None:
    with pytest.raises(CalibrationError, match=f'fov_deg is {fov_deg}'):
        PinholeCamera.from_fov(640, 480, fov_deg)


def test_resized_by_the_formula() -> None:
    half = CAMERA.resized(320, 240)
    assert half == PinholeCamera(320, 240, 262.5, 265.0, 159.5, 120.375)
    assert half.resized(640, 480) == CAMERA
    assert CAMERA.resized(640, 480) is CAMERA


@pytest.mark.parametrize(('width', 'height'), [(320, 240), (213, 77), (1, 1), (1280, 960)])
def test_a_point_stays_where_it_is_in_the_picture(width: int, height: int) -> None:
    x, y, z = 0.3, -0.2, 1.7
    resized = CAMERA.resized(width, height)
    for size, old_size, f, old_f, c, old_c, at in (
        (width, 640, resized.fx, CAMERA.fx, resized.cx, CAMERA.cx, x / z),
        (height, 480, resized.fy, CAMERA.fy, resized.cy, CAMERA.cy, y / z),
    ):
        # As a share of the picture, measured from its edge half a pixel before pixel 0.
        share = (f * at + c + 0.5) / size
        assert share == pytest.approx((old_f * at + old_c + 0.5) / old_size)


def test_rays_point_through_pixel_centers() -> None:
    rays = CAMERA.rays()
    assert rays.shape == (2, 480, 640)
    assert rays.dtype == torch.float32
    for u, v in ((0, 0), (639, 0), (17, 460)):
        expected = (u - 319.5) / 525, (v - 241.25) / 530
        np.testing.assert_allclose(rays[:, v, u], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'width': 0}, 'camera size is 0x480 px'),
        ({'height': -1}, 'camera size is 640x-1 px'),
        ({'fx': 0.0}, r'\(0.0, 530.0, 319.5, 241.25\); focal lengths must be positive'),
        ({'fy': -1.0}, 'focal lengths must be positive'),
        ({'cx': math.nan}, 'all finite'),
        ({'fx': math.inf}, 'all finite'),
    ],
)
def test_degenerate_camera(change: dict[str, float], complaint: str) -> None:
    numbers = {
        'width': 640, 'height': 480, 'fx': 525.0, 'fy': 530.0, 'cx': 319.5, 'cy': 241.25
    }  # fmt: skip
    with pytest.raises(CalibrationError, match=complaint):
        PinholeCamera(**(numbers | change))
