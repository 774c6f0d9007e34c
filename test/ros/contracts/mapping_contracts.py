"""What mappers demand that fuse depth and colors.

Sources: NVIDIA-ISAAC-ROS/isaac_ros_nvblox, v4.3-0 at 319438a; introlab/rtabmap_ros, ros2 at
aec4f91; ros-perception/vision_opencv, rolling at 8b42d66.
"""

import sys

import numpy as np
from breaking import later, pad, paint, put, put_number, truncate
from contract import Contract, Input, Rules, Seen, system_default
from reading import (
    COLOR_CHANNELS,
    DEPTH_TYPES,
    has_all_rows,
    header_rules,
    is_true_cloud,
    is_true_depth,
    is_unpadded,
    projected,
    rgb,
)
from sensor_msgs.msg import CameraInfo, Image


def nvblox(seen: Seen) -> Rules:
    """Yield what nvblox asks for.

    nvblox_node.cpp, `subscribeToTopics`: depth and colors each with a camera_info of exactly
    the same stamp. image_conversions.cpp: `cameraFromMessage` (K, not P; no distortion),
    `depthImageFromRosMessageAsync`, `colorImageFromImageMessageAsync` (encodings, no `step`).
    """
    depth, color, info = seen.depth, seen.color, seen.info
    yield from header_rules(seen, depth, color, info)
    yield 'depth encoding', depth.encoding in DEPTH_TYPES
    yield 'color encoding', color.encoding == 'rgb8'
    yield 'no padding', is_unpadded(depth) and is_unpadded(color)
    yield 'size of camera_info', (info.width, info.height) == (depth.width, depth.height)
    yield 'unknown pixels', is_true_depth(depth, seen.truth.depth)
    yield 'rectified', not any(info.d)
    fx, _, cx, _, fy, cy, *_ = info.k
    yield 'K', is_true_cloud(projected(depth, fx, fy, cx, cy), seen.truth.points)


def rtabmap(seen: Seen) -> Rules:
    """Yield what rtabmap asks for, with depth and colors subscribed.

    CommonDataSubscriber.cpp and CommonDataSubscriberDepth.cpp: QoS, and one stamp for all where
    `approx_sync` is false. MsgConversion.cpp: `convertRGBDMsgs` (encodings, sizes),
    `cameraModelFromROS`. cv_bridge.cpp: `matFromImage` (rows, byte order).
    """
    depth, color, info = seen.depth, seen.color, seen.info
    yield from header_rules(seen, depth, color, info)
    yield 'depth encoding', depth.encoding in DEPTH_TYPES
    yield 'color encoding', color.encoding in COLOR_CHANNELS
    yield 'ratio of sizes', color.width // depth.width == color.height // depth.height > 0
    yield 'size of camera_info', (info.width, info.height) == (color.width, color.height)
    yield 'whole rows', has_all_rows(depth) and has_all_rows(color)
    yield 'byte order', bool(depth.is_bigendian) == (sys.byteorder == 'big')
    yield 'unknown pixels', is_true_depth(depth, seen.truth.depth)
    p = info.p
    yield 'P', is_true_cloud(projected(depth, p[0], p[5], p[2], p[6]), seen.truth.points)
    yield 'colors of the pixels', np.array_equal(rgb(color), seen.truth.color)


def inputs() -> dict[str, Input]:
    return {
        'depth': Input('~/depth/image_rect', Image, system_default()),
        'color': Input('~/color/image_rect', Image, system_default()),
        'info': Input('~/depth/camera_info', CameraInfo, system_default()),
    }


SHARED = {
    'frame': put('depth', header__frame_id=''),
    'stamp': later('info'),
    'depth encoding': put('depth', encoding='64FC1'),
    'color encoding': put('color', encoding='64FC1'),
}

CONTRACTS = [
    Contract(
        'nvblox',
        inputs(),
        nvblox,
        {
            **SHARED,
            'no padding': pad('depth'),
            'size of camera_info': put('info', width=8),
            'unknown pixels': paint('depth', 1),
            'rectified': put('info', d=[0.1, 0.0, 0.0, 0.0, 0.0]),
            'K': put_number('info', 'k', 2, 0.0),
        },
    ),
    Contract(
        'rtabmap',
        inputs(),
        rtabmap,
        {
            **SHARED,
            'ratio of sizes': put('color', width=8),
            'size of camera_info': put('info', width=8),
            'whole rows': truncate('depth'),
            'byte order': put('depth', is_bigendian=1),
            'unknown pixels': paint('depth', 1),
            'P': put_number('info', 'p', 2, 0.0),
            'colors of the pixels': put('color', encoding='bgr8'),
        },
    ),
]
