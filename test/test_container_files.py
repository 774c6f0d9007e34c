"""Container files and workflows name what is in the repository; nothing here can build them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / '.github' / 'workflows' / 'ci.yaml'


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_the_image_copies_what_is_there_and_starts_a_launch_file() -> None:
    text = (ROOT / 'docker' / 'Dockerfile').read_text()
    copied = re.findall(r'^COPY (\S+) ', text, re.MULTILINE)
    assert {'package.xml', 'requirements/on-ros.txt', '.'} < set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    (launched,) = re.findall(r'^CMD .*"(\S+\.launch\.py)"', text, re.MULTILINE)
    assert (ROOT / 'launch' / launched).is_file()


def test_containers_have_shared_memory_for_the_dds_profile() -> None:
    profile = (ROOT / 'config' / 'fastdds_large.xml').read_text()
    (segment,) = map(int, re.findall(r'<segment_size>(\d+)', profile))
    for name, service in read(ROOT / 'docker' / 'compose.yaml')['services'].items():
        assert int(service['shm_size'].removesuffix('m')) * 1_000_000 > 2 * segment
        build = service['build']
        assert build['args']['ROS_DISTRO'] == '${ROS_DISTRO:-jazzy}'
        assert service['image'] == f'mono_depth_ros:${{ROS_DISTRO:-jazzy}}-{name}'
        assert (ROOT / 'docker' / build['context'] / build['dockerfile']).is_file()


def test_ci_runs_what_a_developer_runs() -> None:
    jobs = read(WORKFLOW)['jobs']
    commands = {
        name: '\n'.join(step.get('run', '') for step in job['steps']) for name, job in jobs.items()
    }
    assert 'bash .ci/run' in commands['wheels']
    assert 'make docs' in commands['docs']
    assert 'colcon test --packages-select mono_depth_ros' in commands['ros']
    named = re.findall(r'requirements/\S+\.txt', commands['ros'])
    assert len(named) == 2
    distributions = jobs['ros']['strategy']['matrix']['distribution']
    assert distributions == ['humble', 'jazzy', 'lyrical']
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    'path', [WORKFLOW, *(ROOT / 'docker').iterdir()], ids=lambda path: str(path.name)
)
def test_a_file_that_was_not_run_says_so(path: Path) -> None:
    head = [line for line in path.read_text().splitlines()[:8] if line.startswith('#')]
    assert re.search(r'[Nn]ot (built|run) where it was written: there was no', ' '.join(head))


@pytest.mark.parametrize('path', sorted((ROOT / '.github/ISSUE_TEMPLATE').glob('*.yaml')))
def test_templates_are_forms(path: Path) -> None:
    form = read(path)
    assert {'name', 'description', 'body'} <= form.keys()
    ids = [field['id'] for field in form['body']]
    assert len(ids) == len(set(ids))


def test_a_bug_report_asks_for_the_check() -> None:
    form = read(ROOT / '.github' / 'ISSUE_TEMPLATE' / 'bug.yaml')
    (check,) = [field for field in form['body'] if field['id'] == 'check']
    assert 'mono_depth check --report' in check['attributes']['label']
    assert check['validations']['required']
