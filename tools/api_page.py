"""docs/reference/python.md: every public name of the package, by its signature and docstring."""

import ast
import dataclasses
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import mono_depth_ros
from mono_depth_ros.core.settings import Settings, described

from .markdown_tables import NOTE, code, table

_HEAD = f"""\
# Python API

{NOTE}

All that is public comes from `import mono_depth_ros`. How to use it: [python.md](../python.md).
"""
_GROUPS = {
    'Depth of images': ('MonoDepth', 'Depth'),
    'Cameras': ('PinholeCamera', 'CameraCalibration'),
    'Stereo': ('match_disparity', 'MatchingSettings'),
    'Files': ('read_map', 'read_points', 'write_depth_png', 'write_npy', 'write_ply'),
    'Settings': (
        *('PipelineSettings', 'AlignmentSettings', 'EdgeFilterSettings', 'CloudSettings'),
        *('ClearingSettings', 'ColormapSettings', 'AffineScale'),
    ),
    'Errors': (
        *('MonoDepthError', 'AlignmentError', 'CalibrationError', 'ImageError', 'PointsError'),
    ),
    'Command line': ('main',),
}


def public_names() -> set[str]:
    """Return what the package offers by itself."""
    return set(mono_depth_ros._HOMES)


def api_markdown() -> str:
    """Return the page.

    Raises:
        ValueError: A public name is in no group, or a group has one that is not public.
    """
    listed = {name for names in _GROUPS.values() for name in names}
    if listed != public_names():
        raise ValueError(f'groups and public names differ in {sorted(listed ^ public_names())}')
    parts = [_HEAD]
    for title, names in _GROUPS.items():
        parts.append(f'## {title}\n')
        parts += [_described(name, getattr(mono_depth_ros, name)) for name in names]
    return '\n'.join(parts)


def _described(name: str, thing: Any) -> str:
    node = _definition(thing)
    parts = [f'### {name}\n', f'```python\n{_signature(node)}\n```\n', _text(thing)]
    if isinstance(thing, type) and issubclass(thing, Settings):
        own = [
            (code(field), code(repr(value)), info.unit, info.description)
            for field, info, value in described(thing())
        ]
        parts.append(table(('field', 'default', 'unit', ''), own))
        nested = [f.name for f in dataclasses.fields(thing) if 'info' not in f.metadata]
        if nested:
            parts.append(f'Records in it: {", ".join(map(code, nested))}.\n')
    elif isinstance(node, ast.ClassDef) and not issubclass(thing, Exception):
        rows = [(code(_signature(m)), _summary(m)) for m in _members(node)]
        if rows:
            parts.append(table(('member', ''), rows))
    return '\n'.join(parts)


def _definition(thing: Any) -> ast.ClassDef | ast.FunctionDef:
    source = Path(str(sys.modules[thing.__module__].__file__)).read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == thing.__name__:
            return node
    raise ValueError(f'{thing.__module__} does not define {thing.__name__}')


def _signature(node: ast.ClassDef | ast.FunctionDef) -> str:
    """Return how something is called; of a record its fields, of an error its name."""
    if isinstance(node, ast.FunctionDef):
        arguments = re.sub(r'^(self|cls)(, )?', '', ast.unparse(node.args))
        is_property = any(ast.unparse(d).endswith('property') for d in node.decorator_list)
        returned = f' -> {ast.unparse(node.returns)}' if node.returns else ''
        return node.name if is_property else f'{node.name}({arguments}){returned}'
    inits = [m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == '__init__']
    if inits:
        return _signature(inits[0]).replace('__init__', node.name).removesuffix(' -> None')
    fields = [m for m in node.body if isinstance(m, ast.AnnAssign)]
    is_settings = any('Settings' in ast.unparse(base) for base in node.bases)
    if is_settings or not fields:
        return f'{node.name}()' if is_settings else node.name
    return f'{node.name}({", ".join(ast.unparse(m) for m in fields)})'


def _members(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """Return what a class offers, without what is deprecated."""
    functions = [m for m in node.body if isinstance(m, ast.FunctionDef)]
    public = [m for m in functions if not m.name.startswith('_') or m.name == '__call__']
    return [m for m in public if not _summary(m).startswith('Deprecated')]


def _summary(node: ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or '').partition('\n\n')[0]


def _text(thing: Any) -> str:
    """Return the docstring: its first paragraph as text, the rest as it is written."""
    first, _, rest = inspect.cleandoc(thing.__doc__ or '').partition('\n\n')
    return f'{first}\n' + (f'\n```text\n{rest}\n```\n' if rest else '')
