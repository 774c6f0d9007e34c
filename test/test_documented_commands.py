"""Commands, launch arguments and parameters in README and docs are those of the code."""

import argparse
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from mono_depth_ros.cli.main import COMMANDS
from mono_depth_ros.core.settings import parameter_table
from mono_depth_ros.ros.node_settings import NodeSettings
from tools.launch_page import declared_arguments, launch_files

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob('README*.md'), *(ROOT / 'docs').rglob('*.md')])
FENCE = re.compile(r'^ *```\w*\n(.*?)^ *```', re.MULTILINE | re.DOTALL)
PARAMETERS = {row.name for row in parameter_table(NodeSettings())}
GROUPS = {name.partition('.')[0] for name in PARAMETERS if '.' in name}


def code_of(text: str) -> list[str]:
    """Return the lines of code blocks, joined where they go on, and the code spans."""
    blocks = [
        line for block in FENCE.findall(text) for line in block.replace('\\\n', '').split('\n')
    ]
    spans = re.findall(r'`([^`\n]+)`', FENCE.sub('', text))
    return [re.sub(r'\s+#.*', '', line).strip() for line in [*blocks, *spans]]


def bad_command(line: str) -> str:
    """Return what a parser of ours says against a command, '' for nothing."""
    found = re.match(r'(?:\S*/|ros2 run mono_depth_ros )?mono_depth (\S+)(.*)', line)
    if not found or '...' in line or found[1].isupper():
        return ''
    if found[1] not in COMMANDS:
        return f'{line}: no such command'
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_module(f'mono_depth_ros.cli.{COMMANDS[found[1]][0]}').add_arguments(parser)
    flags = {flag for action in all_actions(parser) for flag in action.option_strings}
    used = [word.partition('=')[0] for word in shlex.split(found[2]) if word.startswith('--')]
    unknown = [word for word in used if word.strip('[]') not in flags]
    return f'{line}: {unknown}' if unknown else ''


def all_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += [a for child in action.choices.values() for a in all_actions(child)]
    return found


def launch_arguments() -> dict[str, set[str]]:
    own = {path.name: {a.name for a in declared_arguments(path)[1]} for path in launch_files()}
    return {name: names | own['mono.launch.py'] for name, names in own.items()}


LAUNCH = launch_arguments()
ANY = set.union(*LAUNCH.values())


def bad_launch(line: str) -> str:
    """Return what no launch file takes, '' for nothing."""
    found = re.match(r'ros2 launch mono_depth_ros (\S+)(.*)', line)
    if found and found[1] not in LAUNCH:
        return f'{line}: no such launch file'
    if not found and not re.match(r'[a-z_]+:=', line):
        return ''
    takes = LAUNCH[found[1]] if found else ANY
    unknown = set(re.findall(r'(?:^|\s)([a-z_]+):=', found[2] if found else line)) - takes
    return f'{line}: {sorted(unknown)}' if unknown else ''


def bad_parameter(line: str) -> str:
    """Return a dotted name that looks like a parameter and is none, '' for nothing."""
    found = re.match(rf'(({"|".join(GROUPS)})\.[a-z_]+)(:|$)', line)
    return line if found and found[1] not in PARAMETERS else ''


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_types_is_taken(page: Path) -> None:
    lines = code_of(page.read_text())
    judged = [judge(line) for line in lines for judge in (bad_command, bad_launch, bad_parameter)]
    assert [said for said in judged if said] == []


@pytest.mark.parametrize(
    ('line', 'bad'),
    [
        ('mono_depth estimate photo.jpg -o out --fov 70 --preview', False),
        ('mono_depth weights get vits metric_indoor', False),
        ('mono_depth estimate photo.jpg --field-of-view 70', True),
        ('mono_depth weights --fov 3', True),
        ('ros2 run mono_depth_ros mono_depth paint', True),
        ('ros2 launch mono_depth_ros laser.launch.py scan_topic:=/scan', False),
        ('ros2 launch mono_depth_ros laser.launch.py lidar_beams:=3', True),
        ('ros2 launch mono_depth_ros radar.launch.py', True),
        ('camera_height:=0.4', False),
        ('camera_hight:=0.4', True),
        ('alignment.max_age', False),
        ('alignment.wait: 0.3', False),
        ('alignment.maximum_age', True),
    ],
)
def test_what_is_not_taken_is_seen(line: str, bad: bool) -> None:
    assert any(judge(line) for judge in (bad_command, bad_launch, bad_parameter)) is bad
