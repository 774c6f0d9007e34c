"""What every test may use: the data folder beside the checkout, where there is one."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / 'shared'


@pytest.fixture(scope='session')
def shared_dir() -> Path:
    """Return the folder of real data, or skip the test with the reason."""
    if not SHARED.is_dir():
        pytest.skip(f'needs the real data in {SHARED}, which is not there')
    return SHARED
