"""What Nav2's tutorial on depth estimation hands on under its own names.

Sources: ros-navigation/docs.nav2.org, tutorials/docs/depth_ai_integration.rst at 9d30140, and the
launch file it names, in ros-navigation/navigation2.ai, nav2_depth_estimation_ai.
"""

import costmap_contracts
from breaking import paint, put, truncate
from contract import Contract, Input, Rules, Seen, reliable, sensor_data
from reading import has_all_rows, header_rules, is_true_depth
from sensor_msgs.msg import Image, PointCloud2

IMAGE, INFO = '/resize/image_raw', '/resize/camera_info'
DEPTH, POINTS = '/depth_image', '/pipeline/points'
HEIGHT, WIDTH = 280, 504
REMAPPINGS = {'image_raw': IMAGE, '~/depth/image_rect': DEPTH, '~/points': POINTS}


def depth_image(seen: Seen) -> Rules:
    """Yield what the tutorial's point cloud node asks for.

    It is depth_image_proc's xyzrgb (see image_proc_contracts), whose colors and camera_info are
    here those that we get, so depth has to be of the image's own size.
    """
    depth = seen.depth
    yield from header_rules(seen, depth)
    yield 'size of the image', (depth.width, depth.height) == (seen.sent.width, seen.sent.height)
    yield 'meters', depth.encoding == '32FC1'
    yield 'whole rows', has_all_rows(depth)
    yield 'unknown pixels', is_true_depth(depth, seen.truth.depth)


CONTRACTS = [
    Contract(
        'Nav2 tutorial, point cloud node',
        {'depth': Input(DEPTH, Image, reliable())},
        depth_image,
        {
            'frame': put('depth', header__frame_id=''),
            'stamp': put('depth', header__stamp__sec=1),
            'size of the image': put('depth', width=8),
            'meters': put('depth', encoding='16UC1'),
            'whole rows': truncate('depth'),
            'unknown pixels': paint('depth', 1),
        },
    ),
    Contract(
        'Nav2 tutorial, voxel layer',
        {'cloud': Input(POINTS, PointCloud2, sensor_data(50))},
        costmap_contracts.marking,
        costmap_contracts.BREAKS,
    ),
]
