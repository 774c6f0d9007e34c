"""What a report says of a computer, and what it takes out of its text."""

import subprocess
import sys
from pathlib import Path

import pytest

from mono_depth_ros.cli import machine
from mono_depth_ros.cli.check.report import as_text, without_secrets

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ROOT / 'config' / 'fastdds_large.xml'


def test_the_profile_of_the_package_has_its_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('FASTRTPS_DEFAULT_PROFILES_FILE', raising=False)
    variable = 'FASTDDS_DEFAULT_PROFILES_FILE'
    facts = machine.middleware({variable: str(PROFILE), 'ROS_DOMAIN_ID': '7', 'SECRET': 'x'})
    assert facts[variable] == str(PROFILE)
    assert facts[f'profile of {variable}'] == 'segment_size 67108864, maxMessageSize 16777216'
    assert facts['ROS_DOMAIN_ID'] == '7'
    assert 'SECRET' not in facts


@pytest.mark.parametrize(
    ('text', 'said'), [(None, 'no such file'), ('<profiles/>', 'sets no sizes')]
)
def test_a_profile_that_does_nothing(text: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / 'profile.xml'
    if text is not None:
        path.write_text(text)
    assert machine.profile_sizes(path) == said


@pytest.mark.parametrize(
    ('code', 'said'),
    [
        ("__version__ = '4.1.0'", '4.1.0'),
        ('', 'loads'),
        (
            "raise ImportError('numpy.core.multiarray failed to import\\nand more')",
            'cannot be loaded: ImportError: numpy.core.multiarray failed to import',
        ),
    ],
)
def test_a_cv_bridge_that_fails_says_how(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'cv_bridge.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'cv_bridge', raising=False)
    assert machine.software()['cv_bridge'] == said
    sys.modules.pop('cv_bridge', None)


def test_this_computer_has_memory_and_cores() -> None:
    facts = machine.hardware()
    assert machine.processor() in facts['processor']
    available, total = (float(word) for word in facts['memory'].split()[:3:2])
    assert 0 < available <= total
    assert int(facts['cores'].split()[0]) >= 1


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('at /home/ada/w.pth', 'at ~/w.pth'),
        ("'/home/ada'", "'~'"),
        ('/home/adam/w.pth', '/home/<user>/w.pth'),
        ('/Users/eve/w.pth', '/Users/<user>/w.pth'),
        ("'/media/eve/disk', '/home/eve'", "'/media/<user>/disk', '/home/<user>'"),
        ('/homes/x', '/homes/x'),
        ('https://ada:pass@mirror.example/x', 'https://<credentials>@mirror.example/x'),
        ('https://mirror.example/x@3', 'https://mirror.example/x@3'),
        ('token hf_AbCdEf0123456789', 'token <token>'),
        ('hf_hub', 'hf_hub'),
        ('node of robot-3: ok', 'node of <host>: ok'),
        ('frame robot-3-base', 'frame robot-3-base'),
    ],
)
def test_what_is_private_is_taken_out(text: str, shown: str) -> None:
    assert without_secrets(text, home=Path('/home/ada'), host='robot-3') == shown


def test_sections_become_text_of_lines() -> None:
    text = as_text({'Topics': {'/image': 'two\nlines'}, 'Frames': {}})
    lines = text.splitlines()
    assert lines[0].startswith('mono_depth check --report, 20')
    assert lines[1:] == ['', '== Topics', '/image: two', '    lines', '', '== Frames', 'none']


WITHOUT_ROS = """
import sys

class NoRos:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'rclpy':
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoRos())
from mono_depth_ros.cli.main import main
sys.exit(main(['check', *sys.argv[1:]]))
"""


@pytest.mark.parametrize(('arguments', 'status'), [(['--report'], 0), ([], 1)])
def test_without_ros_there_is_a_report_and_no_check(arguments: list[str], status: int) -> None:
    run = subprocess.run(
        [sys.executable, '-c', WITHOUT_ROS, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == status, run.stderr
    assert ('none here' in run.stderr) == (status == 1)
    assert ('\nROS: none here, so that no graph can be looked at' in run.stdout) == (status == 0)
    assert ('\n== Hardware\n' in run.stdout) == (status == 0)
