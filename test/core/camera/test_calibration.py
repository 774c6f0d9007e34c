"""A calibration of one image: whether it needs rectification, and its fit to another size."""

import math
from dataclasses import replace

import pytest

from mono_depth_ros.core.camera.calibration import CameraCalibration, fit_to_image
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError

K = ((500.0, 0.0, 319.5), (0.0, 510.0, 239.5), (0.0, 0.0, 1.0))
P = ((500.0, 0.0, 319.5, -60.0), (0.0, 510.0, 239.5, 0.0), (0.0, 0.0, 1.0, 0.0))
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
IDEAL = CameraCalibration(640, 480, K, (0.0,) * 5, 'plumb_bob', EYE, P)


def turned(angle: float) -> tuple[tuple[float, ...], ...]:
    c, s = math.cos(angle), math.sin(angle)
    return ((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0))


def shifted(px: float) -> tuple[tuple[float, ...], ...]:
    return ((500.0, 0.0, 319.5 + px, -60.0), *P[1:])


@pytest.mark.parametrize(
    ('change', 'rectified'),
    [
        ({}, True),
        ({'D': ()}, True),
        ({'D': (), 'distortion_model': ''}, True),
        ({'D': (0.0, 0.0, 0.0, 0.0, 1e-9)}, False),
        ({'R': turned(1e-8)}, True),
        ({'R': turned(1e-4)}, False),
        ({'P': shifted(1e-5)}, True),
        ({'P': shifted(0.01)}, False),
    ],
)
def test_is_rectified(change: dict[str, object], rectified: bool) -> None:
    assert replace(IDEAL, **change).is_rectified is rectified


def test_fit_scales_about_the_image_corner() -> None:
    fitted = fit_to_image(replace(IDEAL, D=(0.1, 0.2, 0.0, 0.0)), 1280, 960)
    # The corner of the image, pixel (-1/2, -1/2), stays where it is.
    assert fitted.raw_camera() == PinholeCamera(1280, 960, 1000, 1020, 639.5, 479.5)
    assert fitted.P == ((1000, 0, 639.5, -120), (0, 1020, 479.5, 0), (0, 0, 1, 0))
    assert (fitted.D, fitted.R) == ((0.1, 0.2, 0.0, 0.0), EYE)


def test_fit_agrees_with_the_pinhole_camera() -> None:
    for size in ((320, 240), (213, 160), (1279, 960)):
        expected = IDEAL.raw_camera().resized(*size)
        fitted = fit_to_image(IDEAL, *size).raw_camera()
        assert (fitted.width, fitted.height) == size
        for name in ('fx', 'fy', 'cx', 'cy'):
            assert getattr(fitted, name) == pytest.approx(getattr(expected, name), rel=1e-12)


def test_fit_to_its_own_size_changes_nothing() -> None:
    assert fit_to_image(IDEAL, 640, 480) is IDEAL


@pytest.mark.parametrize(('width', 'height'), [(854, 480), (853, 480), (427, 240), (1920, 1080)])
def test_fit_allows_rounding_of_the_aspect(width: int, height: int) -> None:
    wide = replace(IDEAL, width=1280, height=720)
    assert fit_to_image(wide, width, height).raw_camera().fx == 500 * width / 1280


@pytest.mark.parametrize(('width', 'height'), [(640, 360), (480, 640), (636, 480), (0, 0)])
def test_fit_refuses_another_aspect(width: int, height: int) -> None:
    complaint = f'calibration is for 640x480 px and the image has {width}x{height} px'
    with pytest.raises(CalibrationError, match=complaint):
        fit_to_image(IDEAL, width, height)


def test_crop_then_bin() -> None:
    camera = IDEAL.cropped(20, 10, 600, 400).binned(2, 2).raw_camera()
    assert camera == PinholeCamera(300, 200, 250, 255, (319.5 - 20.5) / 2, (239.5 - 10.5) / 2)
    assert IDEAL.cropped(0, 0, 640, 480).binned(1, 1) is IDEAL


@pytest.mark.parametrize(
    'part', [(0, 0, 641, 480), (1, 0, 640, 480), (0, 0, 0, 10), (-1, 0, 10, 10), (0, 5, 5, -2)]
)
def test_crop_outside_is_refused(part: tuple[int, int, int, int]) -> None:
    with pytest.raises(CalibrationError, match='must lie inside the 640x480 px of the camera'):
        IDEAL.cropped(*part)
