"""Bags and pictures: which topics are taken, what is true of them, and how they are played."""

import array
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from mono_depth_ros.cli.demo.bag import Bag
from mono_depth_ros.cli.demo.collector import Estimate
from mono_depth_ros.cli.demo.domain import claimed_domain
from mono_depth_ros.cli.demo.recording import open_recording
from mono_depth_ros.cli.demo.session import Session, ros_environment
from mono_depth_ros.cli.demo.source import played
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.ros.camera_info_messages import camera_to_info
from mono_depth_ros.ros.image_messages import depth_to_image, rgb_to_image

CAMERA = PinholeCamera(64, 48, 60.0, 60.0, 31.5, 23.5)
FRAMES = 3
STEP_NS = 100_000_000
BOUND_S = 60.0


def header(i: int, frame_id: str = 'camera', offset_ns: int = 0) -> Header:
    moment = 1_600_000_000_000_000_000 + i * STEP_NS + offset_ns
    stamp = Time(sec=moment // 1_000_000_000, nanosec=moment % 1_000_000_000)
    return Header(stamp=stamp, frame_id=frame_id)


def color(i: int) -> np.ndarray:
    return np.full((48, 64, 3), (10 * i, 20, 30), np.uint8)


def depth(i: int) -> np.ndarray:
    return np.full((48, 64), 1.0 + i, np.float32)


def write_bag(path: Path, topics: dict[str, list]) -> Path:
    """Write messages as a rosbag2 folder."""
    store = get_typestore(Stores.ROS2_JAZZY)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, messages in topics.items():
            kind = f'sensor_msgs/msg/{type(messages[0]).__name__}'
            connection = writer.add_connection(topic, kind, typestore=store)
            for message in messages:
                stamp = message.header.stamp
                moment = stamp.sec * 1_000_000_000 + stamp.nanosec
                writer.write(connection, moment, serialize_message(message))
    return path


@pytest.fixture(scope='module')
def rgbd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag of two eyes and a depth camera, the first topics being the wrong ones."""
    times = range(FRAMES)
    return write_bag(
        tmp_path_factory.mktemp('bags') / 'rgbd',
        {
            '/right/image_raw': [rgb_to_image(color(9), header(i)) for i in times],
            '/right/camera_info': [camera_to_info(CAMERA, header(i)) for i in times],
            '/bare/image': [rgb_to_image(color(8), header(i)) for i in times],
            '/left/image_raw': [rgb_to_image(color(i), header(i)) for i in times],
            '/left/camera_info': [camera_to_info(CAMERA, header(0))],
            '/depth/image_rect': [
                depth_to_image(depth(i), header(i, 'depth', 9_000_000), '16UC1') for i in times
            ],
            '/depth/camera_info': [camera_to_info(CAMERA, header(i, 'depth')) for i in times],
        },
    )


def estimate(i: int) -> Estimate:
    stamp = header(i).stamp
    moment = stamp.sec * 1_000_000_000 + stamp.nanosec
    return Estimate(moment, CAMERA, depth(0), depth(0))


def test_the_calibrated_left_color_camera_is_taken(rgbd: Path) -> None:
    bag = Bag.open(rgbd)
    assert (bag.topic, bag.count, bag.frame_id) == ('/left/image_raw', FRAMES, 'camera')
    assert bag.info.k[0] == CAMERA.fx
    assert bag.depth.topic == '/depth/image_rect'
    assert bag.size() == (48, 64)


def test_one_file_of_a_bag_will_do(rgbd: Path) -> None:
    (file,) = rgbd.glob('*.mcap')
    assert Bag.open(file).topic == '/left/image_raw'


def test_depth_is_found_by_stamp_and_given_in_meters(rgbd: Path) -> None:
    source = played(open_recording(rgbd), frames=60)
    assert (source.frames, source.answers) == (FRAMES, 10)
    truths = source.truth([estimate(2), estimate(0)])
    assert [np.unique(truth).tolist() for truth in truths] == [[3.0], [1.0]]
    assert any('taken to be at one place' in note for note in source.notes)


def test_depth_of_another_moment_is_no_truth(rgbd: Path) -> None:
    source = played(open_recording(rgbd), frames=60)
    assert source.truth([estimate(7)]) == [None]


def test_distortion_is_rectified_unless_the_topic_says_it_was(tmp_path: Path) -> None:
    info = camera_to_info(CAMERA, header(0))
    info.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    for topic, rectify in (('image_raw', True), ('image_rect', None)):
        messages = {f'/c/{topic}': [rgb_to_image(color(0), header(0))], '/c/camera_info': [info]}
        source = played(open_recording(write_bag(tmp_path / topic, messages)), frames=1)
        assert source.parameters.get('rectify') is rectify


def test_compressed_images_are_passed_on_as_they_are(tmp_path: Path) -> None:
    jpeg = cv2.imencode('.jpg', color(3))[1].tobytes()
    message = CompressedImage(header=header(0), format='jpeg', data=array.array('B', jpeg))
    bag = write_bag(tmp_path / 'bag', {'/c/image_raw/compressed': [message]})
    source = played(open_recording(bag), frames=1)
    assert source.is_compressed
    assert source.parameters['image_transport'] == 'compressed'
    assert any('field of view of 60 deg is assumed' in note for note in source.notes)


def test_large_pictures_are_reduced_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / 'large.png'
    cv2.imwrite(str(path), np.zeros((900, 1600, 3), np.uint8))
    source = played(open_recording(path), frames=60)
    assert source.parameters == {'fov_deg': 60.0, 'output_scale': 0.4}
    assert source.frames == 1
    assert any('1600x900' in note for note in source.notes)
    assert source.truth([estimate(0)]) == [None]


def test_what_cannot_be_played_is_named(tmp_path: Path) -> None:
    (tmp_path / 'text.jpg').write_text('no picture')
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0\n')
    (tmp_path / 'cut.mcap').write_bytes(b'\x89MCAP0\r\n')
    infos = {'/c/camera_info': [camera_to_info(CAMERA, header(0))]}
    write_bag(tmp_path / 'blind', infos)
    for name, reason in (
        ('nothing', 'does not exist'),
        ('text.jpg', 'neither a bag nor a picture'),
        ('old.bag', 'rosbags-convert --src'),
        ('cut.mcap', 'cannot be read as a rosbag2'),
        ('blind', 'no images at all'),
    ):
        with pytest.raises(MonoDepthError, match=reason) as error:
            open_recording(tmp_path / name)
        assert str(tmp_path / name) in str(error.value)


def test_frames_are_played_over_and_over_with_their_own_stamps(
    rgbd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = played(open_recording(rgbd), frames=2)
    arguments = [argument if argument != '5.0' else '30' for argument in source.arguments]
    images: list[Image] = []
    infos: list[CameraInfo] = []
    with claimed_domain() as domain, Session(tmp_path, ros_environment(domain)) as session:
        for name, value in ros_environment(domain).items():
            monkeypatch.setenv(name, value)
        context = Context()
        rclpy.init(context=context, domain_id=domain)
        node = rclpy.create_node('listener', context=context)
        node.create_subscription(Image, '/recording/image_raw', images.append, 10)
        node.create_subscription(CameraInfo, '/recording/camera_info', infos.append, 10)
        other = node.create_subscription(Image, '/recording/image_raw', lambda _: None, 10)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        session.start('replay', source.module, arguments)
        deadline = time.monotonic() + BOUND_S
        while len(images) < 5 or len(infos) < 5:
            assert time.monotonic() < deadline
            executor.spin_once(timeout_sec=0.2)
            session.check()
        node.destroy_subscription(other)
        assert session.stop() == {'replay': 0}
        executor.shutdown()
        context.try_shutdown()
    expected = [header(i % 2).stamp for i in range(5)]
    assert [image.header.stamp for image in images[:5]] == expected
    assert [info.header.stamp for info in infos[:5]] == expected
    assert bytes(images[1].data) == color(1).tobytes()
    assert infos[0].k[0] == CAMERA.fx
