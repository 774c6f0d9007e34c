"""Points of PointCloud2 messages: any types and offsets; messages that contradict themselves."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mono_depth_ros.core.errors import PointsError
from mono_depth_ros.core.files.message_writers import cloud_fields
from mono_depth_ros.core.files.point_messages import cloud_to_points

DATATYPES = {'i1': 1, 'u1': 2, 'i2': 3, 'u2': 4, 'i4': 5, 'u4': 6, 'f4': 7, 'f8': 8}


def cloud(
    values: np.ndarray,
    kinds: str = 'f4 f4 f4',
    offsets: tuple[int, int, int] = (0, 4, 8),
    step: int = 12,
    row_padding: int = 0,
    big: bool = False,
) -> SimpleNamespace:
    """Return a cloud of values (H, W, 3)."""
    height, width = values.shape[:2]
    row_step = width * step + row_padding
    data, fields = np.full(height * row_step, 0xAB, np.uint8), []
    for i, (kind, offset) in enumerate(zip(kinds.split(), offsets, strict=True)):
        dtype = np.dtype(('>' if big else '<') + kind)
        np.ndarray((height, width), dtype, data, offset, (row_step, step))[:] = values[..., i]
        fields.append(SimpleNamespace(name='xyz'[i], offset=offset, datatype=DATATYPES[kind]))
    return SimpleNamespace(
        width=width,
        height=height,
        fields=fields,
        is_bigendian=big,
        point_step=step,
        row_step=row_step,
        data=data.tobytes(),
    )


def grid(height: int = 1, width: int = 7) -> np.ndarray:
    """Return (H, W, 3) numbers that every type can hold."""
    return np.arange(1.0, 1 + 3 * height * width).reshape(height, width, 3) % 100


@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('kind', DATATYPES)
def test_every_type_in_both_byte_orders(kind: str, big: bool) -> None:
    values, size = grid(3, 5), np.dtype(kind).itemsize
    # At offsets that no machine aligns, in an order of their own.
    msg = cloud(values, f'{kind} {kind} {kind}', (2 * size + 1, 1, size + 1), 3 * size + 4, 5, big)
    np.testing.assert_array_equal(cloud_to_points(msg), values.reshape(-1, 3))


def test_coordinates_of_different_types() -> None:
    values = grid(2, 4)
    msg = cloud(values, 'f8 i2 f4', (0, 8, 12), 20)
    np.testing.assert_array_equal(cloud_to_points(msg), values.reshape(-1, 3))


@pytest.mark.parametrize('hole', [np.nan, np.inf, -np.inf])
def test_points_that_are_not_finite_are_dropped(hole: float) -> None:
    values = grid(2, 3)
    values[0, 1, 2] = values[1, 2, 0] = hole
    expected = values.reshape(-1, 3)[[0, 2, 3, 4]]
    np.testing.assert_array_equal(cloud_to_points(cloud(values)), expected)


@pytest.mark.parametrize('shape', [(5, 3), (4, 6, 3), (4, 6, 4)])
def test_our_own_clouds(shape: tuple[int, ...]) -> None:
    points = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    fields: Any = cloud_fields(points, is_dense=True)
    fields['fields'] = [SimpleNamespace(**field) for field in fields['fields']]
    got = cloud_to_points(SimpleNamespace(**fields))
    np.testing.assert_array_equal(got, points.reshape(-1, shape[-1])[:, :3])


@pytest.mark.parametrize(('width', 'height'), [(0, 0), (0, 1), (2**32 - 1, 0)])
def test_a_cloud_without_points(width: int, height: int) -> None:
    msg = cloud(grid())
    msg.width, msg.height, msg.data = width, height, b''
    assert cloud_to_points(msg).shape == (0, 3)


def test_the_row_step_of_a_single_row_does_not_matter() -> None:
    msg = cloud(grid())
    msg.row_step = 0
    np.testing.assert_array_equal(cloud_to_points(msg), grid()[0])


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'width': -1}, '-1x2 points .* cannot be negative'),
        ({'height': -3}, '4x-3 points .* cannot be negative'),
        ({'point_step': 11}, 'point_step 11, .* coordinates end at byte 12'),
        ({'point_step': 0}, 'point_step 0, .* coordinates end at byte 12'),
        ({'point_step': -12}, 'point_step -12, '),
        ({'row_step': 47}, 'row_step 47; a row of points has 48 bytes'),
        ({'row_step': -48}, 'row_step -48; '),
        ({'width': 5, 'row_step': 60}, 'and 96 bytes; these are 120 bytes'),
        ({'height': 3}, 'and 96 bytes; these are 144 bytes'),
        ({'width': 2**32 - 1, 'row_step': 2**36}, '4294967295x2 points .* and 96 bytes'),
        ({'height': 2**32 - 1}, '4x4294967295 points .* and 96 bytes'),
        ({'point_step': 2**32 - 1, 'row_step': 2**40}, 'and 96 bytes'),
        ({'data': b''}, 'and 0 bytes; these are 96 bytes'),
        ({'fields': []}, 'a cloud has no fields; x, y and z are needed'),
    ],
)
def test_a_cloud_that_contradicts_itself(changes: dict[str, Any], reason: str) -> None:
    msg = cloud(grid(2, 4))
    vars(msg).update(changes)
    with pytest.raises(PointsError, match=reason):
        cloud_to_points(msg)


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'name': 'range'}, 'a cloud has x, y, range; x, y and z are needed'),
        ({'datatype': 0}, 'field z of a cloud has datatype 0'),
        ({'datatype': 9}, 'field z of a cloud has datatype 9'),
        ({'datatype': 8}, 'coordinates end at byte 16 of a point'),
        ({'offset': -4}, 'field z of a cloud has offset -4'),
        ({'offset': 2**32 - 1}, 'coordinates end at byte 4294967299 of a point'),
    ],
)
def test_a_field_that_is_none(changes: dict[str, Any], reason: str) -> None:
    msg = cloud(grid(2, 4))
    vars(msg.fields[2]).update(changes)
    with pytest.raises(PointsError, match=reason):
        cloud_to_points(msg)


def test_sensor_msgs_py_reads_the_same() -> None:
    point_cloud2 = pytest.importorskip('sensor_msgs_py.point_cloud2')
    from sensor_msgs.msg import PointCloud2, PointField

    values = grid(2, 4)
    values[1, 1] = np.nan
    ours = cloud(values, 'f8 i2 f4', (0, 8, 12), 20)
    fields = [PointField(**vars(field), count=1) for field in ours.fields]
    msg = PointCloud2(**(vars(ours) | {'fields': fields}))
    theirs = point_cloud2.read_points(msg, ('x', 'y', 'z'), skip_nans=True)
    expected = np.stack([theirs[name].astype(float) for name in 'xyz'], axis=1)
    np.testing.assert_array_equal(cloud_to_points(msg), expected)
