"""What the launch files of the demo and of robots share: the simulated robot."""

import os
from collections.abc import Mapping, Sequence

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetLaunchConfiguration
from launch_ros.actions import Node

from .launch_arguments import mono_launch, warning_of_unknown
from .paths import share_directory
from .robot_recipes import CAMERA_FRAME, RECIPES, RobotRecipe
from .transport import large_transport


def robot_launch(name: str, *arguments: DeclareLaunchArgument) -> LaunchDescription:
    """Return a description that starts the node by `config/<name>.yaml`, a robot's.

    Args:
        name: Of a robot in `RECIPES`.
        arguments: Its topics, as arguments of `mono.launch.py`, first of all.
    """
    return warning_of_unknown(
        *arguments,
        DeclareLaunchArgument(
            'params_file',
            default_value=str(share_directory() / 'config' / f'{name}.yaml'),
            description='YAML file of parameters of mono_depth',
        ),
        DeclareLaunchArgument(
            'fixed_frame', default_value='odom', description='fixed frame of RViz'
        ),
        DeclareLaunchArgument(
            'simulated',
            default_value='false',
            choices=['true', 'false'],
            description='start a simulated robot as well, which publishes the topics and TF of a '
            'real one, and the embedded network',
        ),
        OpaqueFunction(function=_robot, args=[name]),
        mono_launch(),
    )


def simulated_camera(
    context: LaunchContext,
    parameters: Mapping[str, int | str],
    remappings: Sequence[tuple[str, str]] = (),
) -> list[LaunchDescriptionEntity]:
    """Return the simulated camera, and the DDS profile that both it and the node can have."""
    given = context.launch_configurations
    profile = share_directory() / 'config' / 'fastdds_large.xml'
    transport = large_transport(profile, 2, {**os.environ, **context.environment})
    is_large = transport.is_large and given.get('dds_profile', 'large') == 'large'
    return [
        *([] if is_large else [SetLaunchConfiguration('dds_profile', 'none')]),
        Node(
            package='mono_depth_ros',
            executable='simulated_stereo_camera',
            name='simulated_stereo_camera',
            namespace=given.get('namespace', ''),
            parameters=[{'frame_id': CAMERA_FRAME, **parameters}],
            remappings=list(remappings),
            ros_arguments=['--log-level', given.get('log_level', 'info')],
            additional_env=dict(transport.environment) if is_large else {},
            output='screen',
            emulate_tty=True,
        ),
    ]


def _robot(context: LaunchContext, name: str) -> list[LaunchDescriptionEntity]:
    """Return the simulated robot if it is wanted, and what the node has to know of a robot."""
    given, recipe = context.launch_configurations, RECIPES[name]
    is_simulated = given['simulated'] == 'true'
    told = {**(recipe.arguments if is_simulated else {}), **{k: v for k, v in given.items() if v}}
    if recipe.source_with_floor and 'camera_height' in told:
        told.setdefault('alignment_source', recipe.source_with_floor)
    settings = [
        SetLaunchConfiguration(argument, value)
        for argument, value in told.items()
        if not given.get(argument)
    ]
    return [*settings, *(_simulated_robot(context, recipe) if is_simulated else [])]


def _simulated_robot(context: LaunchContext, recipe: RobotRecipe) -> list[LaunchDescriptionEntity]:
    """Return the simulated robot, which publishes the topics that the node listens to."""
    given = context.launch_configurations
    image = given['image_topic']
    info = given.get('camera_info_topic') or f'{image[: image.rfind("/") + 1]}camera_info'
    topics = {
        'left/image_raw': image,
        'left/camera_info': info,
        recipe.sensor: given[recipe.topic_argument],
    }
    beams = {'lidar_beams': int(given['lidar_beams'])} if 'lidar_beams' in given else {}
    return simulated_camera(context, {**recipe.camera, **beams}, list(topics.items()))
