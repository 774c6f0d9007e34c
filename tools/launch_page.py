"""docs/reference/launch.md: the arguments of every launch file, as the file declares them.

The files are run with stand-ins for `launch` and `launch_ros`, which have no wheel, and for what
tells the packages that are installed, so that the page comes out the same on every machine.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from mono_depth_ros.ros.paths import share_directory

from .markdown_tables import NOTE, code, table

_MAIN = 'mono.launch.py'
_HEAD = f"""\
# Launch arguments

{NOTE}

An argument that is not given changes nothing in `params_file`; one that nothing takes is warned
of with the nearest name.
Every file takes the arguments of `{_MAIN}` as well, with the defaults listed in its own section.
`ros2 launch mono_depth_ros {_MAIN} --show-args` prints them.
"""
_MODULES = (
    *('launch', 'launch.actions', 'launch.conditions', 'launch.launch_description_sources'),
    *('launch.logging', 'launch.substitutions'),
    *('ament_index_python', 'ament_index_python.packages'),
    *('launch_ros', 'launch_ros.actions', 'launch_ros.parameter_descriptions'),
)
_SHARED = ('mono_depth_ros.ros.launch_arguments', 'mono_depth_ros.ros.robot_launch')


@dataclass(frozen=True)
class LaunchArgument:
    """An argument as it is declared."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()


class _Anything:
    """A name of `launch` of which only the existence matters."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.arguments = arguments

    def get_launch_arguments(self) -> list['_Declared']:
        (entities, *_) = self.arguments
        return [entity for entity in entities if isinstance(entity, _Declared)]


class _Declared(_Anything):
    """Stands for DeclareLaunchArgument."""

    def __init__(
        self, name: str, *, default_value: Any, description: str, choices: Any = None
    ) -> None:
        default = str(default_value).replace(f'{share_directory()}/', '')
        self.name = name
        self.read = LaunchArgument(name, default, description, tuple(choices or ()))


class _Value(_Anything):
    """Stands for LaunchConfiguration."""

    def __str__(self) -> str:
        return f'<{self.arguments[0]}>'


class _Joined(_Anything):
    """Stands for PathJoinSubstitution."""

    def __str__(self) -> str:
        return '/'.join(map(str, self.arguments[0]))


_NAMES = {
    'DeclareLaunchArgument': _Declared,
    'LaunchConfiguration': _Value,
    'PathJoinSubstitution': _Joined,
}


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        return _NAMES.get(name, _Anything)


def launch_files() -> list[Path]:
    """Return all launch files, the main one first."""
    return sorted(
        (share_directory() / 'launch').glob('*.launch.py'), key=lambda p: (p.name != _MAIN, p.name)
    )


def declared_arguments(path: Path) -> tuple[str, list[LaunchArgument]]:
    """Return what a launch file says it does, and the arguments that it declares itself."""
    with _without_ros():
        spec = spec_from_file_location(path.name.partition('.')[0] + '_launch', path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        declared = module.generate_launch_description().get_launch_arguments()
    return (module.__doc__ or '').strip(), [entity.read for entity in declared]


@contextmanager
def _without_ros() -> Iterator[None]:
    with patch.dict(sys.modules, {name: _Module(name) for name in _MODULES}):
        for name in _SHARED:
            sys.modules.pop(name, None)
        yield


def launch_markdown() -> str:
    """Return the page."""
    parts = [_HEAD]
    for path in launch_files():
        summary, arguments = declared_arguments(path)
        rows = [
            (
                code(a.name),
                code(a.default),
                ', '.join(c or 'empty' for c in a.choices),
                a.description,
            )
            for a in arguments
        ]
        parts.append(f'## {path.name}\n{summary}\n')
        parts.append(table(('argument', 'default', 'allowed', ''), rows))
    return '\n'.join(parts)
