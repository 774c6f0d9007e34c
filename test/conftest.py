"""What every test may use: the data folder beside the checkout, where there is one."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import mono_depth_ros  # noqa: F401 - before torch: its threads must not spin

# A shell starts background jobs with SIGINT ignored, and so would be all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[2] / 'shared'


@pytest.fixture(scope='session')
def shared_dir() -> Path:
    """Return the folder of real data, or skip the test with the reason."""
    if not SHARED.is_dir():
        pytest.skip(f'needs the real data in {SHARED}, which is not there')
    return SHARED


@pytest.fixture(scope='session', autouse=True)
def runtimes() -> Iterator[dict[str, tuple[str, ...]]]:
    """Return what `backend: auto` prefers to PyTorch, which tests get instead.

    So their numbers are the same whatever is installed. It does not reach other processes.
    """
    from mono_depth_ros.core.network.checkpoints import table

    real = table.RUNTIMES
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(table, 'RUNTIMES', {})
        yield real


@pytest.fixture
def small_vits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make encoder vits as small as `small_vit.SMALL`."""
    from small_vit import SMALL

    from mono_depth_ros.core.network.depth_anything import PRESETS

    monkeypatch.setitem(PRESETS, SMALL.name, SMALL)
