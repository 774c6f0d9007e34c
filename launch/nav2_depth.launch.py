"""Start the node `mono_depth` under the topic names of Nav2's tutorial on depth estimation.

It takes the place of the tutorial's nodes depth_anything_v3 and pointcloud, so that the parameters
for Nav2 stay as they are.
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, GroupAction, LogInfo, OpaqueFunction
from launch_ros.actions import SetRemap

from mono_depth_ros.ros.launch_arguments import mono_launch, warning_of_unknown
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
DEPTH_INFO = '~/depth/camera_info'


def generate_launch_description() -> LaunchDescription:
    return warning_of_unknown(
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
            'depth_camera_info_topic',
            default_value='',
            description=f'name of {DEPTH_INFO}; empty: camera_info beside depth_topic',
        ),
        DeclareLaunchArgument(
            'params_file',
            default_value=str(share_directory() / 'config' / 'nav2_depth.yaml'),
            description='YAML file of parameters',
        ),
        GroupAction([OpaqueFunction(function=renamed), mono_launch()]),
    )


def renamed(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the remappings of the outputs, those of the depth and its camera_info as a pair."""
    given = {name: context.launch_configurations[name] for name in OUTPUTS}
    actions = [SetRemap(OUTPUTS[name][0], topic) for name, topic in given.items() if topic]
    image, depth = context.launch_configurations['image_topic'], given['depth_topic']
    taken = context.launch_configurations.get('camera_info_topic') or beside(image)
    info = context.launch_configurations['depth_camera_info_topic'] or (depth and beside(depth))
    if info and full(info, context) == full(taken, context):
        actions.append(
            LogInfo(
                msg=f'{info} is the camera_info of {image}: that of the depth stays on '
                f'{DEPTH_INFO}. Set depth_camera_info_topic, or depth_topic to a name in a '
                'namespace of its own'
            )
        )
    elif info:
        actions.append(SetRemap(DEPTH_INFO, info))
    return actions


def beside(image: str) -> str:
    """Return the camera_info topic where consumers look for that of an image."""
    return f'{image[: image.rfind("/") + 1]}camera_info'


def full(topic: str, context: LaunchContext) -> str:
    """Return a topic with the namespace of the node."""
    namespaces = [context.launch_configurations.get(n, '') for n in ('ros_namespace', 'namespace')]
    parts = [] if topic.startswith('/') else namespaces
    return '/'.join(['', *(part.strip('/') for part in parts if part), topic.strip('/')])
