"""Parameters of the node from files, or as name=value."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import SettingsError
from ..core.files.yaml_texts import MAX_TEXT_BYTES
from ..core.network.network_settings import EstimatorSettings
from ..core.parsing import parsing, read_bytes
from ..core.pipeline import PipelineSettings
from ..core.settings import Settings, parameter_table
from ..core.yaml_loading import plain_yaml


@dataclass(frozen=True)
class OfflineSettings(Settings):
    """Settings of the node that make sense without a graph."""

    estimator: EstimatorSettings = field(default_factory=EstimatorSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pipeline.require_kind(self.network.kind)

    @property
    def network(self) -> EstimatorSettings:
        """Settings of the network, with the variant that the others ask for."""
        return self.pipeline.network_for(self.estimator)


def read_parameters(path: Path) -> dict[str, Any]:
    """Return the parameters in a file for `--params-file` of ROS, of all nodes in it, by name.

    Raises:
        SettingsError: It cannot be read, or is no such file.
    """
    text = read_bytes(path, MAX_TEXT_BYTES, SettingsError)
    found: dict[str, Any] = {}
    with parsing(path, 'YAML', SettingsError):
        for node in _nodes(plain_yaml(text.decode('utf-8-sig'))):
            found.update(_flat(node, ''))
    if not found:
        raise SettingsError(f'{path} has no parameters below ros__parameters')
    return found


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Return the parameters in texts such as cloud.stride=2, values read as in YAML.

    Raises:
        SettingsError: One is no assignment, or there is no such parameter.
    """
    rows = {row.name: row for row in parameter_table(OfflineSettings())}
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, sign, text = assignment.partition('=')
        if not sign or name not in rows:
            reason = 'must be NAME=VALUE' if not sign else f'{name} is no parameter'
            raise SettingsError(
                f'{assignment}: {reason}; docs/reference/parameters.md lists them all'
            )
        with parsing(assignment, 'value of YAML', SettingsError):
            value = plain_yaml(text)
        # A number that the user wrote without a point, and a text that looks like a number.
        kind = type(rows[name].default)
        values[name] = kind(value) if kind is float and type(value) is int else value
        if kind is str:
            values[name] = text
    return values


def _nodes(content: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what lies below each ros__parameters."""
    if isinstance(content, Mapping):
        for name, below in content.items():
            if name == 'ros__parameters' and isinstance(below, Mapping):
                yield below
            else:
                yield from _nodes(below)


def _flat(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value
