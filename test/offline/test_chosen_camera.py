"""What a user states about the camera, held against the pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError, ImplausibleCalibrationError
from mono_depth_ros.offline.chosen_camera import ChosenCamera
from mono_depth_ros.offline.images import ImageFrame, ReadingSettings, load_picture

SENSOR = CameraCalibration.of_pinhole(PinholeCamera(640, 480, 500, 510, 300, 250))


def frame(width: int, height: int, orientation: int = 1, reduction: float = 1.0) -> ImageFrame:
    rgb = np.zeros((height, width, 3), np.uint8)
    return ImageFrame(rgb, orientation=orientation, reduction=reduction)


@pytest.mark.parametrize(
    ('camera', 'size', 'reason'),
    [
        (ChosenCamera(focal_px=26), (640, 480), '--focal 26 .* 171 degrees .* it is 462 px'),
        (ChosenCamera(focal_px=4.2), (4000, 3000), '--focal 4.2 .* 180 degrees .* it is 467 px'),
        (ChosenCamera(focal_px=50), (640, 480), '--focal 50 .* it is 889 px'),
        (ChosenCamera(focal_px=8000), (640, 480), '4.58 degrees .* that of a larger picture'),
        (ChosenCamera(fov_deg=1.2), (640, 480), '--fov 1.2 .* in radians it is 68.8 degrees'),
        (ChosenCamera(fov_deg=4), (640, 480), '--fov 4 is a view 4 degrees wide; give degrees'),
        (ChosenCamera(fov_deg=170), (640, 480), 'a fisheye lens needs --calibration'),
    ],
)
def test_numbers_that_no_camera_has(
    camera: ChosenCamera, size: tuple[int, int], reason: str
) -> None:
    with pytest.raises(ImplausibleCalibrationError, match=reason):
        camera.of(frame(*size))


@pytest.mark.parametrize(
    'camera', [ChosenCamera(focal_px=995), ChosenCamera(fov_deg=120), ChosenCamera(fov_deg=8)]
)
def test_numbers_that_cameras_have(camera: ChosenCamera) -> None:
    assert camera.of(frame(741, 500)) is not None


def test_a_focal_length_is_that_of_the_file() -> None:
    found = ChosenCamera(focal_px=1000).of(frame(640, 480, reduction=0.5))
    assert found is not None
    assert found.raw_camera().fx == 500


@pytest.mark.parametrize(
    ('orientation', 'size', 'numbers'),
    [
        (3, (640, 480), (500, 510, 339, 229)),
        (6, (480, 640), (510, 500, 229, 300)),
        (8, (480, 640), (510, 500, 250, 339)),
        (2, (640, 480), (500, 510, 339, 250)),
    ],
)
def test_the_calibration_of_the_sensor_is_turned(
    orientation: int, size: tuple[int, int], numbers: tuple[float, ...]
) -> None:
    found = ChosenCamera(SENSOR).of(frame(*size, orientation))
    assert found is not None
    assert found.raw_camera() == PinholeCamera(*size, *numbers)


def test_a_calibration_of_the_upright_picture_stays() -> None:
    upright = CameraCalibration.of_pinhole(PinholeCamera(480, 640, 500, 510, 230, 300))
    assert ChosenCamera(upright).of(frame(480, 640, 6)) == upright
    half = ChosenCamera(SENSOR).of(frame(240, 320, 6))
    assert half is not None
    assert half.raw_camera() == PinholeCamera(240, 320, 255, 250, 114.25, 149.75)
    with pytest.raises(
        CalibrationError, match='another aspect ratio; use the calibration of this'
    ):
        ChosenCamera(SENSOR).of(frame(480, 640, 1))


@pytest.mark.parametrize('form', ['JPEG', 'PNG', 'TIFF', 'WEBP'])
@pytest.mark.parametrize('orientation', [1, 3, 5, 6, 8])
def test_a_photograph_and_its_camera_turn_together(
    tmp_path: Path, form: str, orientation: int
) -> None:
    """The pixel at the principal point of the sensor stays at that of the camera."""
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[242:259, 292:309] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {'tiffinfo': {0x0112: orientation}} if form == 'TIFF' else {'exif': exif}
    path = tmp_path / f'photo.{form.lower()}'
    Image.fromarray(pixels).save(path, form, **options)
    loaded = load_picture(path, ReadingSettings())
    assert loaded.orientation == orientation
    camera = ChosenCamera(SENSOR).of(loaded)
    assert camera is not None
    seen = np.argwhere(loaded.rgb[..., 0] > 128).mean(axis=0)
    raw = camera.raw_camera()
    np.testing.assert_allclose(seen, (raw.cy, raw.cx), atol=0.5)
