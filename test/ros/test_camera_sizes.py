"""Cameras that crop, bin or scale: the outputs' camera_info and points follow the image."""

from pathlib import Path

import numpy as np
import pytest
from harness import Graph, Mailbox, Running, camera, image, info_for, picture
from sensor_msgs.msg import CameraInfo


@pytest.fixture(scope='module')
def node(graph: Graph, weights: Path) -> Running:
    """A node that gives every pixel of whatever it sees a point."""
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    form = {'edge_filter.enabled': False, 'cloud.organized': True, 'cloud.color': False}
    return graph.start({**parameters, **form, 'max_depth': 10000.0}).until('active')


def roi(info: CameraInfo, u: int, v: int, width: int, height: int) -> None:
    info.roi.x_offset, info.roi.y_offset = u, v
    info.roi.width, info.roi.height = width, height


def crop_odd(info: CameraInfo) -> None:
    roi(info, 7, 5, 33, 25)


def crop_odd_then_bin(info: CameraInfo) -> None:
    roi(info, 7, 5, 33, 25)
    info.binning_x = info.binning_y = 2


def bin_unevenly(info: CameraInfo) -> None:
    info.binning_x, info.binning_y = 2, 3


# The whole image is 64x48 px with f = 80, 84 and c = 35, 22.
@pytest.mark.parametrize(
    ('size', 'change', 'expected'),
    [
        ((33, 25), crop_odd, (80, 84, 28, 17)),
        # Pixels 7 and 8 make pixel 0, whose center is 7.5; the 33rd pixel is lost.
        ((16, 12), crop_odd_then_bin, (40, 42, 13.75, 8.25)),
        ((32, 16), bin_unevenly, (40, 28, 17.25, 7)),
        # Of another resolution: f' = s f, c' = s (c + 1/2) - 1/2.
        ((32, 24), lambda info: None, (40, 42, 17.25, 10.75)),
        ((128, 96), lambda info: None, (160, 168, 70.5, 44.5)),
    ],
)
def test_camera_follows_the_image(
    node: Running,
    infos: Mailbox,
    clouds: Mailbox,
    size: tuple[int, int],
    change: object,
    expected: tuple[float, ...],
) -> None:
    width, height = size
    sent = image(picture(height, width))
    info = info_for(sent, camera())
    change(info)
    node.send(info, sent)
    out, cloud = infos.of(sent), clouds.of(sent)
    assert (out.width, out.height, cloud.width, cloud.height) == (*size, *size)
    assert (out.roi.width, out.roi.x_offset, out.binning_x, out.binning_y) == (0, 0, 0, 0)
    fx, fy, cx, cy = expected
    np.testing.assert_allclose(out.k, [fx, 0, cx, 0, fy, cy, 0, 0, 1], rtol=1e-6)
    np.testing.assert_allclose(out.p, [fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], rtol=1e-6)
    points = np.frombuffer(cloud.data, '<f4').reshape(height, width, 3)
    v, u = np.nonzero(np.isfinite(points[..., 2]))
    assert len(v) > 0.3 * width * height
    x, y, z = points[v, u].T
    np.testing.assert_allclose(x / z, (u - cx) / fx, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y / z, (v - cy) / fy, rtol=1e-4, atol=1e-6)


def test_another_aspect_is_refused_with_both_sizes(node: Running, clouds: Mailbox) -> None:
    sent, good = image(picture(36, 64)), image()
    node.send(info_for(sent, camera()), sent)
    node.logged('calibration is for 64x48 px and the image has 64x36 px, another aspect ratio')
    node.send(info_for(good), good)
    clouds.of(good)
    assert not clouds.has(sent)
