"""Messages read as their consumers read them: by offset, without asking twice."""

import sys
from typing import Any

import numpy as np
from contract import Rules, Seen

DEPTH_TYPES = {'32FC1': np.dtype(np.float32), '16UC1': np.dtype(np.uint16)}
COLOR_CHANNELS = {'rgb8': (0, 1, 2), 'bgr8': (2, 1, 0)}
FLOAT32 = 7  # sensor_msgs/PointField
ORDER = '>' if sys.byteorder == 'big' else '<'


def sibling(topic: str) -> str:
    """Return the camera_info topic of an image (image_transport, getCameraInfoTopic)."""
    return f'{topic.rpartition("/")[0]}/camera_info'


def header_rules(seen: Seen, *messages: Any) -> Rules:
    """Yield what TF and synchronizers ask of headers: the image's own frame and stamp."""
    sent = seen.sent.header
    yield 'frame', all(m.header.frame_id == sent.frame_id != '' for m in messages)
    yield 'stamp', all(m.header.stamp == sent.stamp for m in messages)


def has_all_rows(image: Any) -> bool:
    """Return whether there are `height` rows of `step` bytes, long enough for the pixels."""
    is_long_enough = image.step >= image.width * bytes_per_pixel(image)
    return is_long_enough and len(image.data) == image.height * image.step


def is_unpadded(image: Any) -> bool:
    """Return whether pixels follow each other across rows, for those who never look at `step`."""
    return has_all_rows(image) and image.step == image.width * bytes_per_pixel(image)


def bytes_per_pixel(image: Any) -> int:
    return 3 if image.encoding in COLOR_CHANNELS else DEPTH_TYPES[image.encoding].itemsize


def pixels(image: Any) -> np.ndarray:
    """Return (H, W) depth as it is stored, or (H, W, 3) colors."""
    if image.encoding in COLOR_CHANNELS:
        shape, kind, strides = (image.height, image.width, 3), np.uint8, (image.step, 3, 1)
    else:
        kind = DEPTH_TYPES[image.encoding]
        shape, strides = (image.height, image.width), (image.step, kind.itemsize)
    return np.ndarray(shape, kind, image.data, strides=strides)


def rgb(image: Any) -> np.ndarray:
    """Return (H, W, 3) RGB."""
    return pixels(image)[..., COLOR_CHANNELS[image.encoding]]


def meters(image: Any) -> np.ndarray:
    """Return (H, W) depth [m], NaN where a reader takes the pixel for unknown.

    That is: not finite as 32FC1, 0 as 16UC1 (DepthTraits of depth_image_proc and of RViz).
    """
    stored = pixels(image)
    if image.encoding == '16UC1':
        return np.where(stored == 0, np.nan, stored * 0.001)
    return np.where(np.isfinite(stored), stored, np.nan)


def is_true_depth(image: Any, truth: np.ndarray) -> bool:
    """Return whether depth is right to a millimeter, and known where it is, nowhere else."""
    read = meters(image)
    return read.shape == truth.shape and np.allclose(
        read, truth, rtol=0, atol=6e-4, equal_nan=True
    )


def projected(image: Any, fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    """Return (N, 3) points of the known pixels."""
    z = meters(image)
    v, u = np.mgrid[: image.height, : image.width]
    points = np.stack([(u - cx) * z / fx, (v - cy) * z / fy, z], -1)
    return points[np.isfinite(z)]


def is_true_cloud(points: np.ndarray, truth: np.ndarray) -> bool:
    """Return whether points are right to two millimeters, in the order of the pixels."""
    return points.shape == (len(truth), 3) and np.allclose(points, truth[:, :3], rtol=0, atol=2e-3)


def field(cloud: Any, name: str) -> Any:
    """Return the description of a field of a cloud, None if it has none."""
    return next((f for f in cloud.fields if f.name == name), None)


def column(cloud: Any, name: str, kind: str = 'f4') -> np.ndarray:
    """Return (N,) values of a field, taken for 32 bits of a kind."""
    count = cloud.width * cloud.height
    offset = field(cloud, name).offset
    return np.ndarray((count,), ORDER + kind, cloud.data, offset, strides=(cloud.point_step,))


def xyz(cloud: Any) -> np.ndarray:
    """Return (N, 3) points that are known."""
    points = np.stack([column(cloud, name) for name in 'xyz'], -1)
    return points[np.isfinite(points).all(1)]


def has_whole_points(cloud: Any) -> bool:
    """Return whether the data are `width * height` points, one after the other."""
    return len(cloud.data) == cloud.width * cloud.height * cloud.point_step
