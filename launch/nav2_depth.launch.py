"""Start the node `mono_depth` under the topic names of Nav2's tutorial on depth estimation.

It takes the place of the tutorial's nodes depth_anything_v3 and pointcloud, so that the parameters
for Nav2 stay as they are. All arguments of mono.launch.py can be given, too.
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import SetRemap

from mono_depth_ros.ros.paths import share_directory

# Arguments that rename an output unless left empty: output, the tutorial's name, description.
OUTPUTS = {
    'depth_topic': ('~/depth/image_rect', 'depth_image', 'depth, 32FC1 [m]'),
    'points_topic': ('~/points', '/pipeline/points', 'cloud of all that is known, for marking'),
    'clearing_topic': (
        '~/points_clearing',
        '/pipeline/points_clearing',
        'cloud of rays that are free, for a clearing source; the tutorial has none',
    ),
}


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'image_topic',
                default_value='/resize/image_raw',
                description='image to read, of any size; its camera_info lies beside it',
            ),
            *(
                DeclareLaunchArgument(
                    name,
                    default_value=topic,
                    description=f'name of {output}: {description}; empty: as it is',
                )
                for name, (output, topic, description) in OUTPUTS.items()
            ),
            DeclareLaunchArgument(
                'params_file',
                default_value=str(share_directory() / 'config' / 'nav2_depth.yaml'),
                description='YAML file of parameters',
            ),
            OpaqueFunction(function=start),
        ]
    )


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return everything mono.launch.py starts, its outputs renamed."""
    given = {name: context.launch_configurations[name] for name in OUTPUTS}
    renamed = [SetRemap(OUTPUTS[name][0], topic) for name, topic in given.items() if topic]
    mono = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share_directory() / 'launch' / 'mono.launch.py'))
    )
    return [GroupAction([*renamed, mono])]
