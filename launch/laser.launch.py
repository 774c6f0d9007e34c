"""Start the node `mono_depth` on one camera, aligned to a 2D laser that TF places on the robot."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from mono_depth_ros.ros.launch_arguments import mono_launch, warning_of_unknown


def generate_launch_description() -> LaunchDescription:
    return warning_of_unknown(
        DeclareLaunchArgument(
            'alignment_source',
            default_value='scan',
            description='source of metric scale, alignment.source',
        ),
        DeclareLaunchArgument(
            'scan_topic',
            default_value='scan',
            description='scan of the laser, in its own frame',
        ),
        mono_launch(),
    )
