"""Settings as frozen records: the one home of each default, unit, range and description."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from .errors import SettingsError

T = TypeVar('T', bool, int, float, str)


@dataclass(frozen=True)
class SettingInfo:
    """What a user is told about one setting, and what its value is held to.

    Attributes:
        description: One sentence, for `ros2 param describe` and the README.
        minimum: Inclusive, as is `maximum`.
        choices: The only allowed values, if any are listed.
        reload: Whether a change needs the network to be loaded again.
        validate: Looks at the machine when a user sets another value, such as whether a file
            exists, and raises `SettingsError`; a record itself does no I/O.
    """

    description: str
    unit: str = ''
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
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
    if info.choices and value not in info.choices:
        raise SettingsError(f'{name} is {value!r}; choose one of {", ".join(info.choices)}')
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    unit = f' {info.unit}' if info.unit else ''
    if not math.isfinite(value):
        raise SettingsError(f'{name} is {value}; it must be a finite number')
    if info.minimum is not None and value < info.minimum:
        raise SettingsError(f'{name} is {value}{unit}; it must be at least {info.minimum}{unit}')
    if info.maximum is not None and value > info.maximum:
        raise SettingsError(f'{name} is {value}{unit}; it must be at most {info.maximum}{unit}')
