"""Points in pictures: where they fall, which one is seen, how large."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.offline.cloud_renderer import (
    Viewpoint,
    draw_points,
    fitting_view,
    nearest_points,
    point_sizes,
    write_cloud_picture,
)

CAMERA = PinholeCamera(40, 30, 20.0, 20.0, 19.5, 14.5)
AT_ORIGIN = Viewpoint(CAMERA, np.zeros(3), np.eye(3))
RED, GREEN = np.array([255, 0, 0], np.uint8), np.array([0, 255, 0], np.uint8)


def test_a_point_falls_where_the_camera_projects_it() -> None:
    u, v, z = AT_ORIGIN.project(np.array([[0.5, -0.25, 2.0]]))
    assert (u[0], v[0], z[0]) == (19.5 + 5.0, 14.5 - 2.5, 2.0)


def test_a_viewer_on_the_right_sees_the_far_end_on_the_right() -> None:
    view = Viewpoint.toward(CAMERA, np.array([2.0, 0.0, 2.0]), np.array([0.0, 0.0, 2.0]))
    u, v, z = view.project(np.array([[0.0, 0.0, 2.0], [0.0, 0.0, 3.0], [0.0, -1.0, 2.0]]))
    assert z == pytest.approx([2.0, 2.0, 2.0])
    assert u == pytest.approx([19.5, 29.5, 19.5])
    assert v == pytest.approx([14.5, 14.5, 4.5])  # -y is up


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_the_nearer_of_two_points_is_seen(order: tuple[int, int]) -> None:
    points = np.array([[0.025, 0.025, 1.0], [0.05, 0.05, 2.0]])[list(order)]
    rgb = np.stack((RED, GREEN))[list(order)]
    picture = draw_points(points, rgb, np.full(2, 0.01), AT_ORIGIN)
    assert picture[15, 20].tolist() == RED.tolist()
    assert np.count_nonzero(picture) == 1


def test_a_square_covers_its_size_and_the_nearer_one_lies_on_top() -> None:
    u, v = np.array([10.0, 11.0]), np.array([10.0, 10.0])
    seen = nearest_points(u, v, np.array([2.0, 1.0]), np.array([5.0, 1.0]), 40, 30)
    assert np.argwhere(seen == 1).tolist() == [[10, 11]]
    assert np.count_nonzero(seen == 0) == 24
    assert set(np.argwhere(seen == 0)[:, 1]) == {8, 9, 10, 11, 12}
    assert set(np.argwhere(seen == 0)[:, 0]) == {8, 9, 10, 11, 12}


def test_what_is_behind_or_outside_is_not_seen() -> None:
    u, v = np.array([5.0, -3.0, 5.0, 39.0]), np.array([5.0, 5.0, 30.4, 29.0])
    z = np.array([-1.0, 1.0, 1.0, 1.0])
    seen = nearest_points(u, v, z, np.ones(4), 40, 30)
    assert np.argwhere(seen >= 0).tolist() == [[29, 39]]
    assert seen[29, 39] == 3


def test_no_points_give_an_empty_picture() -> None:
    nothing = np.zeros((0, 3))
    picture = draw_points(nothing, nothing.astype(np.uint8), np.zeros(0), AT_ORIGIN)
    assert picture.shape == (30, 40, 3)
    assert not picture.any()


def test_points_on_a_tilted_plane_touch_and_steps_stay_open() -> None:
    v, u = np.mgrid[10:30, 0:40]
    z = 20.0 / (v - 9.0)  # a floor
    xyz = np.stack(((u - 19.5) / 20 * z, (v - 14.5) / 20 * z, z), axis=-1)
    sizes = point_sizes(xyz.reshape(-1, 3), CAMERA).reshape(20, 40)
    below = np.linalg.norm(xyz[1:] - xyz[:-1], axis=-1)
    pixel = z / 20
    assert below[10, 7] > pixel[10, 7]
    assert sizes[10, 7] == pytest.approx(1.3 * below[10, 7])
    assert below[0, 7] > 10 * pixel[0, 7]
    assert sizes[0, 7] == pytest.approx(1.3 * pixel[0, 7])


def test_a_fitting_view_shows_nearly_all_points_large() -> None:
    rng = np.random.default_rng(0)
    xyz = rng.uniform((-1, -1, 2), (1, 1, 4), (2000, 3))
    view = fitting_view(xyz, np.array([0.4, -0.3, -0.9]))
    u, v, _ = view.project(xyz)
    inside = (u >= 0) & (u < view.camera.width) & (v >= 0) & (v < view.camera.height)
    assert inside.mean() > 0.95
    fill = max(np.ptp(u) / view.camera.width, np.ptp(v) / view.camera.height)
    assert 0.85 < fill < 1.2
    assert (u.max() + u.min()) / 2 == pytest.approx(view.camera.width / 2, rel=0.1)


def test_the_cloud_picture_has_a_row_per_cloud_and_its_colors(tmp_path: Path) -> None:
    camera = CAMERA.resized(160, 120)
    x, y = camera.rays().numpy()
    bits = np.full(x.shape, 0x00C81E0A, np.uint32).view(np.float32)
    points = np.stack((2 * x, 2 * y, np.full_like(x, 2), bits), axis=-1).reshape(-1, 4)
    write_cloud_picture(tmp_path / 'cloud.png', {'one': points, 'two': points}, camera)
    picture = cv2.imread(str(tmp_path / 'cloud.png'))
    is_cloud = (picture == (0x0A, 0x1E, 0xC8)).all(axis=2)
    rows, columns = np.array_split(is_cloud, 2), (slice(None, 810), slice(810, None))
    shares = [row[:, column].mean() for row in rows for column in columns]
    assert min(shares) > 0.2
