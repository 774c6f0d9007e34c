"""A recording goes to `mono_depth estimate`: which camera, and how many images of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from std_msgs.msg import Header

from mono_depth_ros.cli.demo.demonstration import chosen_images
from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.ros.messages import rgb_to_image

RGB = np.zeros((20, 30, 3), np.uint8)


def write_bag(path: Path, topics: dict[str, int]) -> Path:
    """Write so many images to each topic of a rosbag2 folder."""
    store = get_typestore(Stores.ROS2_JAZZY)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, count in topics.items():
            connection = writer.add_connection(topic, 'sensor_msgs/msg/Image', typestore=store)
            for i in range(count):
                message = serialize_message(rgb_to_image(RGB, Header()))
                writer.write(connection, i + 1, message)
    return path


def test_images_of_the_left_color_camera_are_spread_evenly(tmp_path: Path) -> None:
    topics = {'/infra1/image': 3, '/right/image_raw': 3, '/left/image_raw': 25}
    bag = write_bag(tmp_path / 'bag', topics)
    flags = chosen_images(bag, tmp_path / 'out', 60)
    assert flags == ['--topic=/left/image_raw', '--shard=1/3', '--max-size=640']
    assert '--shard=1/5' in chosen_images(bag, tmp_path / 'out', 5)
    (file,) = bag.glob('*.mcap')
    assert chosen_images(file, tmp_path / 'out', 60) == flags


@pytest.mark.parametrize(
    ('topics', 'chosen'),
    [
        ({'/infra1/image': 2, '/infra2/image': 2}, '/infra1/image'),
        ({'/left/image_raw': 0, '/right/image_raw': 2}, '/right/image_raw'),
    ],
)
def test_without_a_color_camera_another_that_has_images_is_taken(
    tmp_path: Path, topics: dict[str, int], chosen: str
) -> None:
    flags = chosen_images(write_bag(tmp_path / 'bag', topics), tmp_path / 'out', 60)
    assert flags[0] == f'--topic={chosen}'


def test_a_picture_is_one_image(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'picture.png'), RGB)
    flags = chosen_images(tmp_path / 'picture.png', tmp_path / 'out', 60)
    assert flags[:2] == ['--topic=', '--shard=1/1']


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0\n')
    (tmp_path / 'cut.mcap').write_bytes(b'\x89MCAP0\r\n')
    write_bag(tmp_path / 'blind', {'/image': 0})
    for name, reason in (
        ('nothing', 'does not exist'),
        ('old.bag', 'rosbags-convert --src'),
        ('cut.mcap', 'damaged or no bag'),
        ('blind', 'has no topic of color'),
    ):
        with pytest.raises(MonoDepthError, match=reason) as error:
            chosen_images(tmp_path / name, tmp_path / 'out', 60)
        assert str(tmp_path / name) in str(error.value)
