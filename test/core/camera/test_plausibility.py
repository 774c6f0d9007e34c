"""Calibrations that cannot be those of an image of their size, and odd ones that can."""

from dataclasses import replace

import pytest

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.plausibility import require_plausible, require_plausible_camera
from mono_depth_ros.core.errors import ImplausibleCalibrationError


def calibration(
    width: int, height: int, f: float, cx: float, cy: float, fy: float = 0.0
) -> CameraCalibration:
    return CameraCalibration.of_pinhole(PinholeCamera(width, height, f, fy or f, cx, cy))


@pytest.mark.parametrize(
    ('lens', 'reason'),
    [
        (calibration(640, 480, 1, 0, 0), 'identity for 640x480 px: the camera is not calibrated'),
        (calibration(640, 480, 4, 319.5, 239.5), r'\(4, 4\) px .* 179 degrees.* in mm / size'),
        (calibration(640, 480, 35, 319.5, 239.5), r'168 degrees wide; it must be in pixels'),
        (calibration(640, 480, 4, 3.2, 2.4), r'\(3.2, 2.4\) .* it must be in pixels'),
        (calibration(640, 480, 0.8, 0.5, 0.5), r'\(0.8, 0.8\) px .* it must be in pixels'),
        (calibration(640, 480, 9000, 319.5, 239.5), r'4.07 degrees wide; .* of this size'),
        (calibration(640, 480, 500, 0, 0), r'\(0, 0\) for 640x480 px.* must lie in the image'),
        (calibration(640, 480, 500, -9, 239), r'\(-9, 239\) .* must lie in the image'),
        (calibration(640, 480, 500, 319, 460), r'\(319, 460\) .* must lie in the image'),
        (calibration(640, 480, 500, 319, 239, 5), r'\(500, 5\) px .* in pixels'),
        (calibration(640, 480, 500, 319, 239, 1400), 'within a factor of 2.5'),
        (calibration(640, 480, 1000, 639.5, 479.5), 'seems to be that of about 1280x960 px'),
        (calibration(1280, 960, 500, 319.5, 239.5), 'seems to be that of about 640x480 px'),
        (calibration(1280, 720, 700, 479.5, 269.5), 'seems to be that of about 960x540 px'),
        (calibration(480, 640, 500, 319.5, 239.5), 'that of 640x480 px: .* swapped'),
        (calibration(1080, 1920, 900, 955, 544), 'that of 1920x1080 px: .* swapped'),
    ],
)
def test_implausible(lens: CameraCalibration, reason: str) -> None:
    with pytest.raises(ImplausibleCalibrationError, match=reason):
        require_plausible(lens)


def test_a_matrix_that_was_binned_before_binning() -> None:
    lens = calibration(1280, 960, 289, 159.5, 119.5)
    with pytest.raises(ImplausibleCalibrationError) as error:
        require_plausible(lens, (320, 240))
    assert error.value.what == (
        'K has focal lengths (289, 289) px and principal point (159.5, 119.5) for 1280x960 px: it '
        'seems to be binned or cropped to 320x240 px already, and would be so twice (a field of '
        'view 131 degrees wide in place of 57.9)'
    )
    assert error.value.remedy == (
        'use the K of 1280x960 px, or this one with 320x240 px, no binning and no region'
    )


@pytest.mark.parametrize(
    ('lens', 'delivered'),
    [
        (calibration(1280, 960, 578, 319.5, 239.5), (640, 480)),
        (calibration(1280, 960, 1156, 639.5, 239.5, 578), (1280, 480)),
        (calibration(1280, 960, 900, 400, 300), (800, 600)),
    ],
    ids=['by 2', 'rows alone', 'cropped'],
)
def test_other_matrices_that_were_reduced_before(
    lens: CameraCalibration, delivered: tuple[int, int]
) -> None:
    with pytest.raises(ImplausibleCalibrationError, match=r'binned or cropped to .* already'):
        require_plausible(lens, delivered)


def test_projection_of_another_size_beside_a_good_matrix() -> None:
    lens = calibration(640, 480, 500, 319.5, 239.5)
    p = ((1000.0, 0.0, 639.5, 0.0), (0.0, 1000.0, 479.5, 0.0), (0.0, 0.0, 1.0, 0.0))
    with pytest.raises(ImplausibleCalibrationError, match=r'P has .* that of about 1280x960 px'):
        require_plausible(replace(lens, P=p))
    identity = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    with pytest.raises(ImplausibleCalibrationError, match=r'P has .* it must be in pixels'):
        require_plausible(replace(lens, P=identity))


@pytest.mark.parametrize(
    'lens',
    [
        calibration(1242, 375, 721.5, 609.6, 172.9),  # KITTI
        calibration(2964, 1988, 3979.9, 1244.8, 1019.5),  # Middlebury 2014
        calibration(1280, 720, 720 / 4.887, 640, 360),  # equidistant, 280 degrees in its height
        calibration(640, 480, 180, 322, 236),  # equidistant, 220 degrees
        calibration(1920, 1080, 16000, 960, 540),  # telephoto, 6.9 degrees
        calibration(640, 240, 500, 320, 120, 250),  # one field of interlaced video
        calibration(518, 518, 400, 259, 259, 930),  # 21:9 squeezed to a square
        calibration(1280, 360, 700, 640, 40),  # upper part cut off, not stated as a region
        calibration(480, 640, 500, 239.5, 319.5),  # portrait
    ],
)
def test_odd_but_plausible(lens: CameraCalibration) -> None:
    require_plausible(lens)


def test_wide_rectified_image_of_a_fisheye() -> None:
    lens = calibration(1280, 960, 330, 640, 480)
    wide = ((60.0, 0.0, 640.0, 0.0), (0.0, 60.0, 480.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    require_plausible(replace(lens, P=wide))
    flat = ((20.0, 0.0, 640.0, 0.0), (0.0, 20.0, 480.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    with pytest.raises(ImplausibleCalibrationError, match=r'P has .* 176 degrees wide'):
        require_plausible(replace(lens, P=flat))


def test_a_camera_is_known_by_its_name() -> None:
    camera = PinholeCamera(640, 480, 4, 4, 319.5, 239.5)
    with pytest.raises(ImplausibleCalibrationError, match=r'^the camera of --focal has focal'):
        require_plausible_camera(camera, 'the camera of --focal')
