"""Texts in parameter files arrive as the texts they were, whatever YAML or ROS makes of them."""

from pathlib import Path

import pytest
import yaml
from harness import Graph
from rclpy.node import Node
from rclpy.parameter import Parameter

from mono_depth_ros.core.files.yaml_texts import dump_parameters

TEXTS = (
    *('yes', 'No', 'on', 'OFF', 'y', 'N', 'true', 'False', '~', 'null', 'Null', ''),
    *('nan', '.nan', 'inf', '-inf', '.inf', '+.INF', '1', '-1', '1.0', '1e3', '.5', '0x10', '010'),
    *('0o7', '0b1', '1_000', '12:30:45', '190:20:30.15', '2001-01-01', '=', '<<'),
    *(' a', 'a ', "it's", "''", '"', '#', 'a #b', 'a: b', 'a:', '- a', '-', '?', '[', '{a: b}'),
    *(
        '*a',
        '&a',
        '!a',
        '%a',
        '@a',
        '`a',
        '|',
        '>',
        ',',
        'a\\b',
        '~/.ros/mono_depth',
        'Tür',
        '深度',
    ),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    values = {f'text_{i}': text for i, text in enumerate(TEXTS)}
    numbers = {'whole': 80.0, 'tiny': 1e-7, 'large': 1e22, 'count': 3, 'is_on': True}
    path = tmp_path / 'texts.yaml'
    path.write_text(dump_parameters({'/**': {'ros__parameters': {**values, 'group': numbers}}}))
    return path


def test_yaml_reads_them_back(file: Path) -> None:
    read = yaml.safe_load(file.read_text())['/**']['ros__parameters']
    assert [read[f'text_{i}'] for i in range(len(TEXTS))] == list(TEXTS)
    group = read['group']
    assert (group['whole'], group['count'], group['is_on']) == (80.0, 3, True)


def test_ros_reads_them_back(file: Path, graph: Graph) -> None:
    node = Node(
        'text_reader',
        context=graph.context,
        cli_args=['--ros-args', '--params-file', str(file)],
        use_global_arguments=False,
        automatically_declare_parameters_from_overrides=True,
    )
    read = [node.get_parameter(f'text_{i}') for i in range(len(TEXTS))]
    assert {p.type_ for p in read} == {Parameter.Type.STRING}
    assert [p.value for p in read] == list(TEXTS)
    values = {
        name: node.get_parameter(f'group.{name}').value for name in ('whole', 'tiny', 'large')
    }
    assert values == {'whole': 80.0, 'tiny': 1e-7, 'large': 1e22}
    assert all(isinstance(value, float) for value in values.values())
    assert node.get_parameter('group.count').value == 3
    assert node.get_parameter('group.is_on').value is True
    node.destroy_node()
