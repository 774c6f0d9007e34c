"""Landmarks lie on what the camera sees, but for the errors that odometry makes."""

import numpy as np
import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.landmarks import LandmarkMap, LandmarkSettings
from mono_depth_ros.simulation.raycast import cast
from mono_depth_ros.simulation.robots import ROBOTS

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
RIG = ROBOTS['rig']
PERFECT = LandmarkSettings(matching_px=0.0, outliers=0.0)
TIMES_S = (1.0, 5.0, 9.0)


@pytest.fixture(scope='module')
def drive() -> Drive:
    return Drive(3)


@pytest.fixture(scope='module')
def usual(drive: Drive) -> LandmarkMap:
    return LandmarkMap(drive, RIG, CAMERA)


def errors(drive: Drive, landmarks: LandmarkMap, t_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the relative errors of depth in view, and the numbers of their landmarks."""
    pose = RIG.camera_at(drive, t_s)
    places, numbers = landmarks.seen(pose, t_s)
    x, y, z = ((places - pose.position.numpy()) @ pose.rotation.numpy()).T
    u = np.rint(CAMERA.fx * x / z + CAMERA.cx).astype(int)
    v = np.rint(CAMERA.fy * y / z + CAMERA.cy).astype(int)
    inside = (u >= 0) & (v >= 0) & (u < CAMERA.width) & (v < CAMERA.height)
    truth = cast(drive.scene, CAMERA, pose).depth.numpy()
    return z[inside] / truth[v[inside], u[inside]] - 1, numbers[inside]


@pytest.mark.parametrize('t_s', TIMES_S)
def test_without_errors_they_lie_on_the_surfaces_in_view(drive: Drive, t_s: float) -> None:
    found, _ = errors(drive, LandmarkMap(drive, RIG, CAMERA, settings=PERFECT), t_s)
    assert len(found) == 100
    # Beside an edge a pixel may see another surface.
    assert np.median(np.abs(found)) < 0.005
    assert np.quantile(np.abs(found), 0.9) < 0.05


@pytest.mark.parametrize('t_s', TIMES_S)
def test_depth_errs_by_a_few_percent(drive: Drive, usual: LandmarkMap, t_s: float) -> None:
    found, numbers = errors(drive, usual, t_s)
    assert 0.005 < np.median(np.abs(found[~usual.is_outlier[numbers]])) < 0.05


def test_a_tenth_of_them_slides_along_until_it_is_forgotten(drive: Drive) -> None:
    settings = LandmarkSettings(matching_px=0.0)
    landmarks = LandmarkMap(drive, RIG, CAMERA, settings=settings)
    assert landmarks.is_outlier.mean() == pytest.approx(0.1, abs=0.03)
    pose = RIG.camera_at(drive, 5.0)
    (before, numbers), (after, same), (later, _) = (
        landmarks.seen(pose, t_s) for t_s in (5.0, 5.1, 9.0)
    )
    np.testing.assert_array_equal(numbers, same)
    moved = np.linalg.norm(after - before, axis=1)
    is_outlier = landmarks.is_outlier[numbers]
    assert (moved[~is_outlier] == 0).all()
    slid = moved[is_outlier]
    assert np.median(slid) == pytest.approx(0.1 * settings.drift_m_s)
    np.testing.assert_allclose(later, before, atol=1e-9, err_msg='not forgotten after 4 s')


def test_they_keep_their_numbers_while_they_are_seen(drive: Drive, usual: LandmarkMap) -> None:
    _, before = usual.seen(RIG.camera_at(drive, 5.0), 5.0)
    _, after = usual.seen(RIG.camera_at(drive, 5.1), 5.1)
    assert len(set(before)) == len(before) <= 100
    assert len(set(before) & set(after)) > 0.5 * len(before)
    again = LandmarkMap(drive, RIG, CAMERA).seen(RIG.camera_at(drive, 5.0), 5.0)
    np.testing.assert_array_equal(again[1], before)
    assert len(np.unique(usual.seen(RIG.camera_at(drive, 15.0), 15.0)[1])) > 50
