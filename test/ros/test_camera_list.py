"""The list of cameras of one process: names, or a YAML file of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.scale.sources import SOURCES
from mono_depth_ros.ros.camera_list import INPUTS, ListedCamera, cameras_of, read_cameras

LIST = """
- front
- name: rear
  topics: {image_raw: /back/image, '~/points': /cloud}
  parameters:
    max_rate: 5.0
    alignment: {source: scan, max_age: 1.0}
"""


def test_names_with_commas() -> None:
    assert read_cameras('front, left,rear') == [ListedCamera(n) for n in ('front', 'left', 'rear')]


def test_a_file_gives_topics_and_parameters(tmp_path: Path) -> None:
    (tmp_path / 'cameras.yaml').write_text(LIST)
    front, rear = read_cameras(str(tmp_path / 'cameras.yaml'))
    assert front == ListedCamera('front')
    assert rear.parameters == {
        'max_rate': 5.0,
        'alignment.source': 'scan',
        'alignment.max_age': 1.0,
    }
    options = rear.node_options('/robot')
    assert options['cli_args'] == [
        *('--ros-args', '-r', '__ns:=/robot/rear'),
        *('-r', 'image_raw:=/back/image', '-r', '~/points:=/cloud'),
    ]
    assert {p.name: p.value for p in options['parameter_overrides']} == rear.parameters
    assert front.node_options('/')['cli_args'][-1] == '__ns:=/front'


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('front,front', 'front twice'),
        ('front,,rear', "'' is no name"),
        ('front,2nd', "'2nd' is no name"),
        ('front,a b', "'a b' is no name"),
        ('nowhere.yaml', 'nowhere.yaml cannot be read'),
    ],
)
def test_a_list_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        read_cameras(text)


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ('', 'empty'),
        ('[]', 'lists no camera'),
        ('front: {}', 'no list of cameras'),
        ('- 3', '3 is no camera'),
        ('- {topics: {}}', 'is no camera'),
        ('- {name: front, topic: {}}', 'has topic; its keys are name, topics, parameters'),
        ('- {name: front, topics: {image: /a}}', "no topic 'image'; its inputs are image_raw"),
        ('- {name: front, topics: {image_raw: 3}}', '3 is no topic for image_raw'),
        ('- {name: front, topics: {image_raw: a b}}', "'a b' is no topic for image_raw"),
        ('- {name: front, topics: {scan: ~}}', 'None is no topic for scan'),
        ('- {name: front, topics: {scan: "~"}}', "'~' is no topic for scan"),
        ('- {name: front, topics: {scan: "{ns}/scan"}}', 'is no topic for scan'),
        ('- {name: front, topics: {scan: "{node}/scan"}}', 'is no topic for scan'),
        ('- {name: front, topics: [image_raw]}', 'must be mappings'),
        ('- {name: front, topics: 0}', 'must be mappings'),
        ('- {name: front, topics: null}', 'must be mappings'),
        ('- {name: front, parameters: false}', 'must be mappings'),
        ('- {name: front, parameters: {bogus: {}}}', 'no parameter bogus'),
        ('- {name: front, parameters: fast}', 'must be mappings'),
        ('- {name: front, parameters: {max_rate: [1, a]}}', 'camera front: max_rate is'),
        ('- {name: front, parameters: {max_rate: 2026-11-28}}', 'camera front: max_rate is'),
        (
            '- {name: front, parameters: {max_rat: 3.0}}',
            'max_rat; did you mean max_rate',
        ),
        ('- {name: front, parameters: {alignment: {sorce: scan}}}', 'parameter alignment.sorce'),
        ('- {name: front, parameters: {mask: null}}', 'mask is None; that is no value'),
        (
            '- {name: front, parameters: {alignment.source: scan, alignment: {source: depth}}}',
            'has alignment.source twice',
        ),
        ('- {name: front, topics: {image_raw: null}}', 'None is no topic for image_raw'),
        ('- {name: front, topics: {image_raw: /a//b}}', "'/a//b' is no topic for image_raw"),
        ("- {name: front, topics: {image_raw: '/{a}'}}", "'/{a}' is no topic for image_raw"),
        (r'- {name: front, topics: {image_raw: "a\0b"}}', 'is no topic for image_raw'),
        ("- {name: front, topics: {'~/point': /a}}", "no topic '~/point'.*did you mean ~/points"),
        ("- {name: front, topics: {'~/': /a}}", "no topic '~/'.*outputs begin with"),
        ('- {name: front, topics: {[a]: /a}}', 'damaged or no YAML'),
        ("- ''", "'' is no name"),
        (r'- "front\0"', 'is no name'),
        (r'- "front\n"', 'is no name'),
        ('- front\n- {name: front}', 'front twice'),
        ('- {name: front, name: rear}', 'name stands twice'),
        ('- front\n---\n- rear', 'damaged or no YAML'),
        ('- [', 'damaged or no YAML'),
        ('\x00', 'damaged or no YAML'),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / 'cameras.yaml'
    path.write_text(content)
    with pytest.raises(SettingsError, match=reason):
        read_cameras(str(path))


def test_parameters_of_every_node_are_taken_too(tmp_path: Path) -> None:
    path = tmp_path / 'cameras.yaml'
    topic = 'qos_overrides: {/a/mono_depth/points: {publisher: {depth: 5}}}'
    path.write_text(f'- {{name: a, parameters: {{use_sim_time: true, {topic}}}}}')
    (camera,) = read_cameras(str(path))
    assert set(camera.parameters) == {
        'use_sim_time',
        'qos_overrides./a/mono_depth/points.publisher.depth',
    }


@pytest.mark.parametrize(
    'override', ['nonsense', '/a/points', '/a/points.publisher', '/a/points.publisher.liveliness']
)
def test_an_override_of_quality_of_another_form_is_refused(tmp_path: Path, override: str) -> None:
    path = tmp_path / 'cameras.yaml'
    path.write_text(f'- {{name: a, parameters: {{qos_overrides.{override}: 5}}}}')
    with pytest.raises(
        SettingsError, match=f'has no parameter qos_overrides.{override}.*points.pub'
    ):
        read_cameras(str(path))


def test_the_command_line_names_one_list() -> None:
    ros = ['--ros-args', '-p', 'encoder:=tiny', '--']
    assert [c.name for c in cameras_of(['program', 'a,b', *ros])] == ['a', 'b']
    for given in ([], ['a', 'b']):
        with pytest.raises(SettingsError, match=f'and {len(given)} are given'):
            cameras_of(['program', *given, *ros])


def test_inputs_are_those_of_the_sources() -> None:
    topics = {source.topic for source in SOURCES.values() if source.topic}
    assert topics == set(INPUTS) - {'image_raw', 'camera_info', 'imu'}


def test_a_launch_file_that_reads_a_list_does_not_import_pytorch() -> None:
    """It would take seconds, and tools that stand in for `launch` forget what is imported."""
    code = 'import sys, mono_depth_ros.ros.camera_list; print("torch" in sys.modules)'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == 'False'
