"""Bags without ROS: which topics are what, what is in them, and what damage says."""

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
    depths,
    image,
    info,
    stamp,
    write_bag,
)
from rosbags.rosbag2 import StoragePlugin

from mono_depth_ros.core.errors import ImageError, RecordingError
from mono_depth_ros.core.files.color_messages import ColorDecoder
from mono_depth_ros.offline.bags import Bag
from mono_depth_ros.offline.input_files import is_bag

STORAGES = [StoragePlugin.MCAP, StoragePlugin.SQLITE3]


@pytest.mark.parametrize('storage', STORAGES)
def test_pictures_depth_and_calibration_are_found(tmp_path: Path, storage: StoragePlugin) -> None:
    path = camera_bag(
        tmp_path / 'bag',
        3,
        storage,
        **{
            'depth/image_rect': [image(i, depth(i), '32FC1') for i in range(3)],
            'empty/chatter': [('std_msgs/msg/String', stamp(0), b'\0\1\0\0\1\0\0\0\0')],
        },
    )
    for opened in (path, next(file for file in path.iterdir() if file.suffix != '.yaml')):
        bag = Bag(opened)
        assert bag.find_topic('picture') == '/cam/image_raw'
        assert bag.find_topic('depth') == '/depth/image_rect'
        assert bag.info_topic('/cam/image_raw') == '/cam/camera_info'
        calibration = bag.calibration('/cam/image_raw')
        assert calibration is not None
        assert calibration.rectified_camera() == CAMERA
        assert bag.calibration('/depth/image_rect') is None
        pictures = list(bag.messages('/cam/image_raw'))
        assert [recorded.stamp_ns for recorded in pictures] == [stamp(i) for i in range(3)]
        assert [recorded.logged_ns for recorded in pictures] == [stamp(i) for i in range(3)]
        np.testing.assert_array_equal(ColorDecoder().rgb(pictures[2].message()), color(2))
        found = depths(bag, '/depth/image_rect')
        assert [moment for moment, _ in found] == [stamp(i) for i in range(3)]
        np.testing.assert_array_equal(found[1][1], depth(1))
        assert len(list(bag.messages())) == 10
        assert bag.topics['/empty/chatter'].holds == ''


def test_compressed_pictures_and_depth(tmp_path: Path) -> None:
    png = cv2.imencode('.png', color(1)[..., ::-1])[1].tobytes()
    millimeters = cv2.imencode('.png', (1000 * depth(1)).astype(np.uint16))[1].tobytes()
    path = write_bag(
        tmp_path / 'bag',
        {
            '/cam/image_raw/compressed': [compressed(0, png, 'rgb8; png compressed bgr8')],
            '/cam/camera_info': [info(0)],
            '/cam/depth/compressedDepth': [
                compressed(0, bytes(12) + millimeters, '16UC1; compressedDepth png')
            ],
        },
    )
    bag = Bag(path)
    assert bag.find_topic('picture') == '/cam/image_raw/compressed'
    assert bag.info_topic(bag.find_topic('picture')) == '/cam/camera_info'
    picture = next(bag.messages(bag.find_topic('picture')))
    np.testing.assert_array_equal(ColorDecoder().rgb(picture.message()), color(1))
    ((_, meters),) = depths(bag, bag.find_topic('depth'))
    np.testing.assert_array_equal(meters, depth(1))


def test_several_topics_are_named_and_one_can_be_chosen(tmp_path: Path) -> None:
    eyes = {f'/{eye}/image_rect': [image(0, color(0), 'rgb8')] for eye in ('left', 'right')}
    bag = Bag(write_bag(tmp_path / 'bag', eyes))
    message = r'several topics of color .* choose one of: /left/image_rect .*/right/image_rect'
    with pytest.raises(RecordingError, match=message):
        bag.find_topic('picture')
    assert bag.find_topic('picture', '/right/image_rect') == '/right/image_rect'
    with pytest.raises(RecordingError, match=r"'/middle' is no .*/left/image_rect"):
        bag.find_topic('picture', '/middle')


def test_the_raw_twin_of_a_compressed_topic_is_taken(tmp_path: Path) -> None:
    png = cv2.imencode('.png', color(0))[1].tobytes()
    path = camera_bag(
        tmp_path / 'bag', 1, **{'cam/image_raw/compressed': [compressed(0, png, 'png')]}
    )
    assert Bag(path).find_topic('picture') == '/cam/image_raw'


def test_a_bag_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    bag = Bag(write_bag(tmp_path / 'bag', {'/cam/camera_info': [info(0)]}))
    with pytest.raises(RecordingError, match=r'no topic of color .*: /cam/camera_info'):
        bag.find_topic('picture')
    with pytest.raises(RecordingError, match=r'no topic of depth'):
        bag.find_topic('depth')


def test_a_calibration_of_nonsense_is_passed_over(tmp_path: Path) -> None:
    broken = bytearray(info(0)[2])
    # NaN in K[0]: the 17th double from the end of header, sizes and the name of the model.
    place = broken.find(np.float64(CAMERA.fx).tobytes())
    broken[place : place + 8] = np.float64(np.nan).tobytes()
    good = info(1)
    path = write_bag(
        tmp_path / 'bag',
        {
            '/cam/camera_info': [(good[0], stamp(0), bytes(broken)), good],
            '/cam/image_raw': [image(0, color(0), 'rgb8')],
        },
    )
    calibration = Bag(path).calibration('/cam/image_raw')
    assert calibration is not None
    assert calibration.rectified_camera() == CAMERA


def test_a_damaged_message_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    kind, moment, raw = image(1, color(1), 'rgb8')
    path = write_bag(
        tmp_path / 'bag',
        {'/cam/image_raw': [image(0, color(0), 'rgb8'), (kind, moment, raw[:200])]},
    )
    first, second = Bag(path).messages('/cam/image_raw')
    assert ColorDecoder().rgb(first.message()).shape == (48, 64, 3)
    assert second.stamp_ns == stamp(1)
    with pytest.raises(RecordingError, match=r'/cam/image_raw \(200 bytes\) is damaged'):
        second.message()


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    whole = next(camera_bag(tmp_path / 'bag').glob('*.mcap')).read_bytes()
    (tmp_path / 'cut.mcap').write_bytes(whole[: len(whole) // 2])
    (tmp_path / 'zero.mcap').touch()
    (tmp_path / 'zero.db3').touch()
    (tmp_path / 'text.db3').write_text('no bag')
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0\n')
    (tmp_path / 'unfinished').mkdir()
    (tmp_path / 'unfinished' / 'x.mcap').write_bytes(whole)
    for name, reason in (
        ('cut.mcap', 'breaks off before its first message'),
        ('zero.mcap', 'empty'),
        ('zero.db3', 'is damaged or no bag of ROS 2'),
        ('text.db3', 'is damaged or no bag of ROS 2'),
        ('old.bag', 'rosbags-convert --src'),
        ('unfinished', 'ros2 bag reindex'),
        ('missing.mcap', 'does not exist'),
    ):
        with pytest.raises(RecordingError, match=reason) as error:
            Bag(tmp_path / name)
        assert str(tmp_path / name) in str(error.value)


def test_a_bag_that_breaks_off_yields_what_came_before(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'bag', 3, StoragePlugin.SQLITE3)
    (file,) = path.glob('*.db3')
    whole = file.read_bytes()
    # Pages in the middle hold pictures; the tables at the start stay.
    file.write_bytes(whole[:12000] + bytes(8192) + whole[20192:])
    pictures = []
    with pytest.raises((RecordingError, ImageError), match='damaged'):
        pictures.extend(
            ColorDecoder().rgb(r.message()) for r in Bag(path).messages('/cam/image_raw')
        )
    assert len(pictures) < 3


def test_bags_are_told_from_outside(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'bag')
    assert is_bag(path)
    assert is_bag(path / 'bag.mcap')
    assert not is_bag(tmp_path)
    assert not is_bag(tmp_path / 'picture.png')


def test_real_bags(shared_dir: Path) -> None:
    bags = shared_dir / 'data' / 'bags'
    bag = Bag(bags / 'realsense')
    assert bag.find_topic('picture') == '/camera/color/image_raw'
    ((_, meters),) = depths(bag, bag.find_topic('depth'))
    assert meters.shape == (480, 640)
    assert 0.3 < np.nanmedian(meters) < 10
    with pytest.raises(RecordingError, match='/stereo/right/image_rect_color'):
        Bag(bags / 'motorcycle_stereo').find_topic('picture')
