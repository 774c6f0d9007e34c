"""Pictures turned upright, and the calibration of the sensor with them."""

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.orientation import turned_calibration, turned_pixels
from mono_depth_ros.core.errors import CalibrationError

WIDTH, HEIGHT = 640, 480
K = (500.0, 0.0, 300.0, 0.0, 510.0, 250.0, 0.0, 0.0, 1.0)
P = (480.0, 0.0, 310.0, -48.0, 0.0, 490.0, 230.0, 0.0, 0.0, 0.0, 1.0, 0.0)
R = cv2.Rodrigues(np.array([0.02, -0.03, 0.01]))[0]
PLUMB_BOB = (0.1, -0.05, 0.003, -0.002, 0.01)
PRISM = (0.1, -0.05, 0.003, -0.002, 0.01, 0.02, 0.01, 0.0, 0.004, -0.001, 0.002, 0.003)
SHAPES = {
    orientation: (HEIGHT, WIDTH)[:: -1 if orientation > 4 else 1] for orientation in range(1, 9)
}
# Where the first pixel of the upright picture lies in the sensor: EXIF's own definition, as
# (row, column) of the visual top left, and whether rows of the picture are rows of the sensor.
FIRST = {
    1: (0, 0),
    2: (0, -1),
    3: (-1, -1),
    4: (-1, 0),
    5: (0, 0),
    6: (-1, 0),
    7: (-1, -1),
    8: (0, -1),
}


def sensor(d: tuple[float, ...], model: str) -> CameraCalibration:
    return CameraCalibration.of_numbers(WIDTH, HEIGHT, K, d, model, R.ravel(), P)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_pixels(orientation: int) -> None:
    pixels = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    turned = turned_pixels(pixels, orientation)
    assert turned.shape == ((3, 2, 3) if orientation > 4 else (2, 3, 3))
    np.testing.assert_array_equal(turned[0, 0], pixels[FIRST[orientation]])
    following = turned[0, 1]
    row = np.argwhere((pixels == following).all(axis=2))[0][0]
    first_row = FIRST[orientation][0] % 2
    assert bool(row == first_row) is (orientation <= 4)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize(
    ('d', 'model'),
    [
        ((), 'plumb_bob'),
        (PLUMB_BOB, 'plumb_bob'),
        (PRISM, 'rational_polynomial'),
        ((0.05, -0.01, 0.002, 0.001), 'equidistant'),
    ],
)
def test_every_point_lands_on_its_turned_pixel(
    orientation: int, d: tuple[float, ...], model: str
) -> None:
    lens = sensor(d, model)
    turned = turned_calibration(lens, orientation)
    assert (turned.height, turned.width) == SHAPES[orientation]
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.5, -0.4, 1), (0.5, 0.4, 1), (50, 3))
    # A map of the pixels' own places, turned like a picture, tells where each pixel goes.
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    places = turned_pixels(np.dstack((u, v)), orientation)
    axes = np.array([places[0, 1] - places[0, 0], places[1, 0] - places[0, 0]])
    turned_points = points.copy()
    turned_points[:, :2] = points[:, :2] @ axes.T
    for project in (raw_pixels, rectified_pixels):
        expected = (project(lens, points) - places[0, 0]) @ axes.T
        np.testing.assert_allclose(project(turned, turned_points), expected, atol=1e-6)


def raw_pixels(camera: CameraCalibration, points: np.ndarray) -> np.ndarray:
    k, d = np.array(camera.K), np.array(camera.D)
    none = np.zeros(3)
    if camera.distortion_model == 'equidistant':
        return cv2.fisheye.projectPoints(points[:, None], none, none, k, d)[0][:, 0]
    return cv2.projectPoints(points, none, none, k, d)[0][:, 0]


def rectified_pixels(camera: CameraCalibration, points: np.ndarray) -> np.ndarray:
    seen = np.column_stack((points @ np.array(camera.R).T, np.ones(len(points))))
    projected = seen @ np.array(camera.P).T
    return projected[:, :2] / projected[:, 2:]


@pytest.mark.parametrize(
    ('orientation', 'numbers'),
    [(3, (500, 510, 339, 229)), (6, (510, 500, 229, 300)), (8, (510, 500, 250, 339))],
)
def test_numbers_of_the_usual_turns(orientation: int, numbers: tuple[float, ...]) -> None:
    camera = turned_calibration(sensor((), 'plumb_bob'), orientation).raw_camera()
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == numbers


def test_a_tilted_sensor_is_not_turned() -> None:
    tilted = sensor((*PRISM, 0.01, 0.02), 'rational_polynomial')
    assert turned_calibration(tilted, 1) is tilted
    with pytest.raises(CalibrationError, match='tilted sensor'):
        turned_calibration(tilted, 3)
