"""docs/reference/ is what the code gives, and leaves nothing out."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip('rclpy', reason='needs rclpy, whose messages the pages name')

from mono_depth_ros.cli.main import COMMANDS
from tools.api_page import public_names
from tools.launch_page import declared_arguments, launch_files
from tools.markdown_tables import plain, table
from tools.reference_docs import FOLDER, PAGES
from tools.topic_page import inputs, outputs

ROOT = Path(__file__).resolve().parents[1]
# Of ROS itself; every node has them.
OF_ROS = {'~/transition_event', '/parameter_events', '/rosout'}


@pytest.mark.parametrize('name', PAGES)
def test_page_is_as_the_command_writes_it(name: str) -> None:
    remedy = 'run python -m tools.reference_docs'
    assert (FOLDER / name).read_text() == PAGES[name](), remedy


def test_every_page_is_written_by_somebody() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*PAGES, 'parameters.md'}


@pytest.mark.parametrize(('kind', 'listed'), [('subscribe', inputs()), ('publish', outputs())])
def test_topics_are_those_of_the_policy(kind: str, listed: list[tuple[str, str, str]]) -> None:
    """A test of the policy holds that to what the node opens."""
    policy = ElementTree.parse(ROOT / 'policies' / 'mono_depth.policy.xml')
    allowed = {
        str(topic.text)
        for block in policy.iter('topics')
        for topic in block
        if block.get(kind) == 'ALLOW'
    }
    assert {name for name, _, _ in listed} == allowed - OF_ROS


def test_every_launch_file_and_its_arguments_are_there() -> None:
    page = (FOLDER / 'launch.md').read_text()
    assert len(launch_files()) == len(list((ROOT / 'launch').iterdir()))
    for path in launch_files():
        _, found, section = page.partition(f'## {path.name}\n')
        assert found
        text = path.read_text()
        for argument in declared_arguments(path)[1]:
            assert f'| `{argument.name}` |' in section.partition('\n## ')[0]
        assert ('DeclareLaunchArgument' in text) == ('| `' in section.partition('\n## ')[0])


def test_defaults_that_are_substitutions_are_readable() -> None:
    arguments = {a.name: a for a in declared_arguments(ROOT / 'launch' / 'stereo.launch.py')[1]}
    assert arguments['image_topic'].default == '<left_namespace>/image_raw'
    assert arguments['rectify'].choices == ('', 'true', 'false')
    mono = {a.name: a for a in declared_arguments(ROOT / 'launch' / 'mono.launch.py')[1]}
    assert mono['params_file'].default == 'config/mono.yaml'


def test_every_command_and_public_name_is_there() -> None:
    commands, api = ((FOLDER / f'{name}.md').read_text() for name in ('commands', 'python'))
    assert all(f'## mono_depth {name}\n' in commands for name in COMMANDS)
    assert all(f'### {name}\n' in api for name in public_names())


def test_cells_hold_any_text() -> None:
    assert plain('a|b <c>\n`<d>`') == 'a\\|b &lt;c> `<d>`'
    assert table(('x', ''), [('1', '2')]) == '| x |  |\n|---|---|\n| 1 | 2 |\n'


def topics_in(value: object) -> set[str]:
    """Return all names of topics in a layout."""
    if isinstance(value, dict):
        return set().union(*(topics_in(part) for part in (*value, *value.values())))
    return {value} if isinstance(value, str) and value.startswith('/') else set()


def panels(layout: object) -> list[str]:
    if isinstance(layout, str):
        return [layout]
    assert isinstance(layout, dict)
    return [*panels(layout['first']), *panels(layout['second'])]


def test_the_layout_for_foxglove_shows_topics_that_there_are() -> None:
    layout = json.loads((ROOT / 'config' / 'foxglove.json').read_text())
    published = {name.replace('~/', '/mono_depth/') for name, _, _ in outputs()}
    assert len(topics_in(layout['configById'])) > 6
    assert topics_in(layout['configById']) <= published
    assert sorted(panels(layout['layout'])) == sorted(layout['configById'])
