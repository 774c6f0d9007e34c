"""Start a simulated stereo camera, the node aligned to its disparity, and RViz."""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction

from mono_depth_ros.ros.launch_arguments import mono_launch, warning_of_unknown
from mono_depth_ros.ros.robot_launch import simulated_camera
from mono_depth_ros.ros.robot_recipes import CAMERA_FRAME

# Arguments of mono.launch.py with another default: default, description.
DEFAULTS = {
    'encoder': ('tiny', 'network, by default the one that needs no download'),
    'image_topic': ('left/image_raw', 'image to read, of the simulated camera'),
    'alignment_source': ('disparity', 'source of metric scale, alignment.source'),
    'fixed_frame': (CAMERA_FRAME, 'fixed frame of RViz'),
    'rviz': ('true', 'start RViz as well: true or false'),
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
    """Return the simulated camera, which drives through the furnished room."""
    return simulated_camera(context, {'room': 'furnished'})
