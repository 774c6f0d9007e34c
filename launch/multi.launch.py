"""Start a node `mono_depth` for each of several cameras, in one process with one network."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from mono_depth_ros.ros.launch_arguments import mono_launch, warning_of_unknown


def generate_launch_description() -> LaunchDescription:
    return warning_of_unknown(
        DeclareLaunchArgument(
            'cameras',
            default_value='left,right',
            description='names of the cameras, such as front,left,rear, which are the namespaces '
            'of their nodes; or a YAML file that lists them with topics and parameters, see '
            'docs/cameras.md',
        ),
        mono_launch(),
    )
