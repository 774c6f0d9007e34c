"""docs/reference/commands.md: the arguments of every command, as its parser has them."""

import argparse
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from mono_depth_ros.cli.main import COMMANDS

from .markdown_tables import NOTE, code, table

_HEAD = f"""\
# Commands

{NOTE}

`mono_depth` runs in any shell with the package; in a ROS 2 workspace also as `ros2 run
mono_depth_ros mono_depth`.
Exit status: 0 is done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C; `estimate` and `evaluate`
count what failed, up to 100.
What each is for, with examples: [offline.md](../offline.md), [evaluate.md](../evaluate.md),
[calibrate.md](../calibrate.md), [networks.md](../networks.md), [weights.md](../weights.md).
"""


def command_markdown() -> str:
    """Return the page."""
    parts = [_HEAD]
    for name, (module, description) in sorted(COMMANDS.items()):
        title, command = f'mono_depth {name}', argparse.ArgumentParser()
        import_module(f'mono_depth_ros.cli.{module}').add_arguments(command)
        parts.append(f'## {title}\n{description[0].upper()}{description[1:]}.\n')
        for heading, parser in _parsers(command, title):
            rows = list(_rows(parser))
            if heading != title:
                parts.append(f'### {heading}\n')
            if rows:
                parts.append(table(('argument', 'default', ''), rows))
    return '\n'.join(parts)


def _parsers(
    parser: argparse.ArgumentParser, name: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield a parser and those of its own commands, each with what is typed for it."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                yield from _parsers(child, f'{name} {word}')


def _rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        value = '' if action.nargs == 0 else f' {_value(action)}'
        flags = ', '.join(code(flag + value) for flag in action.option_strings)
        help_text = (action.help or '') % {**vars(action), 'prog': 'mono_depth'}
        yield flags or code(_value(action)), _default(action), help_text


def _value(action: argparse.Action) -> str:
    """Return what stands for the value of an argument."""
    if action.choices is not None and action.metavar is None:
        return '|'.join(map(str, action.choices))
    given = action.metavar
    return given if isinstance(given, str) else action.dest.upper()


def _default(action: argparse.Action) -> str:
    """Return the default unless there is none, or the help text states it."""
    default, is_stated = action.default, 'default' in (action.help or '')
    if is_stated or not action.option_strings or not default or default == argparse.SUPPRESS:
        return ''
    shown = isinstance(default, int | float | str | Path) and default is not True
    return code(default) if shown else ''
