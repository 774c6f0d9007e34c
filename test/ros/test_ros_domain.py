"""ROS domains are shared with nobody, and nodes in them hear this machine only."""

import os
from pathlib import Path

import pytest

from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.ros import ros_domain
from mono_depth_ros.ros.ros_domain import claimed_domain, ros_environment


def test_nodes_hear_only_this_machine_in_their_own_domain() -> None:
    variables = ros_environment(37)
    assert variables['ROS_DOMAIN_ID'] == '37'
    assert variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert variables['ROS_STATIC_PEERS'] == ''


def test_two_who_ask_get_different_domains(tmp_path: Path) -> None:
    with claimed_domain(tmp_path) as one, claimed_domain(tmp_path) as two:
        assert one != two
        assert {one, two} <= set(range(1, 102))
    with claimed_domain(tmp_path) as again:
        assert again == one == 1 + os.getpid() % 101


def test_no_domain_left_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ros_domain, '_DOMAINS', 1)
    with (
        claimed_domain(tmp_path) as only,
        pytest.raises(MonoDepthError, match='all 1 ROS domains are locked'),
        claimed_domain(tmp_path),
    ):
        assert only == 1
