"""Fields of outgoing messages, whatever class takes them."""

import sys

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.files.message_writers import (
    camera_info_fields,
    cloud_fields,
    image_fields,
    unpack_color,
)
from mono_depth_ros.core.outputs.cloud import pack_color


def test_an_image_of_any_strides() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)[:, ::2]
    fields = image_fields(pixels, 'rgb8')
    assert (fields['height'], fields['width'], fields['step']) == (2, 2, 6)
    assert fields['encoding'] == 'rgb8'
    assert fields['data'].tolist() == pixels.ravel().tolist()
    depth = image_fields(np.full((2, 3), 1.5, np.float32), '32FC1')
    assert depth['step'] == 12
    assert depth['data'].view(np.float32).tolist() == [1.5] * 6
    assert depth['is_bigendian'] == int(sys.byteorder == 'big')


def test_the_camera_of_a_rectified_image() -> None:
    fields = camera_info_fields(PinholeCamera(64, 48, 60.0, 61.0, 31.5, 23.5))
    assert (fields['width'], fields['height']) == (64, 48)
    assert fields['k'].tolist() == [60, 0, 31.5, 0, 61, 23.5, 0, 0, 1]
    assert fields['p'].tolist() == [60, 0, 31.5, 0, 0, 61, 23.5, 0, 0, 0, 1, 0]
    assert not fields['d'].any()


@pytest.mark.parametrize(('shape', 'size'), [((5, 4), (1, 5)), ((2, 3, 3), (2, 3))])
def test_clouds(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    points = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    fields = cloud_fields(points, is_dense=True)
    assert (fields['height'], fields['width']) == size
    assert [field['name'] for field in fields['fields']] == ['x', 'y', 'z', 'rgb'][: shape[-1]]
    assert [field['offset'] for field in fields['fields']] == [0, 4, 8, 12][: shape[-1]]
    assert fields['point_step'] == 4 * shape[-1]
    assert len(fields['data']) == fields['row_step'] * fields['height']


@pytest.mark.parametrize(
    'points', [np.zeros((5, 2), np.float32), np.zeros((5, 3)), np.zeros(3, np.float32)]
)
def test_what_is_no_cloud_is_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match='points are'):
        cloud_fields(points, is_dense=True)


def test_the_bits_are_red_green_blue() -> None:
    packed = np.array([0x00C81E0A, 0x00FF0000], np.uint32).view(np.float32)
    assert unpack_color(packed).tolist() == [[200, 30, 10], [255, 0, 0]]


def test_packing_and_unpacking_agree_in_any_shape() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)
    packed = pack_color(torch.from_numpy(rgb)).numpy()
    np.testing.assert_array_equal(unpack_color(packed), rgb)
    np.testing.assert_array_equal(unpack_color(np.stack((packed, packed))[1]), rgb)
