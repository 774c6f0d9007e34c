"""Start a simulated stereo camera, the node aligned to its disparity, and RViz."""

import os

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetLaunchConfiguration
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from mono_depth_ros.ros.launch_arguments import mono_launch, warning_of_unknown
from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.ros.transport import large_transport

CAMERA_FRAME = 'camera_left_optical_frame'

# Arguments of mono.launch.py with another default: default, description.
DEFAULTS = {
    'params_file': (
        str(share_directory() / 'config' / 'demo.yaml'),
        'YAML file of parameters of mono_depth',
    ),
    'image_topic': ('left/image_raw', 'image to read, of the simulated camera'),
    'alignment_source': ('disparity', 'source of metric scale, alignment.source'),
    'fixed_frame': (CAMERA_FRAME, 'fixed frame of RViz'),
    'rviz': ('true', 'start RViz as well: true or false'),
    'dds_profile': ('large', 'Fast DDS settings of the camera and the node: large or none'),
    'log_level': ('info', 'least severity that is logged: debug, info, warn, error or fatal'),
}


def generate_launch_description() -> LaunchDescription:
    return warning_of_unknown(
        *(
            DeclareLaunchArgument(name, default_value=value, description=description)
            for name, (value, description) in DEFAULTS.items()
        ),
        OpaqueFunction(function=camera),
        mono_launch(),
    )


def camera(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the camera, and the DDS profile that both it and the node can have."""
    profile = share_directory() / 'config' / 'fastdds_large.xml'
    transport = large_transport(profile, 2, {**os.environ, **context.environment})
    is_large = transport.is_large and context.launch_configurations['dds_profile'] == 'large'
    return [
        *([] if is_large else [SetLaunchConfiguration('dds_profile', 'none')]),
        Node(
            package='mono_depth_ros',
            executable='simulated_stereo_camera',
            name='simulated_stereo_camera',
            parameters=[{'frame_id': CAMERA_FRAME}],
            ros_arguments=['--log-level', LaunchConfiguration('log_level')],
            additional_env=dict(transport.environment) if is_large else {},
            output='screen',
            emulate_tty=True,
        ),
    ]
