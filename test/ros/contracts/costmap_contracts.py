"""What Nav2's costmaps and collision monitor demand of clouds.

Sources: ros-navigation/navigation2, main at a3a9704; SteveMacenski/spatio_temporal_voxel_layer,
ros2 at 403d9ed; ros2/geometry2, tf2_sensor_msgs;
dfki-ric/nav2_ground_consistency_costmap_plugin, main at 41cec62.
"""

from array import array

import numpy as np
from breaking import forget, later, put, put_field, truncate
from contract import Contract, Input, Rules, Seen, sensor_data
from reading import FLOAT32, column, field, has_whole_points, header_rules, is_true_cloud, xyz
from sensor_msgs.msg import PointCloud2, PointField


def marking(seen: Seen) -> Rules:
    """Yield what a source asks for that marks."""
    return cloud(seen, seen.truth.points)


def clearing(seen: Seen) -> Rules:
    """Yield what a source asks for that only clears; its points are the ends of free rays."""
    return cloud(seen, seen.truth.points_clearing)


def cloud(seen: Seen, truth: np.ndarray) -> Rules:
    """Yield what VoxelLayer, ObstacleLayer, STVL and the collision monitor ask for alike.

    tf2_sensor_msgs.hpp, `doTransform`: float32 x, y, z of every point, known or not. Nav2's
    observation_buffer.cpp, `bufferCloud`: frame and stamp for TF, the frame's origin as the
    sensor, points copied by `point_step` to the end of the data; pointcloud.cpp,
    `getSourceData`. STVL's measurement_buffer.cpp, `BufferROSCloud`: PCL's filters want
    FLOAT32 and whole points.
    """
    cloud = seen.cloud
    yield from header_rules(seen, cloud)
    yield 'x y z', all(field(cloud, name) for name in 'xyz')
    yield 'float32', all(field(cloud, name).datatype == FLOAT32 for name in 'xyz')
    yield 'whole points', has_whole_points(cloud)
    yield 'nothing unknown', bool(np.isfinite(column(cloud, 'z')).all())
    yield 'true places', is_true_cloud(xyz(cloud), truth)


def ground_and_obstacles(seen: Seen) -> Rules:
    """Yield what Nav2's ground consistency layer asks for.

    ground_consistency_layer.cpp, `groundCloudCallback` and `nongroundCloudCallback`: two clouds,
    each looked up in TF by its own frame and stamp and passed over if its data are empty; float x,
    y, z, of which each is sorted into a cell without a look for NaN.
    """
    ground, nonground = seen.ground, seen.nonground
    yield from header_rules(seen, ground, nonground)
    yield 'not empty', len(ground.data) > 0 and len(nonground.data) > 0
    both = [field(cloud, name) for cloud in (ground, nonground) for name in 'xyz']
    yield 'x y z', all(both)
    yield 'float32', all(part.datatype == FLOAT32 for part in both)
    yield 'whole points', has_whole_points(ground) and has_whole_points(nonground)
    columns = [column(cloud, name) for cloud in (ground, nonground) for name in 'xyz']
    yield 'nothing unknown', all(bool(np.isfinite(values).all()) for values in columns)
    yield 'true ground', is_true_cloud(xyz(ground), seen.truth.points_ground)
    yield 'true obstacles', is_true_cloud(xyz(nonground), seen.truth.points_nonground)


BREAKS = {
    'frame': put('cloud', header__frame_id=''),
    'stamp': put('cloud', header__stamp__sec=1),
    'x y z': put_field('cloud', 'z', name='range'),
    'float32': put_field('cloud', 'z', datatype=PointField.FLOAT64),
    'whole points': truncate('cloud'),
    'nothing unknown': forget('cloud'),
    'true places': put_field('cloud', 'z', offset=0),
}

CLOUD_CONTRACTS = [
    Contract(consumer, {'cloud': Input(topic, PointCloud2, sensor_data(depth))}, check, BREAKS)
    for consumer, topic, depth, check in (
        ('Nav2 VoxelLayer marking', '~/points', 50, marking),
        ('Nav2 VoxelLayer clearing', '~/points_clearing', 50, clearing),
        ('Nav2 collision monitor', '~/points', 10, marking),
        ('STVL marking', '~/points', 50, marking),
        ('STVL clearing', '~/points_clearing', 50, clearing),
    )
]

GROUND_BREAKS = {
    'frame': put('nonground', header__frame_id='map'),
    'stamp': later('ground'),
    'not empty': put('ground', data=array('B'), width=0),
    'x y z': put_field('nonground', 'y', name='range'),
    'float32': put_field('ground', 'x', datatype=PointField.FLOAT64),
    'whole points': truncate('nonground'),
    'nothing unknown': forget('ground'),
    'true ground': put_field('ground', 'z', offset=0),
    'true obstacles': put_field('nonground', 'z', offset=0),
}

CONTRACTS = [
    Contract(
        'Nav2 ground consistency layer',
        {
            'ground': Input('~/points_ground', PointCloud2, sensor_data()),
            'nonground': Input('~/points_nonground', PointCloud2, sensor_data()),
        },
        ground_and_obstacles,
        GROUND_BREAKS,
    ),
    *CLOUD_CONTRACTS,
]
