"""Fast DDS profile: what it costs, when it is used, what is said when it is not."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mono_depth_ros.ros import transport
from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.ros.transport import PROFILE_VARIABLES, bytes_per_process, large_transport

PROFILE = share_directory() / 'config' / 'fastdds_large.xml'
SEGMENT = 64 * 1024 * 1024


@pytest.fixture
def free_memory(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Set how much shared memory seems free: `free_memory.free = ...`."""
    usage = SimpleNamespace(total=1 << 40, used=0, free=1 << 40)
    monkeypatch.setattr(transport.shutil, 'disk_usage', lambda _: usage)
    return usage


def test_profile_says_what_the_budgets_assume() -> None:
    text = PROFILE.read_text()
    assert f'<segment_size>{SEGMENT}</segment_size>' in text
    assert f'<maxMessageSize>{16 * 1024 * 1024}</maxMessageSize>' in text
    assert '<type>UDPv4</type>' in text


def test_a_process_costs_what_was_measured() -> None:
    # A process with this profile was seen to hold 70.26 MB of segment and 0.76 MB beside it.
    assert 71.0e6 < bytes_per_process(PROFILE) < 75.0e6


def test_profile_is_set_under_both_names(free_memory: SimpleNamespace) -> None:
    free_memory.free = 2 * bytes_per_process(PROFILE)
    found = large_transport(PROFILE, 2, {})
    assert found.is_large
    assert found.environment == dict.fromkeys(PROFILE_VARIABLES, str(PROFILE))
    assert PROFILE_VARIABLES == ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def test_too_little_memory_leaves_fast_dds_alone_and_says_so(free_memory: SimpleNamespace) -> None:
    free_memory.free = 64 * 1024 * 1024
    found = large_transport(PROFILE, 1, {})
    assert not found.is_large
    assert found.environment == {}
    assert 'has 67 MB free' in found.message
    assert '--shm-size' in found.message


def test_every_process_counts(free_memory: SimpleNamespace) -> None:
    free_memory.free = 2 * bytes_per_process(PROFILE)
    assert large_transport(PROFILE, 2, {}).is_large
    assert not large_transport(PROFILE, 3, {}).is_large


def test_no_shared_memory_at_all(tmp_path: Path) -> None:
    found = large_transport(PROFILE, 1, {}, shared_memory=tmp_path / 'absent')
    assert found.environment == {}
    assert 'has 0 MB free' in found.message


@pytest.mark.parametrize('name', PROFILE_VARIABLES)
def test_a_profile_of_the_user_stays(free_memory: SimpleNamespace, name: str) -> None:
    found = large_transport(PROFILE, 1, {name: '/home/me/dds.xml'})
    assert found.environment == {}
    assert found.message == f'{name} is set to /home/me/dds.xml already: left as it is'


def test_another_middleware_is_left_alone(free_memory: SimpleNamespace) -> None:
    found = large_transport(PROFILE, 1, {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'})
    assert found.environment == {}
    assert 'rmw_cyclonedds_cpp' in found.message
    assert large_transport(PROFILE, 1, {'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp'}).is_large


def test_share_directory_of_a_checkout_is_the_checkout() -> None:
    assert share_directory() == Path(__file__).resolve().parents[2]
