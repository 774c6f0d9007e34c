"""Parameters: one table behind node, YAML and docs; what cannot be is refused with a reason."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Graph, Running
from rclpy.node import Node

from mono_depth_ros.core.settings import needing_reload, parameter_table, updated
from mono_depth_ros.ros.node_settings import NodeSettings
from mono_depth_ros.ros.parameters import declare
from tools.parameter_docs import PAGE, parameter_markdown, parameter_yaml

ROOT = Path(__file__).resolve().parents[2]
YAML = ROOT / 'config' / 'mono.yaml'
TABLE = parameter_table(NodeSettings())
DEFAULTS = [(row.name, row.default) for row in TABLE]


def flattened(tree: dict[str, Any], prefix: str = '') -> list[tuple[str, Any]]:
    found = []
    for name, value in tree.items():
        if isinstance(value, dict):
            found += flattened(value, f'{prefix}{name}.')
        else:
            found.append((prefix + name, value))
    return found


def test_every_name_occurs_once_and_has_a_description() -> None:
    names = [row.name for row in TABLE]
    assert len(set(names)) == len(names)
    assert {'encoder', 'scale', 'edge_filter.threshold', 'cloud.stride', 'autostart'} < set(names)
    assert [row.name for row in TABLE if len(row.info.description) < 10] == []


def test_yaml_is_the_table_in_its_order() -> None:
    parameters = flattened(yaml.safe_load(YAML.read_text())['/**']['ros__parameters'])
    assert parameters == DEFAULTS
    assert [type(value) for _, value in parameters] == [type(value) for _, value in DEFAULTS]


def test_yaml_says_in_one_line_what_each_parameter_is() -> None:
    lines = YAML.read_text().splitlines()
    for row in TABLE:
        (at,) = [
            i for i, line in enumerate(lines) if line.lstrip().startswith(f'{row.path[-1]}: ')
        ]
        comment = lines[at - 1].strip()
        assert comment.startswith('# ')
        assert row.info.description in comment
        assert not lines[at - 2].lstrip().startswith('# ') or at - 2 < 3
        assert ('* ' in comment[:4]) == row.info.reload


def test_page_is_the_table_in_its_order() -> None:
    rows = re.findall(r'^\| `(\S+)`( \*)? \| `(.*?)` \|', PAGE.read_text(), re.MULTILINE)
    assert [(name, yaml.safe_load(default)) for name, _, default in rows] == DEFAULTS
    assert [bool(star) for _, star, _ in rows] == [row.info.reload for row in TABLE]


def test_yaml_and_page_are_as_the_command_writes_them() -> None:
    remedy = 'run python -m tools.parameter_docs'
    assert YAML.read_text() == parameter_yaml(NodeSettings()), remedy
    assert PAGE.read_text() == parameter_markdown(NodeSettings()), remedy


def test_node_takes_the_yaml_as_it_is(graph: Graph) -> None:
    arguments = ['--ros-args', '--params-file', str(YAML)]
    node = Node(
        'yaml_reader', context=graph.context, cli_args=arguments, use_global_arguments=False
    )
    assert declare(node, NodeSettings()) == NodeSettings()
    node.destroy_node()


def test_updated_replaces_values_in_every_record() -> None:
    settings = updated(NodeSettings(), {'cloud.stride': 3, 'max_depth': 9.0, 'use_sim_time': True})
    assert (settings.pipeline.cloud.stride, settings.pipeline.max_depth) == (3, 9.0)
    assert settings.pipeline.min_depth == NodeSettings().pipeline.min_depth
    assert settings.estimator == NodeSettings().estimator


def test_only_changed_values_need_a_reload() -> None:
    values = {'encoder': 'vits', 'device': 'cpu', 'max_depth': 3.0}
    assert needing_reload(NodeSettings(), values) == ['device']


@pytest.fixture(scope='module')
def metric(graph: Graph) -> Running:
    """A node of a metric network; no weights are needed to talk about its parameters."""
    return graph.start({'encoder': 'vits', 'variant': 'metric_indoor', 'autostart': False})


@pytest.fixture(scope='module')
def relative(graph: Graph, weights: Path) -> Running:
    return graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights), 'autostart': False}
    )


def test_descriptors_show_unit_range_choices_and_reload(metric: Running) -> None:
    scale, max_depth, stride, encoder = metric.describe(
        ['scale', 'max_depth', 'cloud.stride', 'encoder']
    )
    assert scale.description.endswith('[1/m]')
    assert not scale.additional_constraints
    (bounds,) = max_depth.floating_point_range
    assert (bounds.from_value, bounds.to_value) == (0.01, 10000.0)
    (whole,) = stride.integer_range
    assert (whole.from_value, whole.to_value) == (1, 64)
    assert 'one of vits, vitb, vitl, vitg, zipdepth, tiny' in encoder.additional_constraints
    assert 'only while the node is not active' in encoder.additional_constraints
    assert not any(d.read_only for d in (scale, max_depth, stride, encoder))


@pytest.mark.parametrize(
    ('values', 'reason'),
    [
        ({'max_depth': 10001.0}, r'max_depth out of range .*value: 10001\.0'),
        ({'max_depth': float('nan')}, 'max_depth'),
        ({'cloud__stride': 0}, r'cloud\.stride out of range\. .*value: 0'),
        ({'max_depth': 80}, 'Wrong parameter type, expected'),
        ({'cloud__stride': 2.0}, 'Wrong parameter type, expected'),
        ({'rectify': 1}, 'Wrong parameter type, expected'),
        ({'encoder': 7}, 'Wrong parameter type, expected'),
        (
            {'encoder': 'huge'},
            "encoder is 'huge'; choose one of vits, vitb, vitl, vitg, zipdepth, tiny",
        ),
        ({'depth_encoding': '64FC1'}, "depth_encoding is '64FC1'; choose one of 32FC1, 16UC1"),
        ({'alignment__source': 'lidar'}, "alignment.source is 'lidar'; choose one of none, "),
        ({'min_depth': 90.0}, r'min_depth is 90\.0 m and max_depth 80\.0 m; .* smaller'),
        ({'cloud__organized': True, 'cloud__voxel_size': 0.1}, r'cloud\.voxel_size is 0\.1 m'),
        ({'scale': 0.5}, r'scale is 0\.5 .*relative network; for a metric one use depth_scale'),
        ({'shift': 0.5}, r'shift 0\.5, .*for a metric one use depth_scale'),
        (
            {'encoder': 'zipdepth'},
            "no variant 'metric_indoor' of encoder 'zipdepth'; possible are\n  vits",
        ),
        ({'max_depth': 5.0, 'scale': 0.5}, r'scale is 0\.5'),
        ({'no_such_thing': 1.0}, 'undeclared'),
    ],
    ids=str,
)
def test_refused_with_the_reason(metric: Running, values: dict[str, Any], reason: str) -> None:
    known = [name.replace('__', '.') for name in values if name != 'no_such_thing']
    before = [metric.get(name) for name in known]
    assert re.search(reason, metric.set(**values), re.DOTALL)
    assert [metric.get(name) for name in known] == before
    assert metric.set(max_depth=70.0) == ''
    assert metric.set(max_depth=80.0) == ''


def test_depth_scale_is_refused_on_a_relative_network(relative: Running) -> None:
    reason = relative.set(depth_scale=1.1)
    assert 'depth_scale is 1.1' in reason
    assert 'use scale and shift' in reason
    assert relative.set(scale=0.5, shift=0.1) == ''
    assert relative.get('scale') == 0.5


def test_what_belongs_together_can_be_set_together(relative: Running) -> None:
    assert relative.set(scale=0.5) == ''
    together = {'encoder': 'vits', 'variant': 'metric_outdoor', 'depth_scale': 1.1}
    assert 'scale is 0.5' in relative.set(**together)
    assert relative.set(**together, scale=0.0, shift=0.0) == ''
    assert relative.get('encoder') == 'vits'
