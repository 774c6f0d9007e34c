"""What nodes demand that turn depth images into clouds and scans.

Sources: ros-perception/image_pipeline, rolling at 30b982a; ros-perception/vision_opencv, rolling
at 8b42d66; ros-perception/depthimage_to_laserscan, ros2 at 79b60bf.
"""

import numpy as np
from breaking import later, paint, put, put_number, rename, truncate
from contract import Contract, Input, Rules, Seen, reliable, system_default
from reading import (
    COLOR_CHANNELS,
    DEPTH_TYPES,
    has_all_rows,
    header_rules,
    is_true_cloud,
    is_true_depth,
    meters,
    pixels,
    projected,
    rgb,
    sibling,
)
from sensor_msgs.msg import CameraInfo, Image

LENSES = ('plumb_bob', 'rational_polynomial', 'equidistant')
SCAN_HEIGHT, RANGE_MIN, RANGE_MAX = 1, 0.45, 10.0


def image_geometry_p(info: CameraInfo) -> tuple[float, float, float, float]:
    """Return fx, fy, cx, cy as PinholeCameraModel::fromCameraInfo makes them of P."""
    p, roi = info.p, info.roi
    columns, rows = max(1, info.binning_x), max(1, info.binning_y)
    return (
        p[0] / columns,
        p[5] / rows,
        (p[2] - roi.x_offset) / columns,
        (p[6] - roi.y_offset) / rows,
    )


def xyz(seen: Seen) -> Rules:
    """Yield what depth_image_proc's PointCloudXyzNode asks for.

    point_cloud_xyz.cpp: constructor (camera_info beside the image; `CameraSubscriber` takes
    pairs of one stamp), `depthCb` (encodings). conversions.hpp, `convertDepth`: rows by `step`,
    P alone, unknown by DepthTraits.
    """
    depth, info = seen.depth, seen.info
    yield 'camera_info beside it', seen.topics.info == sibling(seen.topics.depth)
    yield from header_rules(seen, depth, info)
    yield 'depth encoding', depth.encoding in DEPTH_TYPES
    yield 'whole rows', has_all_rows(depth)
    yield 'unknown pixels', is_true_depth(depth, seen.truth.depth)
    yield 'rectified', not any(info.d) and np.array_equal(info.r, np.eye(3).ravel())
    points = projected(depth, *image_geometry_p(info))
    yield 'P, binning and region', is_true_cloud(points, seen.truth.points)


def xyzrgb(seen: Seen) -> Rules:
    """Yield what depth_image_proc's PointCloudXyzrgbNode asks for.

    point_cloud_xyzrgb.cpp: constructor (camera_info beside the *colors*; reliable), `imageCb`
    (another size is an error, encodings), and `convertDepth`, `convertRgb` of conversions.
    """
    depth, color, info = seen.depth, seen.color, seen.info
    yield 'camera_info beside the colors', seen.topics.info == sibling(seen.topics.color)
    yield from header_rules(seen, depth, color, info)
    yield 'size of colors', (color.width, color.height) == (depth.width, depth.height)
    yield 'depth encoding', depth.encoding in DEPTH_TYPES
    yield 'color encoding', color.encoding in COLOR_CHANNELS
    yield 'whole rows', has_all_rows(depth) and has_all_rows(color)
    yield 'unknown pixels', is_true_depth(depth, seen.truth.depth)
    points = projected(depth, *image_geometry_p(info))
    yield 'P, binning and region', is_true_cloud(points, seen.truth.points)
    yield 'colors of the pixels', np.array_equal(rgb(color), seen.truth.color)


def laserscan(seen: Seen) -> Rules:
    """Yield what depthimage_to_laserscan asks for.

    DepthImageToLaserScanROS.cpp: constructor (system default QoS). DepthImageToLaserScan.cpp,
    `convert_msg`: a lens that `rectifyPoint` knows, room for `scan_height` rows around cy,
    encodings; `use_point`: an infinite range beats an unknown one.
    """
    depth, info = seen.depth, seen.info
    yield from header_rules(seen, depth, info)
    yield 'lens', info.distortion_model in LENSES
    _, _, _, cy = image_geometry_p(info)
    yield 'rows around cy', min(cy, depth.height - cy) >= SCAN_HEIGHT / 2
    yield 'depth encoding', depth.encoding in DEPTH_TYPES
    yield 'whole rows', has_all_rows(depth)
    yield 'unknown pixels', is_true_depth(depth, seen.truth.depth)
    yield 'ranges', np.allclose(ranges(depth, info), true_ranges(seen), atol=2e-3, equal_nan=True)


def ranges(depth: Image, info: CameraInfo) -> np.ndarray:
    """Return (W,) what each column of the middle row adds to the scan [m], NaN for nothing."""
    fx, _, cx, cy = image_geometry_p(info)
    stored = pixels(depth)[int(cy)]
    return np.where(np.isinf(stored), stored, within_limits(meters(depth)[int(cy)], fx, cx))


def true_ranges(seen: Seen) -> np.ndarray:
    camera = seen.truth.camera
    return within_limits(seen.truth.depth[int(camera.cy)], camera.fx, camera.cx)


def within_limits(z: np.ndarray, fx: float, cx: float) -> np.ndarray:
    x = (np.arange(len(z)) - cx) * z / fx
    found = np.hypot(x, z)
    return np.where((found >= RANGE_MIN) & (found <= RANGE_MAX), found, np.nan)


HEADERS = {'frame': put('depth', header__frame_id=''), 'stamp': later('info')}
DEPTH = {
    'depth encoding': put('depth', encoding='64FC1'),
    'whole rows': truncate('depth'),
    'unknown pixels': paint('depth', 1),
}

CONTRACTS = [
    Contract(
        'depth_image_proc xyz',
        {
            'depth': Input('~/depth/image_rect', Image, system_default()),
            'info': Input('~/depth/camera_info', CameraInfo, system_default()),
        },
        xyz,
        {
            'camera_info beside it': rename('info', '/left/camera_info'),
            **HEADERS,
            **DEPTH,
            'rectified': put('info', d=[0.1, 0.0, 0.0, 0.0, 0.0]),
            'P, binning and region': put('info', binning_x=2),
        },
    ),
    Contract(
        'depth_image_proc xyzrgb',
        {
            'depth': Input('~/depth/image_rect', Image, reliable()),
            'color': Input('~/color/image_rect', Image, reliable()),
            'info': Input('~/color/camera_info', CameraInfo, reliable()),
        },
        xyzrgb,
        {
            'camera_info beside the colors': rename('info', '/left/camera_info'),
            **HEADERS,
            'size of colors': put('color', height=8),
            'depth encoding': DEPTH['depth encoding'],
            'color encoding': put('color', encoding='64FC1'),
            'whole rows': truncate('color'),
            'unknown pixels': DEPTH['unknown pixels'],
            'P, binning and region': put('info', roi__x_offset=1),
            'colors of the pixels': put('color', encoding='bgr8'),
        },
    ),
    Contract(
        'depthimage_to_laserscan',
        {
            'depth': Input('~/depth/image_rect', Image, system_default()),
            'info': Input('~/depth/camera_info', CameraInfo, system_default()),
        },
        laserscan,
        {
            **HEADERS,
            'lens': put('info', distortion_model=''),
            'rows around cy': put_number('info', 'p', 6, -3.0),
            **DEPTH,
            'ranges': put_number('info', 'p', 0, 20.0),
        },
    ),
]
