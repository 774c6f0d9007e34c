"""Start the node `mono_depth` on one camera, with RViz if wanted."""

import os
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from mono_depth_ros.core.network.cards.providers import BACKENDS, PROVIDERS
from mono_depth_ros.ros.camera_list import read_cameras
from mono_depth_ros.ros.launch_arguments import warning_of_unknown
from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.ros.transport import large_transport

KEEP = 'empty: as in params_file'
ON_OFF = ['true', 'false']

# Arguments that become parameters unless left empty: type, allowed values, description.
PARAMETERS: dict[str, tuple[type, list[str] | None, str]] = {
    'encoder': (
        str,
        None,
        f'network: tiny, zipdepth, vits, vitb, vitl or vitg; {KEEP}',
    ),
    'network': (str, None, f'card of another network, or hf:..., see docs/networks.md; {KEEP}'),
    'variant': (
        str,
        None,
        'training of the weights: auto, metric_indoor, metric_outdoor, relative or relative_v1; '
        f'{KEEP}',
    ),
    'device': (str, None, f'device of the network: auto, cuda, cuda:<N>, mps or cpu; {KEEP}'),
    'backend': (
        str,
        ['', 'auto', *BACKENDS],
        f'what runs an encoder: auto, torch, onnx or openvino, see docs/speed.md; {KEEP}',
    ),
    'provider': (
        str,
        ['', 'auto', *PROVIDERS],
        f'execution provider of ONNX Runtime for network, see docs/networks.md; {KEEP}',
    ),
    'scale': (
        float,
        None,
        f'scale [1/m] of a relative network, [m] of relative depth, 0.0 = not set; {KEEP}',
    ),
    'shift': (float, None, f'shift of a relative network, see scale; {KEEP}'),
    'depth_scale': (float, None, f'factor applied to the depth of a metric network; {KEEP}'),
    'image_transport': (
        str,
        ['', 'raw', 'compressed'],
        f'compressed: subscribe to <image_topic>/compressed; {KEEP}',
    ),
    'rectify': (bool, ['', *ON_OFF], f'rectify the image with its camera_info first; {KEEP}'),
    'assume_rectified': (
        bool,
        ['', *ON_OFF],
        f'the image is rectified, although its camera_info has distortion; {KEEP}',
    ),
    'alignment_source': (
        str,
        None,
        'source of metric scale, alignment.source: none, or one or several of disparity, depth, '
        f'ground, points, scan and range, separated by commas; {KEEP}',
    ),
    'sensor_pose': (
        str,
        None,
        f'x y z qx qy qz qw of the sensor, for sources points, scan and range; {KEEP}',
    ),
    'camera_height': (
        float,
        None,
        f'height of the camera above the floor [m], for publish_tf and source ground; {KEEP}',
    ),
    'camera_pitch': (
        float,
        None,
        f'pitch of the camera [rad], positive = looking down, for the same; {KEEP}',
    ),
    'publish_tf': (
        bool,
        ['', *ON_OFF],
        f'publish the transform from base_frame to the camera; {KEEP}',
    ),
    'base_frame': (
        str,
        None,
        f'robot frame below the camera, for publish_tf; {KEEP}',
    ),
    'autostart': (
        bool,
        ['', *ON_OFF],
        f'configure and activate without a lifecycle manager; {KEEP}',
    ),
    'use_sim_time': (bool, ['', *ON_OFF], f'use the time of /clock; {KEEP}'),
}


DOTTED = {
    'alignment_source': 'alignment.source',
    'sensor_pose': 'alignment.sensor_pose',
    'camera_height': 'alignment.camera_height',
    'camera_pitch': 'alignment.camera_pitch',
}
"""Parameters whose name has a point, which an argument's cannot have."""


def generate_launch_description() -> LaunchDescription:
    return warning_of_unknown(
        DeclareLaunchArgument(
            'image_topic',
            default_value='image_raw',
            description='image to read; relative names lie in the namespace',
        ),
        DeclareLaunchArgument(
            'camera_info_topic',
            default_value='',
            description='its calibration; empty: camera_info beside the image',
        ),
        DeclareLaunchArgument(
            'disparity_topic',
            default_value='disparity',
            description='stereo disparity of the image, for alignment_source:=disparity',
        ),
        DeclareLaunchArgument(
            'registered_depth_topic',
            default_value='registered_depth',
            description='depth in the view of the image, for alignment_source:=depth',
        ),
        DeclareLaunchArgument(
            'lidar_points_topic',
            default_value='lidar_points',
            description='cloud of a LiDAR or another sensor, for alignment_source:=points',
        ),
        DeclareLaunchArgument(
            'scan_topic',
            default_value='scan',
            description='scan of a 2D laser, for alignment_source:=scan',
        ),
        DeclareLaunchArgument(
            'range_topic',
            default_value='range',
            description='range of an ultrasonic or infrared sensor, for alignment_source:=range',
        ),
        DeclareLaunchArgument(
            'namespace',
            default_value='',
            description="namespace of the node, for example the camera driver's",
        ),
        *(
            DeclareLaunchArgument(name, default_value='', description=description, choices=choices)
            for name, (_, choices, description) in PARAMETERS.items()
        ),
        DeclareLaunchArgument(
            'params_file',
            default_value=str(share_directory() / 'config' / 'mono.yaml'),
            description='YAML file of parameters',
        ),
        DeclareLaunchArgument(
            'dds_profile',
            default_value='large',
            choices=['large', 'none'],
            description='large: Fast DDS with shared memory that holds whole clouds; '
            'none: as the environment says',
        ),
        DeclareLaunchArgument(
            'respawn',
            default_value='false',
            choices=ON_OFF,
            description='start the node again 2 s after it ended by itself',
        ),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=ON_OFF, description='start RViz as well'
        ),
        DeclareLaunchArgument(
            'fixed_frame',
            default_value='camera',
            description='fixed frame of RViz: the frame_id of the images, or one that TF '
            'connects to it, such as base_footprint with publish_tf:=true',
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='least severity that is logged',
        ),
        OpaqueFunction(function=start),
    )


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the actions for the arguments as given."""
    transport, environment = transport_actions(context)
    cameras = context.launch_configurations.get('cameras')  # of multi.launch.py, also if empty
    node = Node(
        package='mono_depth_ros',
        executable='mono_depth_node' if cameras is None else 'mono_depth_cameras',
        arguments=[] if cameras is None else [cameras],
        # Parameters of a named node would be for that one alone.
        name='mono_depth' if cameras is None else None,
        namespace=LaunchConfiguration('namespace'),
        parameters=parameters(context),
        remappings=remappings(context),
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        additional_env=environment,
        output='screen',
        emulate_tty=True,
        respawn=context.launch_configurations['respawn'] == 'true',
        respawn_delay=2.0,
    )
    return [*transport, node, *rviz_actions(context)]


def parameters(context: LaunchContext) -> list[str | dict[str, ParameterValue]]:
    """Return the parameter file, then what the arguments override."""
    file = context.launch_configurations['params_file']
    if file and not Path(file).is_file():
        raise FileNotFoundError(f'params_file is {file}, which does not exist')
    given = {
        DOTTED.get(name, name): typed(name, kind, context.launch_configurations[name])
        for name, (kind, _, _) in PARAMETERS.items()
        if context.launch_configurations[name]
    }
    return [*([file] if file else []), *([given] if given else [])]


def typed(name: str, kind: type, text: str) -> ParameterValue:
    """Return a parameter of its declared type: `25` on the command line is no double to ROS."""
    if kind is float:
        try:
            float(text)
        except ValueError:
            raise ValueError(f'{name} is {text!r}; it must be a number') from None
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def remappings(context: LaunchContext) -> list[tuple[str, str]]:
    """Return the remappings; the node finds an image's companions beside it."""
    topics = {
        'image_raw': context.launch_configurations['image_topic'],
        'camera_info': context.launch_configurations['camera_info_topic'],
        'disparity': context.launch_configurations['disparity_topic'],
        'registered_depth': context.launch_configurations['registered_depth_topic'],
        'lidar_points': context.launch_configurations['lidar_points_topic'],
        'scan': context.launch_configurations['scan_topic'],
        'range': context.launch_configurations['range_topic'],
    }
    return [(name, topic) for name, topic in topics.items() if topic and topic != name]


def transport_actions(
    context: LaunchContext,
) -> tuple[list[LaunchDescriptionEntity], dict[str, str]]:
    """Return what to say about the DDS profile, and the environment for the node."""
    if context.launch_configurations['dds_profile'] == 'none':
        return [], {}
    profile = share_directory() / 'config' / 'fastdds_large.xml'
    transport = large_transport(profile, 1, {**os.environ, **context.environment})
    return [LogInfo(msg=f'dds_profile: {transport.message}')], dict(transport.environment)


def shown_namespace(context: LaunchContext) -> str:
    """Return the namespace of what RViz shows: of several cameras the first."""
    given = context.launch_configurations
    if 'cameras' not in given:
        return given['namespace']
    first = read_cameras(given['cameras'])[0].name
    return f'{given["namespace"]}/{first}' if given['namespace'] else first


def rviz_actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return RViz if it is wanted and there."""
    if context.launch_configurations['rviz'] == 'false':
        return []
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return [LogInfo(msg='rviz: rviz2 is not installed here, going on without it')]
    given = context.launch_configurations['use_sim_time'] or 'false'
    return [
        Node(
            package='rviz2',
            executable='rviz2',
            namespace=shown_namespace(context),
            arguments=[
                '-d',
                str(share_directory() / 'rviz' / 'mono.rviz'),
                '-f',
                LaunchConfiguration('fixed_frame'),
            ],
            parameters=[{'use_sim_time': given == 'true'}],
        )
    ]
