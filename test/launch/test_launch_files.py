"""Launch files: their arguments, and what they start for the arguments given."""

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

# `import launch` alone would find the folder launch/ of this repository.
pytest.importorskip('launch_ros.actions', reason='launch is not installed here (needs a ROS 2)')

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo
from launch.launch_description_sources import load_python_launch_file_as_module
from launch.utilities import perform_substitutions
from launch_ros.actions import Node, SetRemap

from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.ros.transport import PROFILE_VARIABLES

SHARE = share_directory()
MONO_ARGUMENTS = {
    *(
        'image_topic',
        'camera_info_topic',
        'namespace',
        'encoder',
        'network',
        'variant',
        'backend',
        'provider',
        'device',
        'scale',
    ),
    *('shift', 'depth_scale', 'params_file', 'image_transport', 'autostart', 'dds_profile'),
    *('respawn', 'rviz', 'fixed_frame', 'log_level', 'use_sim_time', 'rectify'),
    *('assume_rectified', 'alignment_source', 'disparity_topic', 'registered_depth_topic'),
    *('lidar_points_topic', 'scan_topic', 'range_topic', 'sensor_pose'),
    *('camera_height', 'camera_pitch', 'publish_tf', 'base_frame'),
}


def load(name: str) -> ModuleType:
    return load_python_launch_file_as_module(str(SHARE / 'launch' / name))


@pytest.fixture
def params_file(tmp_path: Path) -> str:
    path = tmp_path / 'mine.yaml'
    path.write_text('/**:\n  ros__parameters:\n    scale: 2.0\n')
    return str(path)


def context_of(description: LaunchDescription, **given: str) -> LaunchContext:
    """Return the context after the arguments are declared, as `ros2 launch` makes it."""
    context = LaunchContext()
    context.launch_configurations.update(given)
    for entity in description.entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.visit(context)
    return context


def overrides(module: ModuleType, **given: str) -> dict[str, Any]:
    """Return the parameters that arguments set, as they reach the node."""
    context = context_of(module.generate_launch_description(), **given)
    found: dict[str, Any] = {}
    for item in module.parameters(context)[1:]:
        found |= {name: value.evaluate(context) for name, value in item.items()}
    return found


def nodes(actions: list[Any]) -> list[Node]:
    return [action for action in actions if isinstance(action, Node)]


def said(context: LaunchContext, actions: list[Any]) -> str:
    messages = [action.msg for action in actions if isinstance(action, LogInfo)]
    return '\n'.join(perform_substitutions(context, message) for message in messages)


@pytest.mark.parametrize('name', sorted(p.name for p in (SHARE / 'launch').glob('*.launch.py')))
def test_every_argument_is_described(name: str) -> None:
    for argument in load(name).generate_launch_description().get_launch_arguments():
        assert len(argument.description) > 10, argument.name
        assert argument.default_value is not None, f'{argument.name} has to be given'


def test_mono_has_the_arguments_of_its_design() -> None:
    description = load('mono.launch.py').generate_launch_description()
    assert {a.name for a in description.get_launch_arguments()} == MONO_ARGUMENTS


def test_empty_arguments_are_not_passed(params_file: str) -> None:
    mono = load('mono.launch.py')
    assert overrides(mono, params_file=params_file) == {}
    context = context_of(mono.generate_launch_description(), params_file=params_file)
    assert mono.parameters(context) == [params_file]


@pytest.mark.parametrize(
    ('given', 'value'),
    [
        ({'scale': '25'}, 25.0),
        ({'scale': '2.5e-1'}, 0.25),
        ({'shift': '-1'}, -1.0),
        ({'depth_scale': '2'}, 2.0),
        ({'autostart': 'false'}, False),
        ({'use_sim_time': 'true'}, True),
        ({'encoder': 'tiny'}, 'tiny'),
        ({'device': '1'}, '1'),
        ({'image_transport': 'compressed'}, 'compressed'),
        ({'variant': 'relative'}, 'relative'),
        ({'backend': 'openvino'}, 'openvino'),
        ({'provider': 'tensorrt'}, 'tensorrt'),
        ({'network': '/cards/own.yaml'}, '/cards/own.yaml'),
        ({'publish_tf': 'true'}, True),
        ({'base_frame': 'base_link'}, 'base_link'),
    ],
)
def test_arguments_reach_the_node_typed(
    params_file: str, given: dict[str, str], value: object
) -> None:
    found = overrides(load('mono.launch.py'), params_file=params_file, **given)
    assert found == dict.fromkeys(given, value)
    assert [type(v) for v in found.values()] == [type(value)]


def test_how_the_camera_is_mounted_reaches_the_node(params_file: str) -> None:
    found = overrides(
        load('mono.launch.py'), params_file=params_file, camera_height='1', camera_pitch='-0.2'
    )
    assert found == {'alignment.camera_height': 1.0, 'alignment.camera_pitch': -0.2}
    assert [type(value) for value in found.values()] == [float, float]


@pytest.mark.parametrize(
    ('given', 'match'),
    [
        ({'scale': 'abc'}, "scale is 'abc'; it must be a number"),
        ({'autostart': 'maybe'}, 'autostart'),
        ({'dds_profile': 'huge'}, 'dds_profile'),
        ({'params_file': '/nowhere/mono.yaml'}, 'params_file is /nowhere/mono.yaml'),
    ],
)
def test_bad_arguments_are_refused_by_name(
    params_file: str, given: dict[str, str], match: str
) -> None:
    with pytest.raises((ValueError, RuntimeError, FileNotFoundError), match=match):
        overrides(load('mono.launch.py'), **{'params_file': params_file, **given})


def test_topics_are_remapped_only_where_given() -> None:
    mono = load('mono.launch.py')

    def remapped(**given: str) -> list[tuple[str, str]]:
        return mono.remappings(context_of(mono.generate_launch_description(), **given))

    assert remapped() == []
    assert remapped(image_topic='/cam/color/image_raw') == [('image_raw', '/cam/color/image_raw')]
    assert remapped(image_topic='/a', camera_info_topic='/b') == [
        ('image_raw', '/a'),
        ('camera_info', '/b'),
    ]


def test_the_node_alone_gets_the_dds_profile(
    params_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROFILE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    mono = load('mono.launch.py')
    context = context_of(mono.generate_launch_description(), params_file=params_file)
    free = SimpleNamespace(free=1 << 40)
    monkeypatch.setattr('mono_depth_ros.ros.transport.shutil.disk_usage', lambda _: free)
    profile = str(SHARE / 'config' / 'fastdds_large.xml')
    actions, environment = mono.transport_actions(context)
    assert environment == dict.fromkeys(PROFILE_VARIABLES, profile)
    free.free = 0
    actions, environment = mono.transport_actions(context)
    assert environment == {}
    assert '--shm-size' in said(context, actions)
    context.launch_configurations['dds_profile'] = 'none'
    assert mono.transport_actions(context) == ([], {})


def test_rviz_is_started_on_demand_or_missed_aloud(
    params_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mono = load('mono.launch.py')
    description = mono.generate_launch_description()
    context = context_of(description, params_file=params_file, fixed_frame='map', rviz='true')
    monkeypatch.setattr(mono, 'get_package_prefix', lambda _: '/opt/ros')
    (rviz,) = nodes(mono.rviz_actions(context))
    command = [perform_substitutions(context, part) for part in rviz.cmd[1:5]]
    assert command == ['-d', str(SHARE / 'rviz' / 'mono.rviz'), '-f', 'map']

    def absent(name: str) -> str:
        raise mono.PackageNotFoundError(name)

    monkeypatch.setattr(mono, 'get_package_prefix', absent)
    actions = mono.rviz_actions(context)
    assert nodes(actions) == []
    assert 'rviz2 is not installed' in said(context, actions)
    context.launch_configurations['rviz'] = 'false'
    assert mono.rviz_actions(context) == []


def test_demo_aligns_the_tiny_network_to_the_simulated_disparity() -> None:
    demo = load('demo.launch.py')
    context = context_of(demo.generate_launch_description(), fixed_frame='map')
    camera = demo.camera(context)[-1]
    assert isinstance(camera, Node)
    assert camera.node_executable == 'simulated_stereo_camera'
    given = context.launch_configurations
    assert given['encoder'] == 'tiny'
    assert given['image_topic'] == 'left/image_raw'
    assert given['alignment_source'] == 'disparity'
    assert given['fixed_frame'] == 'map'


def test_demo_goes_on_without_the_profile_where_it_does_not_fit_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    demo = load('demo.launch.py')
    context = context_of(demo.generate_launch_description())
    free = SimpleNamespace(free=0)
    monkeypatch.setattr('mono_depth_ros.ros.transport.shutil.disk_usage', lambda _: free)
    demo.camera(context)[0].visit(context)
    assert context.launch_configurations['dds_profile'] == 'none'


@pytest.mark.parametrize(
    'name',
    ['stereo', 'nav2_depth', 'demo', 'lidar', 'laser', 'turtlebot', 'outdoor_lidar', 'drone'],
)
def test_arguments_of_an_included_file_are_listed(name: str) -> None:
    listed = load(f'{name}.launch.py').generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in listed} >= MONO_ARGUMENTS


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the warnings of arguments that nothing takes."""
    found: list[str] = []
    logger = SimpleNamespace(warning=found.append)
    monkeypatch.setattr('mono_depth_ros.ros.launch_arguments.get_logger', lambda _: logger)
    return found


def include(context: LaunchContext, name: str) -> None:
    """Have a launch file judge its arguments, as it does first."""
    load(name).generate_launch_description().entities[0].visit(context)


@pytest.mark.parametrize(
    ('name', 'argument', 'hint'),
    [
        ('mono', 'imge_topic', '; did you mean image_topic?'),
        ('mono', 'alignment.source', '; did you mean alignment_source?'),
        ('mono', 'left_namespace', '; did you mean namespace?'),
        ('stereo', 'right_namspace', '; did you mean right_namespace?'),
        ('stereo', 'encodr', '; did you mean encoder?'),
        ('nav2_depth', 'point_topic', '; did you mean points_topic?'),
        ('demo', 'xyz', ''),
        ('turtlebot', 'scan_topc', '; did you mean scan_topic?'),
        ('turtlebot', 'simulate', '; did you mean simulated?'),
        ('outdoor_lidar', 'lidar_topic', '; did you mean lidar_points_topic?'),
        ('drone', 'landmark_topic', '; did you mean landmarks_topic?'),
    ],
)
def test_an_argument_that_nothing_declares_is_warned_of(
    warned: list[str], name: str, argument: str, hint: str
) -> None:
    context = LaunchContext(argv=[f'{argument}:=1', 'encoder:=tiny'])
    context.launch_configurations.update({argument: '1', 'encoder': 'tiny'})
    include(context, f'{name}.launch.py')
    assert warned == [f'nothing takes the launch argument {argument}{hint}']


def test_arguments_are_judged_once_by_the_outermost_file(warned: list[str]) -> None:
    context = LaunchContext(argv=['typo:=1', 'left_namespace:=eye'])
    context.launch_configurations.update({'typo': '1', 'left_namespace': 'eye'})
    include(context, 'stereo.launch.py')
    include(context, 'mono.launch.py')
    assert warned == ['nothing takes the launch argument typo']


def test_configurations_of_a_bringup_are_its_own_unless_misspelled(warned: list[str]) -> None:
    context = LaunchContext(argv=['map:=office.yaml'])
    ours = {'imge_topic': '/image', 'ros_namespace': '/robot'}
    context.launch_configurations.update(use_localization='true', robot_model='b1', **ours)
    include(context, 'mono.launch.py')
    assert warned == ['nothing takes the launch argument imge_topic; did you mean image_topic?']


def test_the_node_is_started_again_on_demand(params_file: str) -> None:
    mono = load('mono.launch.py')

    def respawns(**given: str) -> Any:
        description = mono.generate_launch_description()
        context = context_of(description, params_file=params_file, dds_profile='none', **given)
        return nodes(mono.start(context))[0]._ExecuteLocal__respawn

    assert respawns() is False
    assert respawns(respawn='true') is True


def test_several_cameras_are_one_process_with_the_arguments_of_one(params_file: str) -> None:
    description = load('multi.launch.py').generate_launch_description()
    context = context_of(description, cameras='front,rear', scan_topic='/scan', encoder='tiny')
    mono = load('mono.launch.py')
    given = {**context.launch_configurations, 'params_file': params_file, 'dds_profile': 'none'}
    context = context_of(mono.generate_launch_description(), **given)
    (node,) = nodes(mono.start(context))
    assert node.node_executable == 'mono_depth_cameras'
    assert node._Node__arguments == ['front,rear']
    assert node._Node__node_name is None, 'its parameters are for every node'
    assert mono.remappings(context) == [('scan', '/scan')]
    assert mono.shown_namespace(context) == 'front', 'RViz shows the first'
    context.launch_configurations['namespace'] = '/robot'
    assert mono.shown_namespace(context) == '/robot/front'


def test_an_empty_list_of_cameras_is_no_single_camera(params_file: str) -> None:
    description = load('multi.launch.py').generate_launch_description()
    context = context_of(description, cameras='')
    mono = load('mono.launch.py')
    given = {**context.launch_configurations, 'params_file': params_file, 'dds_profile': 'none'}
    (node,) = nodes(mono.start(context_of(mono.generate_launch_description(), **given)))
    assert node.node_executable == 'mono_depth_cameras', 'which refuses it'
    assert node._Node__arguments == ['']


def test_alignment_reaches_the_node_under_its_dotted_name(params_file: str) -> None:
    given = overrides(
        load('mono.launch.py'), params_file=params_file, alignment_source='depth', rectify='true'
    )
    assert given == {'alignment.source': 'depth', 'rectify': True}


def test_stereo_aligns_the_left_camera_unless_told_otherwise() -> None:
    module = load('stereo.launch.py')
    context = context_of(module.generate_launch_description(), left_namespace='eye')
    assert context.launch_configurations['image_topic'] == 'eye/image_raw'
    assert context.launch_configurations['alignment_source'] == 'disparity'
    context = context_of(module.generate_launch_description(), alignment_source='depth')
    assert context.launch_configurations['alignment_source'] == 'depth'


@pytest.mark.parametrize(('name', 'source'), [('lidar', 'points'), ('laser', 'scan')])
def test_a_sensor_is_aligned_to_by_its_launch_file(name: str, source: str) -> None:
    description = load(f'{name}.launch.py').generate_launch_description()
    context = context_of(description)
    assert context.launch_configurations['alignment_source'] == source


@pytest.mark.parametrize(
    ('given', 'rectify'),
    [
        ({}, 'true'),
        ({'rectify': 'false'}, 'false'),
        ({'assume_rectified': 'true'}, 'false'),
        ({'assume_rectified': 'false'}, 'true'),
    ],
)
def test_stereo_rectifies_unless_told_otherwise(given: dict[str, str], rectify: str) -> None:
    module = load('stereo.launch.py')
    context = context_of(module.generate_launch_description(), **given)
    module.rectification(context)[0].visit(context)
    assert context.launch_configurations['rectify'] == rectify


def test_stereo_says_when_the_matcher_is_missing() -> None:
    pytest.importorskip('ament_index_python')
    from ament_index_python.packages import get_packages_with_prefixes

    if 'stereo_image_proc' in get_packages_with_prefixes():
        pytest.skip('stereo_image_proc is installed here')
    module = load('stereo.launch.py')
    action = module.matcher()
    for wanted in (False, True):
        given = {'stereo_image_proc': str(wanted).lower()}
        context = context_of(module.generate_launch_description(), **given)
        assert action.condition.evaluate(context) is wanted
        assert 'not installed here' in said(context, [action])


def renamed(**given: str) -> dict[str, str]:
    """Return the outputs that nav2_depth renames, and what it says under the name ''."""
    module = load('nav2_depth.launch.py')
    context = context_of(module.generate_launch_description(), **given)
    actions = module.renamed(context)
    names = [(a.src, a.dst) for a in actions if isinstance(a, SetRemap)]
    found = {
        perform_substitutions(context, s): perform_substitutions(context, d) for s, d in names
    }
    return found | ({'': text} if (text := said(context, actions)) else {})


def test_nav2_depth_takes_the_names_of_the_tutorial() -> None:
    assert renamed() == {
        '~/depth/image_rect': 'depth_image',
        '~/depth/camera_info': 'camera_info',
        '~/points': '/pipeline/points',
        '~/points_clearing': '/pipeline/points_clearing',
    }
    kept = renamed(depth_topic='', points_topic='/camera/points', clearing_topic='')
    assert kept == {'~/points': '/camera/points'}


def test_nav2_depth_has_the_camera_info_beside_its_depth_image() -> None:
    quiet = {'points_topic': '', 'clearing_topic': ''}
    for depth, info in (('/a/depth', '/a/camera_info'), ('depth/image', 'depth/camera_info')):
        assert renamed(depth_topic=depth, **quiet)['~/depth/camera_info'] == info
    named = renamed(depth_camera_info_topic='/b/info', **quiet)
    assert named['~/depth/camera_info'] == '/b/info'


@pytest.mark.parametrize(
    'given',
    [
        {'image_topic': '/image_raw'},
        {'image_topic': 'image_raw', 'namespace': '/robot/'},
        {'image_topic': '/robot/image_raw', 'namespace': 'robot'},
        {'image_topic': '/x/image', 'camera_info_topic': '/camera_info'},
    ],
)
def test_nav2_depth_does_not_publish_on_the_camera_info_of_its_image(
    given: dict[str, str],
) -> None:
    found = renamed(**given)
    assert '~/depth/camera_info' not in found
    assert 'Set depth_camera_info_topic' in found['']
