"""Start the node `mono_depth` on the left camera of a pair, aligned to the pair's disparity."""

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution

from mono_depth_ros.ros.launch_arguments import mono_launch, warning_of_unknown


def generate_launch_description() -> LaunchDescription:
    return warning_of_unknown(
        DeclareLaunchArgument(
            'left_namespace',
            default_value='left',
            description='namespace of the left camera: image_raw and camera_info lie in it',
        ),
        DeclareLaunchArgument(
            'right_namespace',
            default_value='right',
            description='namespace of the right camera, for stereo_image_proc',
        ),
        DeclareLaunchArgument(
            'image_topic',
            default_value=PathJoinSubstitution(
                [LaunchConfiguration('left_namespace'), 'image_raw']
            ),
            description='left image; rectified here unless rectify:=false or '
            'assume_rectified:=true',
        ),
        DeclareLaunchArgument(
            'alignment_source',
            default_value='disparity',
            description='source of metric scale, alignment.source',
        ),
        DeclareLaunchArgument(
            'disparity_topic',
            default_value='disparity',
            description='stereo_msgs/DisparityImage of the pair',
        ),
        DeclareLaunchArgument(
            'stereo_image_proc',
            default_value='false',
            choices=['true', 'false'],
            description='start stereo_image_proc, which computes the disparity of the pair',
        ),
        DeclareLaunchArgument(
            'rectify',
            default_value='',
            choices=['', 'true', 'false'],
            description='rectify the left image first, since disparity lies in it; empty: '
            'unless assume_rectified:=true',
        ),
        DeclareLaunchArgument(
            'assume_rectified',
            default_value='',
            choices=['', 'true', 'false'],
            description='the left image is rectified, although its camera_info has distortion',
        ),
        OpaqueFunction(function=rectification),
        matcher(),
        mono_launch(),
    )


def rectification(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return what decides on `rectify` where it is not given."""
    given = context.launch_configurations
    rectify = given['rectify'] or ('false' if given['assume_rectified'] == 'true' else 'true')
    return [SetLaunchConfiguration('rectify', rectify)]


def matcher() -> LaunchDescriptionEntity:
    """Return what starts stereo_image_proc if it is wanted, or says that it is not installed."""
    wanted = IfCondition(LaunchConfiguration('stereo_image_proc'))
    try:
        share = get_package_share_directory('stereo_image_proc')
    except PackageNotFoundError:
        return LogInfo(
            msg='stereo_image_proc: not installed here; going on without it, so something '
            'else has to publish the disparity',
            condition=wanted,
        )
    path = f'{share}/launch/stereo_image_proc.launch.py'
    return IncludeLaunchDescription(PythonLaunchDescriptionSource(path), condition=wanted)
