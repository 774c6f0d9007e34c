"""Settings as frozen records: the one home of each default, unit, range and description.

They are also a flat table of parameters by name, as ROS and command lines know them.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .errors import SettingsError

T = TypeVar('T', bool, int, float, str)


@dataclass(frozen=True)
class SettingInfo:
    """What a user is told about one setting, and what its value is held to.

    Attributes:
        description: One sentence, for `ros2 param describe` and the docs.
        limits: Lowest and highest allowed value of a number.
        choices: The only allowed values, if any are listed.
        several: Whether a text may name several of the choices, separated by commas.
        reload: Whether a change needs the network to be loaded again.
        validate: Looks at the machine when a user sets another value, such as whether a file
            exists, and raises `SettingsError`; a record itself does no I/O.
    """

    description: str
    unit: str = ''
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    several: bool = False
    reload: bool = False
    validate: Callable[[Any], None] | None = None


def setting(default: T, description: str, **info: Any) -> T:
    """Declare a field of a settings record by its default and the rest of its `SettingInfo`."""
    metadata = {'info': SettingInfo(description, **info)}
    field: T = dataclasses.field(default=default, metadata=metadata)
    return field


@dataclass(frozen=True)
class Settings:
    """Base of all settings records; a record that exists is valid."""

    def __post_init__(self) -> None:
        types = {field.name: type(field.default) for field in dataclasses.fields(self)}
        for name, info, value in described(self):
            _check_type(name, types[name], value)
            check(name, info, value)


def described(record: Settings) -> Iterator[tuple[str, SettingInfo, Any]]:
    """Yield (name, info, value) of a record's own settings, nested records left out."""
    for field in dataclasses.fields(record):
        if 'info' in field.metadata:
            yield field.name, field.metadata['info'], getattr(record, field.name)


def _check_type(name: str, expected: type, value: Any) -> None:
    # bool is a kind of int in Python, and an int serves as a float.
    fits = isinstance(value, (int, float) if expected is float else expected)
    if not fits or (isinstance(value, bool) and expected is not bool):
        raise SettingsError(f'{name} is {value!r}; it must be of type {expected.__name__}')


def check(name: str, info: SettingInfo, value: Any) -> None:
    """Raise `SettingsError` if `value` is not allowed for the setting `name`."""
    if info.choices:
        _check_choice(name, info, value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    unit = f' {info.unit}' if info.unit else ''
    if not math.isfinite(value):
        raise SettingsError(f'{name} is {value}; it must be a finite number')
    low, high = info.limits or (value, value)
    if value < low:
        raise SettingsError(f'{name} is {value}{unit}; it must be at least {low}{unit}')
    if value > high:
        raise SettingsError(f'{name} is {value}{unit}; it must be at most {high}{unit}')


def named(text: str) -> tuple[str, ...]:
    """Return what a text names, separated by commas."""
    return tuple(word.strip() for word in text.split(','))


def _check_choice(name: str, info: SettingInfo, value: str) -> None:
    words = named(value) if info.several else (value,)
    if not set(words) <= set(info.choices):
        several = ', or several of them, separated by commas' if info.several else ''
        listed = ', '.join(info.choices)
        raise SettingsError(f'{name} is {value!r}; choose one of {listed}{several}')
    if len(set(words)) < len(words):
        raise SettingsError(f'{name} is {value!r}; name each of them once')


def user_path(name: str, value: str) -> Path:
    """Return the path that a setting names, `~` expanded; there need be nothing at it.

    Raises:
        SettingsError: There is no such user, or the system cannot look up such a path.
    """
    try:
        path = Path(value).expanduser()
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    # RuntimeError: no such user. ValueError: a NUL.
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingsError(f'{name} is {value!r}: {error}', 'name another path') from error
    return path


Record = TypeVar('Record', bound=Settings)


class Parameter(NamedTuple):
    """A parameter by its name in ROS; `path` leads from the outermost record to the value."""

    name: str
    path: tuple[str, ...]
    info: SettingInfo
    default: Any


_PREFIXED = ('alignment', 'edge_filter', 'cloud', 'ground', 'clearing', 'colormap')
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
