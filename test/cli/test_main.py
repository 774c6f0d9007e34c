"""How a command ends."""

import argparse
import os
import signal
import time
from types import SimpleNamespace

import pytest

from mono_depth_ros.cli import main as command_line
from mono_depth_ros.core.errors import MonoDepthError


def ending(
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    interrupted: signal.Signals | None = None,
) -> int:
    """Return the exit status of a command that ends with an error."""

    def run(_: argparse.Namespace) -> int:
        try:
            if interrupted is not None:
                os.kill(os.getpid(), interrupted)
                time.sleep(10)
        except KeyboardInterrupt:
            pass
        raise error('it did not come through')

    module = SimpleNamespace(add_arguments=lambda _: None, run=run)
    monkeypatch.setattr(command_line, 'import_module', lambda *_: module)
    return command_line.main(['view'])


@pytest.mark.parametrize('interrupted', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('error', [MonoDepthError, RuntimeError, ImportError])
def test_what_a_library_makes_of_ctrl_c_is_still_ctrl_c(
    error: type[Exception],
    interrupted: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = signal.getsignal(interrupted)
    assert ending(monkeypatch, error, interrupted) == 130
    assert capsys.readouterr().err == 'mono_depth view: stopped\n'
    assert signal.getsignal(interrupted) is before


def test_errors_without_ctrl_c_are_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(monkeypatch, MonoDepthError) == 1
    assert 'it did not come through' in capsys.readouterr().err
    with pytest.raises(RuntimeError, match='come through'):
        ending(monkeypatch, RuntimeError)
