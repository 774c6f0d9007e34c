"""A cloud of a sensor beside the camera gives the running node its meters."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from harness import (
    FRAME_ID,
    Graph,
    Mailbox,
    Running,
    camera,
    header,
    image,
    info_for,
    scene,
    wait_until,
)
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

from mono_depth_ros.core.scale.sensor_pose import IDENTITY, parse_pose
from mono_depth_ros.ros.messages import cloud_to_message

SCALE, SHIFT = 0.4, 0.1
HEIGHT, WIDTH = scene().shape[:2]
# A LiDAR 0.2 m above the camera and 0.1 m behind it, x forward, y left, z up.
POSE = '0 -0.2 -0.1 0.5 -0.5 0.5 0.5'
TOLERANCE_S = 0.02
_moments = itertools.count(100, 10)


PARAMETERS = {
    'alignment.source': 'points',
    'alignment.sensor_pose': POSE,
    'alignment.max_residual': 0.5,
    'edge_filter.enabled': False,
}


@pytest.fixture(autouse=True)
def fresh(node: Running) -> Iterator[None]:
    yield
    defaults = {'alignment__stamp_tolerance': TOLERANCE_S, 'alignment__sensor_pose': POSE}
    assert node.set(**defaults) == ''


def cloud(relative: np.ndarray, head: Header) -> PointCloud2:
    """Return every third pixel of a world in which SCALE and SHIFT hold, in the sensor's frame."""
    depth = 1 / (SCALE * relative.astype(np.float64) + SHIFT)
    x, y = camera(HEIGHT, WIDTH).rays().numpy()
    points = np.stack((x * depth, y * depth, depth), axis=-1)[::3, ::3].reshape(-1, 3)
    pose = parse_pose(POSE)
    of_sensor = (points - pose.position) @ pose.rotation
    return cloud_to_message(of_sensor.astype(np.float32), head, is_dense=True)


def show(node: Running, depths: Mailbox, stamp: Time, has_info: bool = True) -> np.ndarray:
    """Send an image and return the depth it gets."""
    msg = image(scene(), Header(stamp=stamp, frame_id=FRAME_ID))
    if has_info:
        node.send(info_for(msg, camera(HEIGHT, WIDTH)), msg)
    else:
        node.send(msg)
    got = depths.of(msg)
    return np.frombuffer(got.data, np.float32).reshape(got.height, got.width)


def measure(node: Running, depths: Mailbox, fits: Mailbox, message: PointCloud2) -> dict[str, str]:
    """Send a cloud, and an image after it that has it fitted; return what became of it."""
    node.settle()
    node.publisher('lidar_points', PointCloud2).publish(message)
    wait_until(lambda: node.node.shared.has_measurement, 'the cloud there')
    show(node, depths, Time(sec=message.header.stamp.sec, nanosec=500_000_000))
    status = fits.of(message).status[0]
    return {'message': status.message} | {pair.key: pair.value for pair in status.values}


def test_a_cloud_makes_depth_metric(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    stamp = Time(sec=next(_moments))
    assert np.isnan(show(node, depths, stamp)).all()
    fit = measure(node, depths, fits, cloud(relative, header(stamp, 'lidar')))
    assert fit['message'] == 'aligned'
    assert float(fit['scale']) == pytest.approx(SCALE, rel=0.02)
    depth = show(node, depths, Time(sec=stamp.sec + 1))
    known = np.isfinite(depth)
    assert known.mean() > 0.9
    np.testing.assert_allclose(depth[known], 1 / (SCALE * relative + SHIFT)[known], rtol=0.02)
    assert node.lines('measurements are in frame') == []


def test_a_cloud_between_two_images_belongs_to_the_nearest_within_the_tolerance(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    second = next(_moments)
    message = cloud(relative, header(Time(sec=second, nanosec=30_000_000), 'lidar'))
    show(node, depths, Time(sec=second))
    said = measure(node, depths, fits, message)['message']
    assert 'within alignment.stamp_tolerance, 0.02 s' in said
    assert 'set the tolerance to half the time between two images' in said
    assert node.set(alignment__stamp_tolerance=0.05) == ''
    second = next(_moments)
    show(node, depths, Time(sec=second))
    message.header.stamp.sec = second
    node.settle()
    node.publisher('lidar_points', PointCloud2).publish(message)
    wait_until(lambda: node.node.shared.has_measurement, 'the cloud there')
    show(node, depths, Time(sec=second, nanosec=500_000_000))
    assert fits.of(message).status[0].message == 'aligned'


def test_a_cloud_in_another_frame_without_a_pose_is_warned_of(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    assert node.set(alignment__sensor_pose=IDENTITY) == ''
    stamp = Time(sec=next(_moments))
    show(node, depths, stamp)
    measure(node, depths, fits, cloud(relative, header(stamp, 'lidar')))
    node.logged(f"set it to the pose of 'lidar' in '{FRAME_ID}'")


def test_a_pose_that_is_none_is_refused(node: Running) -> None:
    assert 'the quaternion is 0' in node.set(alignment__sensor_pose='0 0 0 0 0 0 0')
    assert 'give seven numbers' in node.set(alignment__sensor_pose='0 0 0')


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'fields': [PointField(name='x', datatype=7)]}, 'a cloud has x; x, y and z are needed'),
        ({'point_step': 8}, 'point_step 8, '),
        ({'width': 2**32 - 1}, 'of 4294967295x1 points'),
        ({'width': 0, 'data': b''}, 'none of 0 points has an echo'),
    ],
)
def test_a_bad_cloud_is_refused_by_its_value(
    node: Running,
    depths: Mailbox,
    fits: Mailbox,
    relative: np.ndarray,
    changes: dict[str, object],
    reason: str,
) -> None:
    stamp = Time(sec=next(_moments))
    show(node, depths, stamp)
    message = cloud(relative, header(stamp, 'lidar'))
    for name, value in changes.items():
        setattr(message, name, value)
    assert reason in measure(node, depths, fits, message)['message']


def test_points_without_a_camera_are_refused(
    graph: Graph, weights: Path, relative: np.ndarray
) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'alignment.source': 'points',
    }
    node = graph.start(parameters).until('active')
    depths, fits = (
        node.listen('~/depth/image_rect', Image),
        node.listen('~/alignment', DiagnosticArray),
    )
    stamp = Time(sec=50)
    show(node, depths, stamp, has_info=False)
    message = cloud(relative, header(stamp))
    node.publisher('lidar_points', PointCloud2).publish(message)
    wait_until(lambda: node.node.shared.has_measurement, 'the cloud there')
    show(node, depths, Time(sec=50, nanosec=500_000_000), has_info=False)
    said = fits.of(message).status[0].message
    assert 'the camera that sees them is unknown; publish camera_info, or set fov_deg' in said
    node.close()
