"""PointCloud2 messages of the packed points that `core` makes."""

import sys

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from .message_buffers import message_bytes

_XYZ = ('x', 'y', 'z')
_XYZRGB = (*_XYZ, 'rgb')


def cloud_to_message(
    points: npt.NDArray[np.float32], header: Header, *, is_dense: bool
) -> PointCloud2:
    """Return points as a cloud of float32 x y z [m] or x y z rgb.

    Args:
        points: (N, C) or, for an organized cloud, (H, W, C) float32. C = 3 holds x y z; C = 4
            also the color as the bits 0x00RRGGBB, as PCL and RViz read it.
        header: Copied verbatim.
        is_dense: Whether no point is NaN.

    Raises:
        ValueError: The array has another shape or type.
    """
    names = {3: _XYZ, 4: _XYZRGB}.get(points.shape[-1]) if points.ndim in (2, 3) else None
    if names is None or points.dtype != np.float32:
        raise ValueError(
            f'points are {points.dtype} {points.shape}; float32 (N, 3 or 4) or (H, W, 3 or 4)'
        )
    msg = PointCloud2(header=header, is_dense=is_dense, is_bigendian=sys.byteorder == 'big')
    msg.height, msg.width = points.shape[:2] if points.ndim == 3 else (1, points.shape[0])
    msg.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(names)
    ]
    msg.point_step = 4 * len(names)
    msg.row_step = msg.point_step * msg.width
    msg.data = message_bytes(points)
    return msg
