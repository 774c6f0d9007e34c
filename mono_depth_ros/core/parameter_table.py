"""Settings records as a flat table of parameters by name, as ROS and command lines know them."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from .settings import SettingInfo, Settings, check, described

Record = TypeVar('Record', bound=Settings)


class Parameter(NamedTuple):
    """A parameter by its name in ROS; `path` leads from the outermost record to the value."""

    name: str
    path: tuple[str, ...]
    info: SettingInfo
    default: Any


_PREFIXED = ('alignment', 'edge_filter', 'cloud', 'clearing', 'colormap')
"""Records whose field name is part of their parameters' names."""


def parameter_table(defaults: Settings, path: tuple[str, ...] = ()) -> list[Parameter]:
    """Return all parameters of a record, at a path, and the records in it, in their order."""
    prefix = ''.join(f'{name}.' for name in path if name in _PREFIXED)
    rows = [
        Parameter(prefix + n, (*path, n), info, value) for n, info, value in described(defaults)
    ]
    for item in dataclasses.fields(defaults):
        value = getattr(defaults, item.name)
        if isinstance(value, Settings):
            rows += parameter_table(value, (*path, item.name))
    return rows


def updated(settings: Record, values: Mapping[str, Any]) -> Record:
    """Return the settings with the named parameters changed; other names are ignored.

    Raises:
        SettingsError: A value is invalid, or conflicts with another.
    """
    rows = parameter_table(settings)
    changes = {row: values[row.name] for row in rows if row.name in values}
    for row, value in changes.items():
        # Under its full name, of which a record knows the last part only.
        check(row.name, row.info, value)
        if row.info.validate is not None and value != row.default:
            row.info.validate(value)
    changed: Record = _replaced(settings, {row.path: value for row, value in changes.items()})
    return changed


def needing_reload(settings: Settings, values: Mapping[str, Any]) -> list[str]:
    """Return the names whose values here differ and may change only while not active."""
    rows = [row for row in parameter_table(settings) if row.info.reload]
    return [row.name for row in rows if values.get(row.name, row.default) != row.default]


def _replaced(record: Any, values: Mapping[tuple[str, ...], Any]) -> Any:
    """Return a record with the values at the ends of their paths replaced, each level once."""
    changes: dict[str, Any] = {path[0]: v for path, v in values.items() if len(path) == 1}
    for name in {path[0] for path in values if len(path) > 1}:
        below = {path[1:]: v for path, v in values.items() if path[0] == name and len(path) > 1}
        changes[name] = _replaced(getattr(record, name), below)
    return dataclasses.replace(record, **changes)
