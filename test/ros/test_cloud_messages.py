"""Clouds through messages, read back as RViz and PCL do: by field name, offset and step."""

import sys

import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from mono_depth_ros.ros.messages import cloud_to_message


def colors(count: int) -> np.ndarray:
    """Return 0x00RRGGBB, among them bits that make a signaling NaN of a float."""
    bits = np.random.default_rng(3).integers(0, 1 << 24, count, np.uint32)
    bits[0], bits[-1] = 0x00FFFFFF, 0x000000FF
    return bits


def packed(*shape: int) -> np.ndarray:
    count = int(np.prod(shape))
    points = np.random.default_rng(1).normal(size=(count, 4)).astype(np.float32)
    points[:, 3] = colors(count).view(np.float32)
    points[count // 2, :3] = np.nan
    return points.reshape(*shape, 4)


def read_back(msg: PointCloud2) -> np.ndarray:
    """Return the points as a structured (height, width) array, by the message's own account."""
    assert all((field.datatype, field.count) == (PointField.FLOAT32, 1) for field in msg.fields)
    order = '>' if msg.is_bigendian else '<'
    layout = {
        'names': [field.name for field in msg.fields],
        'formats': [f'{order}f4'] * len(msg.fields),
        'offsets': [field.offset for field in msg.fields],
        'itemsize': msg.point_step,
    }
    assert len(msg.data) == msg.row_step * msg.height
    strides = (msg.row_step, msg.point_step)
    return np.ndarray((msg.height, msg.width), np.dtype(layout), msg.data, strides=strides)


@pytest.mark.parametrize('shape', [(7,), (1,), (5, 3), (1, 4)])
def test_colored_cloud(shape: tuple[int, ...]) -> None:
    points = packed(*shape)
    header = Header(frame_id='optical')
    msg = cloud_to_message(points, header, is_dense=False)
    height, width = shape if len(shape) == 2 else (1, shape[0])
    assert (msg.height, msg.width, msg.header) == (height, width, header)
    assert (msg.point_step, msg.row_step, msg.is_dense) == (16, 16 * width, False)
    assert msg.is_bigendian == (sys.byteorder == 'big')
    cloud = read_back(msg)
    assert cloud.dtype.names == ('x', 'y', 'z', 'rgb')
    wanted = points.reshape(height, width, 4)
    for i, name in enumerate('xyz'):
        np.testing.assert_array_equal(cloud[name], wanted[..., i])
    bits = np.ascontiguousarray(cloud['rgb']).view(np.uint32)
    np.testing.assert_array_equal(bits.ravel(), colors(height * width))


def test_cloud_without_color() -> None:
    points = packed(6, 5)[..., :3]
    msg = cloud_to_message(points, Header(), is_dense=True)
    assert (msg.point_step, msg.row_step, len(msg.data), msg.is_dense) == (12, 60, 360, True)
    cloud = read_back(msg)
    assert cloud.dtype.names == ('x', 'y', 'z')
    for i, name in enumerate('xyz'):
        np.testing.assert_array_equal(cloud[name], points[..., i])


@pytest.mark.parametrize('columns', [3, 4])
def test_empty_cloud(columns: int) -> None:
    msg = cloud_to_message(np.zeros((0, columns), np.float32), Header(), is_dense=True)
    assert (msg.height, msg.width, msg.row_step, len(msg.data)) == (1, 0, 0, 0)
    assert len(msg.fields) == columns


@pytest.mark.parametrize(
    'points',
    [
        np.zeros((4, 2), np.float32),
        np.zeros((4, 6), np.float32),
        np.zeros(4, np.float32),
        np.zeros((2, 2, 2, 4), np.float32),
        np.zeros((4, 4), np.float64),
    ],
)
def test_other_arrays_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r'points are float\d\d \(.*\); float32 \(N, 3 to 5\)'):
        cloud_to_message(points, Header(), is_dense=True)


def test_sensor_msgs_py_reads_our_cloud() -> None:
    pytest.importorskip(
        'sensor_msgs_py', reason='needs sensor_msgs_py, which a ROS distribution brings'
    )
    from sensor_msgs_py.point_cloud2 import read_points

    points = packed(5, 3)
    cloud = read_points(cloud_to_message(points, Header(), is_dense=False))
    assert cloud.dtype.names == ('x', 'y', 'z', 'rgb')
    flat = points.reshape(-1, 4)
    for i, name in enumerate('xyz'):
        np.testing.assert_array_equal(cloud[name].ravel(), flat[:, i])
    bits = np.ascontiguousarray(cloud['rgb']).view(np.uint32)
    np.testing.assert_array_equal(bits.ravel(), colors(15))
