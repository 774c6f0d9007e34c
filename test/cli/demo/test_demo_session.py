"""Processes end with their session, however it ends; domains are shared with nobody."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mono_depth_ros.cli.demo.domain import claimed_domain
from mono_depth_ros.cli.demo.session import Session, ros_environment
from mono_depth_ros.core.errors import MonoDepthError

BOUND_S = 30.0
# Modules of the standard library that run until they are ended, or end at once.
SERVER = ('http.server', ['--bind', '127.0.0.1', '0'])
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
time.sleep(600)
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except FileNotFoundError:
        return False
    return state != 'Z'


def pids_of(session: Session) -> list[int]:
    return [process.pid for process in session._running.values()]


def test_leaving_ends_every_process(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        session.start('one', *SERVER)
        session.start('two', *SERVER)
        pids = pids_of(session)
        session.check()
        assert all(map(is_running, pids))
    assert not any(map(is_running, pids))


def test_an_exception_ends_them_too(tmp_path: Path) -> None:
    pids = []

    def interrupted() -> None:
        with Session(tmp_path) as session:
            session.start('one', *SERVER)
            pids.extend(pids_of(session))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(pids) == 1
    assert not is_running(pids[0])


def test_a_deaf_process_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('mono_depth_ros.cli.demo.session._GOODBYE_S', 0.2)
    (tmp_path / 'deaf.py').write_text(STUBBORN)
    with Session(tmp_path, {'PYTHONPATH': str(tmp_path)}) as session:
        session.start('stubborn', 'deaf', [])
        wait_until(lambda: 'deaf' in session.log('stubborn').read_text())
        assert session.stop() == {'stubborn': -signal.SIGKILL}


def test_a_process_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        session.start('short', 'no_such_module_at_all', [])
        (pid,) = pids_of(session)
        wait_until(lambda: not is_running(pid))
        with pytest.raises(MonoDepthError) as error:
            session.check()
    lines = str(error.value).splitlines()
    assert lines[0] == 'short ended with status 1'
    assert lines[-1].startswith('  short: ')
    assert lines[-1].endswith('No module named no_such_module_at_all')


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux tells a child of its parent')
def test_even_when_the_demo_is_killed_its_processes_end(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            *(sys.executable, '-c'),
            'import sys, time\n'
            'from pathlib import Path\n'
            'from mono_depth_ros.cli.demo.session import Session\n'
            f'session = Session(Path({str(tmp_path)!r}))\n'
            f'session.start("server", *{SERVER!r})\n'
            'print(session._running["server"].pid, flush=True)\n'
            'time.sleep(600)',
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        pid = int(parent.stdout.readline())
        assert is_running(pid)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not is_running(pid))


def test_nodes_hear_only_this_machine_in_their_own_domain() -> None:
    variables = ros_environment(37)
    assert variables['ROS_DOMAIN_ID'] == '37'
    assert variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert variables['ROS_STATIC_PEERS'] == ''


def test_two_demos_get_different_domains(tmp_path: Path) -> None:
    with claimed_domain(tmp_path) as one, claimed_domain(tmp_path) as two:
        assert one != two
        assert {one, two} <= set(range(1, 102))
    with claimed_domain(tmp_path) as again:
        assert again == one == 1 + os.getpid() % 101


def test_no_domain_left_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('mono_depth_ros.cli.demo.domain._DOMAINS', 1)
    with (
        claimed_domain(tmp_path) as only,
        pytest.raises(MonoDepthError, match='all 1 ROS domains are locked'),
        claimed_domain(tmp_path),
    ):
        assert only == 1


def test_ctrl_c_while_a_process_is_being_started_does_not_lose_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen
    pids = []

    def interrupted(*arguments: object, **options: object) -> 'subprocess.Popen[bytes]':
        process = popen(*arguments, **options)
        pids.append(process.pid)
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr(subprocess, 'Popen', interrupted)
    with pytest.raises(KeyboardInterrupt), Session(tmp_path) as session:
        session.start('one', *SERVER)
    assert len(pids) == 1
    assert not is_running(pids[0])
