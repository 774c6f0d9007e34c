"""Start a simulated stereo camera, the node aligned to its disparity, and RViz."""

import os

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.ros.transport import large_transport

ON_OFF = ['true', 'false']
CAMERA_FRAME = 'camera_left_optical_frame'


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'rviz', default_value='true', choices=ON_OFF, description='start RViz as well'
            ),
            DeclareLaunchArgument(
                'dds_profile',
                default_value='large',
                choices=['large', 'none'],
                description='Fast DDS settings of the camera and the node, see mono.launch.py',
            ),
            DeclareLaunchArgument(
                'log_level',
                default_value='info',
                choices=['debug', 'info', 'warn', 'error', 'fatal'],
                description='least severity that is logged',
            ),
            OpaqueFunction(function=start),
        ]
    )


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the camera and everything mono.launch.py starts."""
    profile = share_directory() / 'config' / 'fastdds_large.xml'
    transport = large_transport(profile, 2, {**os.environ, **context.environment})
    is_large = transport.is_large and context.launch_configurations['dds_profile'] == 'large'
    camera = Node(
        package='mono_depth_ros',
        executable='simulated_stereo_camera',
        name='simulated_stereo_camera',
        parameters=[{'frame_id': CAMERA_FRAME}],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        additional_env=dict(transport.environment) if is_large else {},
        output='screen',
        emulate_tty=True,
    )
    mono = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share_directory() / 'launch' / 'mono.launch.py')),
        launch_arguments={
            'params_file': str(share_directory() / 'config' / 'demo.yaml'),
            'image_topic': 'left/image_raw',
            'alignment_source': 'disparity',
            'fixed_frame': CAMERA_FRAME,
            'rviz': LaunchConfiguration('rviz'),
            'dds_profile': 'large' if is_large else 'none',
            'log_level': LaunchConfiguration('log_level'),
        }.items(),
    )
    return [camera, mono]
