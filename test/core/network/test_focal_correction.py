"""The focal correction: known cameras, known factors."""

import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.checkpoints.table import TRAINING_FOCAL_PX
from mono_depth_ros.core.network.focal_correction import focal_factor
from mono_depth_ros.core.network.preprocessing import network_size


def factor(camera: PinholeCamera, variant: str, input_size: int = 518) -> float:
    seen = network_size(camera.height, camera.width, input_size)
    return focal_factor(camera, seen, TRAINING_FOCAL_PX[variant])


def test_the_cameras_of_the_training_need_no_correction() -> None:
    hypersim = PinholeCamera.from_fov(1024, 768, 60)
    assert hypersim.fx == pytest.approx(886.81, abs=0.01)
    # Sides are rounded to multiples of 14 px.
    assert factor(hypersim, 'metric_indoor') == pytest.approx(1, rel=5e-3)
    assert factor(hypersim.resized(640, 480), 'metric_indoor') == pytest.approx(1, rel=5e-3)
    kitti = PinholeCamera(1242, 375, 725.0087, 725.0087, 620.5, 187)
    assert factor(kitti, 'metric_outdoor') == pytest.approx(1, rel=5e-3)


def test_a_longer_lens_sees_farther() -> None:
    tele = PinholeCamera(1024, 768, 2 * 886.81, 2 * 886.81, 511.5, 383.5)
    assert factor(tele, 'metric_indoor') == pytest.approx(2, rel=5e-3)
    assert factor(PinholeCamera.from_fov(640, 480, 90), 'metric_indoor') == pytest.approx(
        320 * 518 / 480 / 598.14, rel=5e-3
    )


def test_pixels_are_those_of_the_network() -> None:
    """A network that sees the image at half the size sees things half as large."""
    camera = PinholeCamera.from_fov(1024, 768, 60)
    assert factor(camera, 'metric_indoor', 266) == pytest.approx(266 / 518, rel=1e-2)


def test_oblong_pixels_count_by_their_mean() -> None:
    camera = PinholeCamera(518, 518, 400.0, 900.0, 258.5, 258.5)
    assert focal_factor(camera, (518, 518), 600.0) == pytest.approx(1)
