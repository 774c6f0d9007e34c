"""Messages and parameters that are nearly right, or not at all."""

from typing import Any

import cv2
import hypothesis.strategies as st
import numpy as np
from builtin_interfaces.msg import Time
from frames import FRAME_ID, message_bytes, picture
from sensor_msgs.msg import (
    CameraInfo,
    CompressedImage,
    Image,
    LaserScan,
    PointCloud2,
    PointField,
    Range,
    RegionOfInterest,
)
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.core.files.encodings import ENCODINGS
from mono_depth_ros.core.settings import parameter_table
from mono_depth_ros.ros.node_settings import NodeSettings

WORDS = st.integers(0, 2**32 - 1)
TEXT = st.text(st.characters(codec='utf-8', exclude_characters='\0'), max_size=20)
FLOATS = st.floats(width=64)
SINGLES = st.floats(width=32)
STAMPS = st.builds(Time, sec=st.integers(-(2**31), 2**31 - 1), nanosec=WORDS)
HEADERS = st.builds(Header, stamp=STAMPS, frame_id=st.sampled_from([FRAME_ID, '']) | TEXT)
SIZES = st.sampled_from([64, 48]) | st.integers(0, 90) | WORDS
MODELS = st.sampled_from(['plumb_bob', 'rational_polynomial', 'equidistant', '']) | TEXT
NAMES = sorted(row.name for row in parameter_table(NodeSettings()))


def noise(size: int) -> Any:
    """Return so many bytes as message data."""
    return message_bytes(np.random.default_rng(size).integers(0, 256, size, np.uint8))


@st.composite
def _images(draw: Any, encodings: Any, headers: Any) -> Image:
    encoding = draw(encodings)
    width, height = draw(SIZES), draw(SIZES)
    known = ENCODINGS.get(encoding, ENCODINGS['rgb8'])
    step = draw(st.just(min(known.row_bytes(width), 2**32 - 1)) | st.integers(0, 400) | WORDS)
    whole = min(step * height, 100_000)
    size = draw(st.just(whole) | st.integers(0, whole + 10))
    image = Image(header=draw(headers), encoding=encoding, is_bigendian=draw(st.integers(0, 255)))
    image.width, image.height, image.step, image.data = width, height, step, noise(size)
    return image


IMAGES = _images(st.sampled_from([*ENCODINGS, '16UC1', '32FC1']) | TEXT, HEADERS)


@st.composite
def _spoilt(draw: Any, wholes: list[bytes]) -> bytes:
    """Return a file with bytes changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8) | st.integers(0, len(data)))
        data[at : at + length] = draw(st.binary(max_size=12))
    return bytes(data)


spoilt = _spoilt


def _pictures() -> list[bytes]:
    files = [b'']
    for suffix in ('.jpg', '.png', '.tiff', '.webp', '.bmp'):
        files.append(cv2.imencode(suffix, picture())[1].tobytes())
    return files


@st.composite
def _compressed(draw: Any) -> CompressedImage:
    usual = st.sampled_from(['jpeg', 'rgb8; jpeg compressed bgr8', 'bayer_rggb8; png compressed'])
    image = CompressedImage(header=draw(HEADERS), format=draw(usual | TEXT))
    image.data = message_bytes(np.frombuffer(draw(spoilt(_pictures())), np.uint8))
    return image


COMPRESSED = _compressed()


def _numbers(count: int) -> Any:
    usual = st.sampled_from([0.0, 1.0, 80.0, 31.5, -1.0])
    return st.lists(usual | FLOATS, min_size=count, max_size=count)


@st.composite
def _infos(draw: Any) -> CameraInfo:
    info = CameraInfo(header=draw(HEADERS), distortion_model=draw(MODELS))
    info.width, info.height = draw(SIZES), draw(SIZES)
    info.k, info.r, info.p = draw(_numbers(9)), draw(_numbers(9)), draw(_numbers(12))
    info.d = draw(st.lists(FLOATS, max_size=16))
    info.binning_x, info.binning_y = draw(st.integers(0, 4) | WORDS), draw(st.integers(0, 4))
    roi = {name: draw(SIZES) for name in ('x_offset', 'y_offset', 'width', 'height')}
    info.roi = RegionOfInterest(do_rectify=draw(st.booleans()), **roi)
    return info


INFOS = _infos()


@st.composite
def _disparities(draw: Any, stamp: Any) -> DisparityImage:
    header = Header(stamp=draw(st.just(stamp) | STAMPS), frame_id=FRAME_ID)
    image = draw(_images(st.sampled_from(['32FC1', '16UC1', 'rgb8', '']), st.just(header)))
    message = DisparityImage(header=header, image=image)
    message.f, message.t = draw(SINGLES), draw(SINGLES)
    message.min_disparity, message.max_disparity = draw(SINGLES), draw(SINGLES)
    message.delta_d = draw(SINGLES)
    return message


disparities = _disparities


@st.composite
def _scans(draw: Any, stamp: Any) -> LaserScan:
    header = Header(stamp=draw(st.just(stamp) | STAMPS), frame_id=draw(TEXT))
    scan = LaserScan(header=header, ranges=draw(st.lists(SINGLES, max_size=40)))
    scan.angle_min, scan.angle_increment = draw(SINGLES), draw(st.just(0.02) | SINGLES)
    scan.time_increment, scan.scan_time = draw(st.just(0.0) | SINGLES), draw(SINGLES)
    scan.range_min, scan.range_max = draw(st.just(0.1) | SINGLES), draw(st.just(9.0) | SINGLES)
    return scan


scans = _scans


@st.composite
def _clouds(draw: Any, stamp: Any) -> PointCloud2:
    header = Header(stamp=draw(st.just(stamp) | STAMPS), frame_id=draw(TEXT))
    cloud = PointCloud2(header=header, is_bigendian=draw(st.booleans()))
    cloud.width, cloud.height = draw(SIZES), draw(st.just(1) | SIZES)
    cloud.point_step, cloud.row_step = draw(st.just(12) | WORDS), draw(SIZES | WORDS)
    for i, name in enumerate(draw(st.permutations(['x', 'y', 'z']))):
        offset, datatype = draw(st.just(4 * i) | WORDS), draw(st.just(7) | st.integers(0, 255))
        cloud.fields.append(PointField(name=name, offset=offset, datatype=datatype, count=1))
    cloud.data = noise(draw(st.integers(0, 2000)))
    return cloud


clouds = _clouds


@st.composite
def _ranges(draw: Any, stamp: Any) -> Range:
    header = Header(stamp=draw(st.just(stamp) | STAMPS), frame_id=draw(TEXT))
    found = Range(header=header, radiation_type=draw(st.integers(0, 255)))
    found.field_of_view = draw(st.just(0.3) | SINGLES)
    found.min_range, found.max_range = draw(st.just(0.1) | SINGLES), draw(st.just(9.0) | SINGLES)
    found.range = draw(SINGLES)
    return found


ranges = _ranges

VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | FLOATS
    | st.sampled_from(['', '~', '~nouser/x', '/dev/zero', '/', '..', 'x' * 5000, 'a\0b', 'none'])
    | TEXT
    | st.lists(FLOATS, max_size=3)
    | st.lists(st.booleans(), max_size=3)
    | st.binary(max_size=3).map(list)
)
