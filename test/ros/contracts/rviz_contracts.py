"""What RViz's displays demand; sources in ros2/rviz, rolling at f7112b1."""

import re

import numpy as np
from breaking import pad, paint, put, put_field, put_number, rename, truncate
from contract import Contract, Input, Rules, Seen, reliable, sensor_data
from reading import (
    COLOR_CHANNELS,
    DEPTH_TYPES,
    FLOAT32,
    column,
    field,
    has_whole_points,
    header_rules,
    is_true_cloud,
    is_true_depth,
    is_unpadded,
    pixels,
    projected,
    sibling,
    xyz,
)
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField


def depth_cloud(seen: Seen) -> Rules:
    """Yield what the display DepthCloud asks for, colored.

    depth_cloud_display.cpp: its constructor (topic filters), `subscribe` (camera_info of
    `getCameraInfoTopic`). depth_cloud_mld.cpp: `initializeConversion` (sizes, P),
    `generatePointCloudFromDepth`, `convertColor` (encodings), `generatePointCloudSL` (pixels
    read on without `step`; unknown by DepthTraits).
    """
    depth, color, info = seen.depth, seen.color, seen.info
    yield 'depth in its name', 'depth' in seen.topics.depth.lower()
    yield 'color in its name', bool(re.search('color|rgb|bgr|gray|mono', seen.topics.color))
    yield 'camera_info beside it', seen.topics.info == sibling(seen.topics.depth)
    yield from header_rules(seen, depth, color)
    columns = (info.roi.width or info.width) // max(1, info.binning_x)
    rows = (info.roi.height or info.height) // max(1, info.binning_y)
    yield 'size of camera_info', (columns, rows) == (depth.width, depth.height)
    yield 'size of colors', (color.width, color.height) == (depth.width, depth.height)
    yield 'depth encoding', depth.encoding in DEPTH_TYPES
    yield 'color encoding', color.encoding in COLOR_CHANNELS
    yield 'no padding', is_unpadded(depth) and is_unpadded(color)
    yield 'unknown pixels', is_true_depth(depth, seen.truth.depth)
    p, x, y = info.p, info.roi.x_offset, info.roi.y_offset
    points = projected(depth, p[0], p[5], p[2] - x, p[6] - y)
    yield 'P and region', is_true_cloud(points, seen.truth.points)


def point_cloud(seen: Seen) -> Rules:
    """Yield what the display PointCloud2 asks for, in the colors of the points.

    point_cloud2_display.cpp: `hasXYZChannels`, `cloudDataMatchesDimensions`; `supports` of
    xyz_pc_transformer.cpp and rgb8_pc_transformer.cpp, and what its `transform` reads.
    """
    cloud = seen.cloud
    yield from header_rules(seen, cloud)
    yield 'x y z', all(field(cloud, name) for name in 'xyz')
    yield 'whole points', has_whole_points(cloud)
    yield 'float32', field(cloud, 'x').datatype == FLOAT32
    yield 'true places', is_true_cloud(xyz(cloud), seen.truth.points)
    rgb = field(cloud, 'rgb')
    four_bytes = (PointField.INT32, PointField.UINT32, PointField.FLOAT32)
    yield 'four bytes of color', rgb is not None and rgb.datatype in four_bytes
    colors = column(cloud, 'rgb', 'u4')[np.isfinite(column(cloud, 'z'))] & 0xFFFFFF
    yield 'true colors', np.array_equal(colors, seen.truth.points[:, 3].view(np.uint32))


def image(seen: Seen) -> Rules:
    """Yield what the display Image asks for.

    ros_image_texture.cpp: `update` (not empty; Ogre takes width * height pixels without gaps),
    `setFormatAndNormalizeDataIfNecessary` (encodings), `getMinimalAndMaximalValueToNormalize`
    (the extremes become uint16, where an infinite one has no meaning; NaN is passed over).
    """
    yield 'known encoding', seen.image.encoding in {**DEPTH_TYPES, **COLOR_CHANNELS}
    yield 'not empty', len(seen.image.data) > 0
    yield 'no padding', is_unpadded(seen.image)
    yield 'no infinity', not np.isinf(pixels(seen.image)).any()


def image_contract(topic: str) -> Contract:
    breaks = {
        'known encoding': put('image', encoding='64FC1'),
        'not empty': put('image', data=b'', height=0),
        'no padding': pad('image'),
        'no infinity': put('image', encoding='32FC1', width=1, height=1, step=4, data=INFINITE),
    }
    return Contract(
        f'RViz Image {topic}', {'image': Input(topic, Image, reliable(5))}, image, breaks
    )


INFINITE = np.float32('inf').tobytes()

CONTRACTS = [
    Contract(
        'RViz DepthCloud',
        {
            'depth': Input('~/depth/image_rect', Image, sensor_data()),
            'color': Input('~/color/image_rect', Image, sensor_data()),
            'info': Input('~/depth/camera_info', CameraInfo, sensor_data()),
        },
        depth_cloud,
        {
            'depth in its name': rename('depth', '/left/image'),
            'color in its name': rename('color', '/left/image'),
            'camera_info beside it': rename('info', '/left/camera_info'),
            'frame': put('depth', header__frame_id=''),
            'stamp': put('color', header__stamp__sec=1),
            'size of camera_info': put('info', width=8),
            'size of colors': put('color', width=8),
            'depth encoding': put('depth', encoding='64FC1'),
            'color encoding': put('color', encoding='mono8'),
            'no padding': pad('depth'),
            'unknown pixels': paint('depth', 1),
            'P and region': put_number('info', 'p', 2, 0.0),
        },
    ),
    Contract(
        'RViz PointCloud2',
        {'cloud': Input('~/points', PointCloud2, reliable(5))},
        point_cloud,
        {
            'frame': put('cloud', header__frame_id=''),
            'stamp': put('cloud', header__stamp__sec=1),
            'x y z': put_field('cloud', 'x', name='range'),
            'whole points': truncate('cloud'),
            'float32': put_field('cloud', 'x', datatype=PointField.FLOAT64),
            'true places': put_field('cloud', 'x', offset=4),
            'four bytes of color': put_field('cloud', 'rgb', datatype=PointField.UINT8),
            'true colors': put_field('cloud', 'rgb', offset=8),
        },
    ),
    *map(
        image_contract,
        (
            '~/depth/image_rect',
            '~/depth/colormap',
            '~/color/image_rect',
            '~/relative_inverse_depth',
        ),
    ),
]
