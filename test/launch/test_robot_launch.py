"""Launch files of robots: with the topics of a driver, or with a simulated robot that has them."""

from pathlib import Path
from typing import Any

import pytest

# `import launch` alone would find the folder launch/ of this repository.
pytest.importorskip('launch_ros.actions', reason='launch is not installed here (needs a ROS 2)')

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetLaunchConfiguration
from launch.utilities import perform_substitutions
from launch_ros.utilities import evaluate_parameters
from test_launch_files import SHARE, context_of, load, nodes

SENSORS = {'turtlebot': 'scan', 'outdoor_lidar': 'lidar_points', 'drone': 'landmarks'}


def robot_of(name: str, **given: str) -> tuple[LaunchContext, list[Any]]:
    """Return the context of a robot's launch file after its own part, and what that starts."""
    description = load(f'{name}.launch.py').generate_launch_description()
    context = context_of(description, **given)
    own = [e for e in description.entities if isinstance(e, OpaqueFunction)][-1]
    actions = own.visit(context) or []
    for action in actions:
        if isinstance(action, SetLaunchConfiguration):
            action.visit(context)
    return context, actions


@pytest.mark.parametrize('name', SENSORS)
def test_a_robot_has_a_file_of_parameters_and_nothing_simulated(name: str) -> None:
    context, actions = robot_of(name)
    assert actions == []
    assert context.launch_configurations['params_file'] == str(SHARE / 'config' / f'{name}.yaml')
    assert Path(context.launch_configurations['params_file']).is_file()
    assert context.launch_configurations['fixed_frame'] == 'odom'
    assert not context.launch_configurations.get('encoder')


@pytest.mark.parametrize('name', SENSORS)
def test_a_simulated_robot_publishes_what_the_node_listens_to(name: str) -> None:
    context, actions = robot_of(name, simulated='true', namespace='eye')
    (camera,) = nodes(actions)
    assert camera.node_executable == 'simulated_stereo_camera'
    assert context.launch_configurations['encoder'] == 'tiny'
    assert context.launch_configurations['variant'] == 'auto'
    mono = load('mono.launch.py')
    for entity in mono.generate_launch_description().entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.visit(context)
    heard = {'image_raw': 'image_raw', **dict(mono.remappings(context))}
    remapped = {
        perform_substitutions(context, a): perform_substitutions(context, b)
        for a, b in camera._Node__remappings
    }
    measured = 'scan' if name == 'turtlebot' else 'lidar_points'
    assert remapped['left/image_raw'] == heard['image_raw']
    assert remapped[SENSORS[name]] == heard.get(measured, measured)
    image = Path(heard['image_raw'])
    assert Path(remapped['left/camera_info']) == image.parent / 'camera_info'
    assert camera._Node__node_namespace == 'eye'


def test_what_a_user_says_of_a_simulated_robot_stays() -> None:
    given = {'encoder': 'vits', 'camera_height': '1.5', 'image_topic': '/usb/image'}
    context, actions = robot_of('turtlebot', simulated='true', **given)
    assert given.items() <= context.launch_configurations.items()
    assert context.launch_configurations['camera_pitch'] == '0.14'
    assert len(nodes(actions)) == 1


def test_the_floor_helps_the_laser_where_the_height_of_the_camera_is_known() -> None:
    without, _ = robot_of('turtlebot')
    assert not without.launch_configurations.get('alignment_source')
    for given in ({'camera_height': '0.3'}, {'simulated': 'true'}):
        context, _ = robot_of('turtlebot', **given)
        assert context.launch_configurations['alignment_source'] == 'scan,ground'
    own, _ = robot_of('turtlebot', camera_height='0.3', alignment_source='scan')
    assert own.launch_configurations['alignment_source'] == 'scan'


@pytest.mark.parametrize('beams', ['16', '64'])
def test_the_simulated_lidar_has_as_many_beams_as_given(beams: str) -> None:
    context, actions = robot_of('outdoor_lidar', simulated='true', lidar_beams=beams)
    (camera,) = nodes(actions)
    (given,) = evaluate_parameters(context, camera._Node__parameters)
    assert given['lidar_beams'] == int(beams)
    assert given['robot'] == 'outdoor_lidar'
