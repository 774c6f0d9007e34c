"""Start the node `mono_depth` on one camera, aligned to a LiDAR that TF places on the robot."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from mono_depth_ros.ros.launch_arguments import mono_launch, warning_of_unknown


def generate_launch_description() -> LaunchDescription:
    return warning_of_unknown(
        DeclareLaunchArgument(
            'alignment_source',
            default_value='points',
            description='source of metric scale, alignment.source',
        ),
        DeclareLaunchArgument(
            'lidar_points_topic',
            default_value='lidar_points',
            description='cloud of the LiDAR, in its own frame',
        ),
        mono_launch(),
    )
