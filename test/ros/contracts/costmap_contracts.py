"""What Nav2's costmaps and collision monitor demand of clouds.

Sources: ros-navigation/navigation2, main at a3a9704; SteveMacenski/spatio_temporal_voxel_layer,
ros2 at 403d9ed; ros2/geometry2, tf2_sensor_msgs.
"""

import numpy as np
from breaking import forget, put, put_field, truncate
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


BREAKS = {
    'frame': put('cloud', header__frame_id=''),
    'stamp': put('cloud', header__stamp__sec=1),
    'x y z': put_field('cloud', 'z', name='range'),
    'float32': put_field('cloud', 'z', datatype=PointField.FLOAT64),
    'whole points': truncate('cloud'),
    'nothing unknown': forget('cloud'),
    'true places': put_field('cloud', 'z', offset=0),
}

CONTRACTS = [
    Contract(consumer, {'cloud': Input(topic, PointCloud2, sensor_data(depth))}, check, BREAKS)
    for consumer, topic, depth, check in (
        ('Nav2 VoxelLayer marking', '~/points', 50, marking),
        ('Nav2 VoxelLayer clearing', '~/points_clearing', 50, clearing),
        ('Nav2 collision monitor', '~/points', 10, marking),
        ('STVL marking', '~/points', 50, marking),
        ('STVL clearing', '~/points_clearing', 50, clearing),
    )
]
