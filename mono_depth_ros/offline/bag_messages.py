"""Messages of our outputs as rosbags writes them."""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.camera.pinhole import PinholeCamera
from .recorded import typestore

IMAGE = 'sensor_msgs/msg/Image'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
CLOUD = 'sensor_msgs/msg/PointCloud2'

_FLOAT32 = 7


def header(stamp_ns: int, frame_id: str) -> Any:
    """Return a std_msgs/Header."""
    types = typestore().types
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stamp = types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
    return types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)


def image_message(pixels: npt.NDArray[Any], encoding: str, head: Any) -> bytes:
    """Return (H, W[, C]) as a sensor_msgs/Image (CDR)."""
    message = typestore().types[IMAGE](
        header=head,
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(sys.byteorder == 'big'),
        step=pixels[:1].nbytes,
        data=_bytes(pixels),
    )
    return bytes(typestore().serialize_cdr(message, IMAGE))


def camera_info_message(camera: PinholeCamera, head: Any) -> bytes:
    """Return the sensor_msgs/CameraInfo of a rectified image (CDR)."""
    types = typestore().types
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    message = types[CAMERA_INFO](
        header=head,
        height=camera.height,
        width=camera.width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], np.float64),
        r=np.eye(3).ravel(),
        p=np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], np.float64),
        binning_x=0,
        binning_y=0,
        roi=types['sensor_msgs/msg/RegionOfInterest'](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        ),
    )
    return bytes(typestore().serialize_cdr(message, CAMERA_INFO))


def cloud_message(points: npt.NDArray[np.float32], head: Any) -> bytes:
    """Return points (N, 3 or 4) or (H, W, 3 or 4), see `pack_cloud`, as a PointCloud2 (CDR)."""
    types = typestore().types
    names = ('x', 'y', 'z', 'rgb')[: points.shape[-1]]
    height, width = points.shape[:2] if points.ndim == 3 else (1, len(points))
    message = types[CLOUD](
        header=head,
        height=height,
        width=width,
        fields=[
            types['sensor_msgs/msg/PointField'](name, 4 * i, _FLOAT32, 1)
            for i, name in enumerate(names)
        ],
        is_bigendian=sys.byteorder == 'big',
        point_step=4 * len(names),
        row_step=4 * len(names) * width,
        data=_bytes(points),
        is_dense=points.ndim == 2,
    )
    return bytes(typestore().serialize_cdr(message, CLOUD))


def _bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)
