"""Depth, disparity and calibration by the fields of messages, whichever library made them."""

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError, ImageError
from mono_depth_ros.core.files.camera_info import calibration_from_info
from mono_depth_ros.core.files.color_messages import ColorDecoder
from mono_depth_ros.core.files.depth_messages import (
    compressed_to_depth,
    image_to_depth,
)
from mono_depth_ros.core.scale.depth_source import depth_message_measurement
from mono_depth_ros.core.scale.disparity_source import disparity_message_measurement

METERS = np.array([[1.5, np.nan, 0.25]], np.float32)
CAMERA = PinholeCamera(3, 1, 2.0, 2.0, 1.0, 0.0)


def image(data: bytes, encoding: str, step: int, big: bool = False) -> SimpleNamespace:
    return SimpleNamespace(
        height=1, width=3, encoding=encoding, step=step, is_bigendian=big, data=data
    )


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('padding', [0, 1, 5])
def test_meters_and_millimeters(order: str, padding: int) -> None:
    big = order == '>'
    floats = METERS.astype(f'{order}f4').tobytes() + bytes(padding)
    np.testing.assert_array_equal(
        image_to_depth(image(floats, '32FC1', 12 + padding, big)), METERS
    )
    counts = np.array([1500, 0, 250]).astype(f'{order}u2').tobytes() + bytes(padding)
    millimeters = image(counts, '16UC1', 6 + padding, big)
    np.testing.assert_array_equal(image_to_depth(millimeters), METERS)


def test_a_buffer_of_numpy_will_do() -> None:
    data = np.frombuffer(METERS.tobytes(), np.uint8)
    np.testing.assert_array_equal(image_to_depth(image(data, '32FC1', 12)), METERS)
    rgb = ColorDecoder().rgb(image(np.arange(9, dtype=np.uint8), 'bgr8', 9))
    assert rgb.tolist() == [[[2, 1, 0], [5, 4, 3], [8, 7, 6]]]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ImageError, match='3x1 px has step 8 and 12 bytes'):
        image_to_depth(image(METERS.tobytes(), '32FC1', 8))
    with pytest.raises(ImageError, match="encoding 'rgb8'; it must be one of 32FC1, 16UC1"):
        image_to_depth(image(bytes(9), 'rgb8', 9))
    with pytest.raises(ImageError, match="encoding '32FC1' is none of rgb8"):
        ColorDecoder().rgb(image(METERS.tobytes(), '32FC1', 12))


def packed(samples: np.ndarray, text: str, a: float = 0.0, b: float = 0.0) -> SimpleNamespace:
    png = cv2.imencode('.png', samples.astype(np.uint16))[1].tobytes()
    return SimpleNamespace(format=text, data=struct.pack('<iff', 0, a, b) + png)


def test_compressed_depth() -> None:
    counts = packed(np.array([[1500, 0, 250]]), '16UC1; compressedDepth png')
    np.testing.assert_array_equal(compressed_to_depth(counts), METERS)
    # q = a / z + b
    quantized = packed(np.array([[1000 / 1.5 + 10, 0, 4010]]), '32FC1; compressedDepth', 1000, 10)
    np.testing.assert_allclose(compressed_to_depth(quantized), METERS, rtol=2e-3)


def test_compressed_depth_of_another_kind_is_refused() -> None:
    with pytest.raises(ImageError, match='depth is read as PNG'):
        compressed_to_depth(SimpleNamespace(format='16UC1; compressedDepth rvl', data=bytes(99)))
    for data in (b'', bytes(12), bytes(99)):
        with pytest.raises(ImageError, match=r'is empty|no picture|no 16-bit'):
            compressed_to_depth(SimpleNamespace(format='16UC1; compressedDepth', data=data))


def disparity(f: float = 2.0, t: float = 0.1) -> SimpleNamespace:
    values = np.array([[1.0, 2.0, np.nan]], np.float32)
    return SimpleNamespace(
        image=image(values.tobytes(), '32FC1', 12), f=f, t=t, min_disparity=0.0, max_disparity=9.0
    )


def test_observations() -> None:
    depth = image(METERS.tobytes(), '32FC1', 12)
    observed = depth_message_measurement(depth, CAMERA).inverse_depth.numpy()
    np.testing.assert_allclose(observed, 1 / METERS)
    observed = disparity_message_measurement(disparity(), CAMERA).inverse_depth.numpy()
    np.testing.assert_allclose(observed, [[5.0, 10.0, np.nan]])
    with pytest.raises(CalibrationError, match=r't = -0\.1 m; it must be positive'):
        disparity_message_measurement(disparity(t=-0.1), CAMERA)
    with pytest.raises(CalibrationError, match='another field of view'):
        disparity_message_measurement(disparity(f=4.0), CAMERA)


def test_a_calibration_of_plain_lists() -> None:
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    info = SimpleNamespace(
        width=640,
        height=480,
        distortion_model='plumb_bob',
        d=[],
        k=[500, 0, 320, 0, 500, 240, 0, 0, 1],
        r=[0] * 9,
        p=[0] * 12,
        binning_x=2,
        binning_y=2,
        roi=roi,
    )
    calibration = calibration_from_info(info)
    assert calibration is not None
    assert calibration.rectified_camera() == PinholeCamera(320, 240, 250, 250, 159.75, 119.75)
    info.k = [0] * 9
    assert calibration_from_info(info) is None
