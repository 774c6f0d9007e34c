"""Colors in a float32."""

import numpy as np
import torch

from mono_depth_ros.core.files.packed_color import unpack_color
from mono_depth_ros.core.outputs.cloud import pack_color


def test_the_bits_are_red_green_blue() -> None:
    packed = np.array([0x00C81E0A, 0x00FF0000], np.uint32).view(np.float32)
    assert unpack_color(packed).tolist() == [[200, 30, 10], [255, 0, 0]]


def test_packing_and_unpacking_agree_in_any_shape() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)
    packed = pack_color(torch.from_numpy(rgb)).numpy()
    np.testing.assert_array_equal(unpack_color(packed), rgb)
    np.testing.assert_array_equal(unpack_color(np.stack((packed, packed))[1]), rgb)
