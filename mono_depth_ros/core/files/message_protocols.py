"""Fields that are read from messages of any library (rclpy, rosbags)."""

from typing import Any, Protocol


class ImageFields(Protocol):
    """sensor_msgs/Image; `data` is a buffer of bytes."""

    width: int
    height: int
    encoding: str
    is_bigendian: Any
    step: int
    data: Any


class CompressedImageFields(Protocol):
    """sensor_msgs/CompressedImage; `data` is a buffer of bytes."""

    format: str
    data: Any


class CameraInfoFields(Protocol):
    """sensor_msgs/CameraInfo; the matrices are sequences of numbers, row by row."""

    header: Any
    width: int
    height: int
    distortion_model: str
    d: Any
    k: Any
    r: Any
    p: Any
    binning_x: int
    binning_y: int
    roi: Any


class DisparityFields(Protocol):
    """stereo_msgs/DisparityImage."""

    image: Any
    f: float
    t: float
    min_disparity: float
    max_disparity: float


class PointCloudFields(Protocol):
    """sensor_msgs/PointCloud2; `fields` have a name, offset and datatype, `data` is a buffer."""

    width: int
    height: int
    fields: Any
    is_bigendian: Any
    point_step: int
    row_step: int
    data: Any


class LaserScanFields(Protocol):
    """sensor_msgs/LaserScan; `ranges` is a sequence of numbers [m], angles are in rad."""

    angle_min: float
    angle_increment: float
    time_increment: float
    range_min: float
    range_max: float
    ranges: Any


class RangeFields(Protocol):
    """sensor_msgs/Range; `field_of_view` is in rad, the rest in m."""

    field_of_view: float
    min_range: float
    max_range: float
    range: float
