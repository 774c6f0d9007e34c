"""Scale of a bag's images from another topic of the same bag."""

import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from recordings import (
    CAMERA,
    camera_bag,
    color,
    compressed,
    depth,
    header,
    image,
    stamp,
    write_bag,
)

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.errors import CalibrationError, RecordingError
from mono_depth_ros.core.files.depth_messages import inverse_depth_png, millimeter_png
from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.core.scale.stereo_matching import MatchingSettings
from mono_depth_ros.offline.bag_camera import BagCamera
from mono_depth_ros.offline.bag_writer import camera_info_message
from mono_depth_ros.offline.bags import CAMERA_INFO, typestore
from mono_depth_ros.offline.chosen_camera import ChosenCamera
from mono_depth_ros.offline.estimation import Estimation
from mono_depth_ros.offline.images import ImageFrame, ReadingSettings
from mono_depth_ros.offline.measured_topic import MeasuredTopic
from mono_depth_ros.offline.writers import OutputPlan

READING = ReadingSettings()

DISPARITY = 'stereo_msgs/msg/DisparityImage'
MATCHING = MatchingSettings(num_disparities=16)
BASELINE_M = 0.1
SHIFT_PX = 6


def disparity(i: int, values: np.ndarray) -> tuple[str, int, bytes]:
    """Return a disparity of a camera with `CAMERA.fx` and a baseline of 0.1 m."""
    types = typestore().types
    head = header(stamp(i), 'camera')
    picture = typestore().deserialize_cdr(image(i, values, '32FC1')[2], 'sensor_msgs/msg/Image')
    roi = types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    message = types[DISPARITY](head, picture, CAMERA.fx, BASELINE_M, roi, 0.0, 64.0, 0.125)
    return DISPARITY, stamp(i), bytes(typestore().serialize_cdr(message, DISPARITY))


def frame(i: int, rgb: np.ndarray | None = None) -> ImageFrame:
    return ImageFrame(np.zeros((48, 64, 3), np.uint8) if rgb is None else rgb, stamp(i))


def begun(path: Path, topic: str) -> MeasuredTopic:
    measuring = MeasuredTopic('/cam/image_raw', topic, MATCHING, READING)
    measuring.begin(path)
    return measuring


def test_disparity_and_depth_are_found_by_stamp(tmp_path: Path) -> None:
    path = camera_bag(
        tmp_path / 'bag',
        4,
        **{
            'disparity': [disparity(i, np.full((48, 64), 3.0 + i, 'f4')) for i in (0, 2)],
            'cam/depth': [image(i, depth(i), '32FC1') for i in range(4)],
        },
    )
    by_disparity, by_depth = begun(path, '/disparity'), begun(path, '/cam/depth')
    textured = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for i, inverse_depth in ((0, 3 / 6), (2, 5 / 6)):
        observed = by_disparity.observe(path, frame(i, textured), CAMERA).inverse_depth
        np.testing.assert_allclose(observed.numpy(), inverse_depth, rtol=1e-6)
        guessed = by_disparity.observe(path, frame(i), CAMERA).inverse_depth
        assert bool(guessed.isnan().all())
    assert by_disparity.observe(path, frame(3), CAMERA) is None
    assert by_disparity.doubts().startswith('/disparity has nothing at 1600000000.300000 s: the ')
    observed = by_depth.observe(path, frame(3), CAMERA).inverse_depth
    np.testing.assert_allclose(observed.numpy(), 0.25)


@pytest.mark.parametrize(('encoding', 'rtol'), [('32FC1', 1e-3), ('16UC1', 1e-6)])
def test_compressed_depth_measures_as_raw_depth_does(
    tmp_path: Path, encoding: str, rtol: float
) -> None:
    messages = []
    for i in range(3):
        png, a, b = inverse_depth_png(depth(i))
        if encoding == '16UC1':
            png, a, b = millimeter_png(depth(i)), 0.0, 0.0
        data = struct.pack('<iff', 0, a, b) + png
        messages.append(compressed(i, data, f'{encoding}; compressedDepth png'))
    path = camera_bag(tmp_path / 'bag', 3, **{'cam/depth/compressedDepth': messages})
    measuring = begun(path, '/cam/depth/compressedDepth')
    for i in range(3):
        observed = measuring.observe(path, frame(i), CAMERA).inverse_depth
        np.testing.assert_allclose(observed.numpy(), 1 / depth(i), rtol=rtol)
    measuring = begun(path, '/cam/depth/compressedDepth')
    with pytest.raises(CalibrationError, match='another aspect ratio'):
        measuring.observe(path, frame(0), replace(CAMERA, width=90))


def right_info(offset: float, center_u: float = CAMERA.cx) -> tuple[str, int, bytes]:
    """Return the camera_info of a right camera, with P[3]."""
    raw = camera_info_message(replace(CAMERA, cx=center_u), header(stamp(0), 'camera'))
    message = typestore().deserialize_cdr(raw, CAMERA_INFO)
    message.p = np.where(np.arange(12) == 3, offset, message.p)
    return CAMERA_INFO, stamp(0), bytes(typestore().serialize_cdr(message, CAMERA_INFO))


def pair(path: Path, info: tuple | None) -> Path:
    """Write a pair that sees a wall 6 px apart."""
    noise = np.random.default_rng(1).integers(0, 256, (48, 70, 3)).astype(np.uint8)
    wide = cv2.GaussianBlur(noise, (3, 3), 0)
    topics = {
        '/left/image_rect': [image(0, wide[:, :64], 'rgb8')],
        '/left/camera_info': [right_info(0.0)],
        '/right/image_rect': [image(0, wide[:, SHIFT_PX:], 'rgb8')],
    }
    return write_bag(path, topics | ({'/right/camera_info': [info]} if info else {}))


@pytest.mark.parametrize(('doffs_px', 'inverse_depth'), [(0.0, 1.0), (3.0, 1.5)])
def test_right_images_are_matched_with_their_calibration(
    tmp_path: Path, doffs_px: float, inverse_depth: float
) -> None:
    path = pair(tmp_path / 'bag', right_info(-CAMERA.fx * BASELINE_M, CAMERA.cx + doffs_px))
    source = BagCamera(path, 'bag', READING, '/left/image_rect')
    measuring = MeasuredTopic('/left/image_rect', '/right/image_rect', MATCHING, READING)
    measuring.begin(path)
    (item,) = source.items()
    observed = measuring.observe(path, item.load(), CAMERA).inverse_depth
    assert float(observed.nanmedian()) == pytest.approx(inverse_depth, rel=0.01)


@pytest.mark.parametrize(
    ('info', 'reason'),
    [(None, 'need a camera_info each'), (right_info(0.0), r'has P\[3\] = 0\.0')],
)
def test_a_pair_without_a_baseline_is_refused(
    tmp_path: Path, info: tuple | None, reason: str
) -> None:
    path = pair(tmp_path / 'bag', info)
    with pytest.raises(CalibrationError, match=reason):
        MeasuredTopic('/left/image_rect', '/right/image_rect', MATCHING, READING).begin(path)


def with_distortion(entry: tuple[str, int, bytes]) -> tuple[str, int, bytes]:
    kind, time, raw = entry
    message = typestore().deserialize_cdr(raw, kind)
    message.d = np.array([-0.1, 0.0, 0.0, 0.0, 0.0])
    return kind, time, bytes(typestore().serialize_cdr(message, kind))


@pytest.mark.parametrize('name', ['image_raw', 'image_rect'])
def test_a_rectified_pair_beside_the_camera_info_of_the_raw_one(tmp_path: Path, name: str) -> None:
    topics = {
        '/left/camera_info': [with_distortion(right_info(0.0))],
        f'/left/{name}': [image(0, color(0), 'rgb8')],
        '/right/camera_info': [with_distortion(right_info(-6.0))],
        f'/right/{name}': [image(0, color(0), 'rgb8')],
    }
    path = write_bag(tmp_path / 'ride', topics)
    measured = MeasuredTopic(f'/left/{name}', f'/right/{name}', MATCHING, READING)
    if name == 'image_rect':
        measured.begin(path)
        return
    with pytest.raises(CalibrationError, match=r'/left/image_raw is not rectified: .* rect\.\.\.'):
        measured.begin(path)


def test_a_topic_that_measures_nothing_is_refused(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'bag')
    with pytest.raises(RecordingError, match="'/nothing' is no topic"):
        begun(path, '/nothing')


def test_fits_hold_as_long_as_in_the_node(tiny: Estimator, tmp_path: Path) -> None:
    sparse = [i for i in range(50) if i < 5 or i % 10 == 0]
    calibration = CameraCalibration(
        *(64, 48, ((60.0, 0.0, 31.5), (0.0, 60.0, 23.5), (0.0, 0.0, 1.0)), (), 'plumb_bob'),
        R=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        P=((60.0, 0.0, 31.5, 0.0), (0.0, 60.0, 23.5, 0.0), (0.0, 0.0, 1.0, 0.0)),
    )
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    rgb = cv2.resize(noise, (64, 48), interpolation=cv2.INTER_CUBIC)
    prediction = (
        Pipeline(tiny, PipelineSettings())
        .step(rgb, calibration, Output.RELATIVE_INVERSE_DEPTH)
        .relative_inverse_depth
    )
    assert prediction is not None
    truth = 1 / (4 * prediction - 1.3)
    path = write_bag(
        tmp_path / 'bag',
        {
            '/cam/image_raw': [image(i, rgb, 'rgb8') for i in sparse],
            '/cam/depth': [image(i, truth, '32FC1') for i in range(5)],
        },
    )
    settings = PipelineSettings(fov_deg=60.0)
    settings = replace(settings, alignment=replace(settings.alignment, source='depth'))
    plan = OutputPlan(
        tmp_path / 'out', ('npy',), (), is_metric=True, has_camera=True, settings=settings
    )
    session = Estimation(
        Pipeline(tiny, settings),
        plan,
        ChosenCamera(fov_deg=60.0),
        {'depth': MeasuredTopic('/cam/image_raw', '/cam/depth', MATCHING, READING)},
    )
    summary = session.run([BagCamera(path, 'bag', READING)])
    # Frames 0..4, 10 and 20 are within alignment.max_age (2 s) of frame 4, 30 and 40 are not.
    assert summary.done == 7
    assert len(summary.failures) == 2
    assert all('alignment.max_age' in reason for _, reason in summary.failures)
    for path in (tmp_path / 'out' / 'bag').iterdir():
        known = np.isfinite(found := np.load(path))
        np.testing.assert_allclose(found[known], truth[known], rtol=0.02)
