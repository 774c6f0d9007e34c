"""The node's parameters, declared from the settings records of the library."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from ..core.estimator import EstimatorSettings
from ..core.pipeline import PipelineSettings
from ..core.settings import SettingInfo, Settings, described, setting


@dataclass(frozen=True)
class InputSettings(Settings):
    """What the node listens to."""

    image_transport: str = setting(
        'raw',
        'raw, or compressed for <image topic>/compressed.',
        choices=('raw', 'compressed'),
        reload=True,
    )
    frame_id: str = setting('camera_optical_frame', 'Frame of images whose own frame_id is empty.')
    max_rate: float = setting(
        0.0,
        'Most images worked on per second of their stamps; 0 = all.',
        unit='Hz',
        minimum=0.0,
        maximum=1000.0,
    )


@dataclass(frozen=True)
class OutputSettings(Settings):
    """The form of what the node publishes and saves."""

    depth_encoding: str = setting(
        '32FC1', '32FC1 (m, NaN unknown) or 16UC1 (mm, 0 unknown).', choices=('32FC1', '16UC1')
    )
    snapshot_folder: str = setting('~/.ros/mono_depth', 'Folder that ~/snapshot writes into.')
    autostart: bool = setting(
        True,
        'Configure and activate without a lifecycle manager; read at start only.',
        reload=True,
    )


@dataclass(frozen=True)
class NodeSettings(Settings):
    """Everything the node can be told, in the order of the parameter table."""

    estimator: EstimatorSettings = field(default_factory=EstimatorSettings)
    inputs: InputSettings = field(default_factory=InputSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pipeline.require_kind(self.estimator.kind)


class Parameter(NamedTuple):
    """One row of the parameter table.

    Attributes:
        name: As ROS knows it.
        path: Field names from `NodeSettings` down to the value.
        info: What the user is told.
        default: Its default.
    """

    name: str
    path: tuple[str, ...]
    info: SettingInfo
    default: Any


_PREFIXED = ('edge_filter', 'cloud', 'colormap')
"""Records whose field name is part of their parameters' names."""


def parameter_table() -> list[Parameter]:
    """Return all parameters in the order of the records."""
    return list(_rows(NodeSettings(), ()))


def _rows(record: Settings, path: tuple[str, ...]) -> Iterator[Parameter]:
    prefix = ''.join(f'{name}.' for name in path if name in _PREFIXED)
    for name, info, default in described(record):
        yield Parameter(prefix + name, (*path, name), info, default)
    for item in dataclasses.fields(record):
        value = getattr(record, item.name)
        if isinstance(value, Settings):
            yield from _rows(value, (*path, item.name))


_TABLE = {row.name: row for row in parameter_table()}


def declare(node: Node) -> NodeSettings:
    """Declare every parameter and return their values.

    Raises:
        SettingsError: A value cannot be, alone or beside the others.
    """
    names = node.declare_parameters(
        '', [(row.name, row.default, _descriptor(row)) for row in _TABLE.values()]
    )
    return updated(NodeSettings(), {parameter.name: parameter.value for parameter in names})


def updated(settings: NodeSettings, values: Mapping[str, Any]) -> NodeSettings:
    """Return the settings with the named parameters changed; other names are ignored.

    Raises:
        SettingsError: A value cannot be, alone or beside the others.
    """
    paths = {_TABLE[name].path: value for name, value in values.items() if name in _TABLE}
    return _replaced(settings, paths)


def _replaced(record: Any, values: Mapping[tuple[str, ...], Any]) -> Any:
    """Return a record with the values at the ends of their paths replaced, each level once."""
    changes: dict[str, Any] = {path[0]: v for path, v in values.items() if len(path) == 1}
    for name in {path[0] for path in values if len(path) > 1}:
        below = {path[1:]: v for path, v in values.items() if path[0] == name and len(path) > 1}
        changes[name] = _replaced(getattr(record, name), below)
    return dataclasses.replace(record, **changes)


def needing_reload(names: Iterable[str]) -> list[str]:
    """Return those of the parameters that may change only while the node is not active."""
    return [name for name in names if name in _TABLE and _TABLE[name].info.reload]


def _descriptor(row: Parameter) -> ParameterDescriptor:
    info = row.info
    constraints = []
    if info.choices:
        constraints.append('one of ' + ', '.join(info.choices))
    if info.reload:
        constraints.append('changes only while the node is not active')
    descriptor = ParameterDescriptor(
        description=info.description + (f' [{info.unit}]' if info.unit else ''),
        additional_constraints='; '.join(constraints),
    )
    if info.minimum is not None and info.maximum is not None:
        if isinstance(row.default, float):
            bounds = FloatingPointRange(from_value=info.minimum, to_value=info.maximum)
            descriptor.floating_point_range = [bounds]
        else:
            whole = IntegerRange(from_value=int(info.minimum), to_value=int(info.maximum))
            descriptor.integer_range = [whole]
    return descriptor
