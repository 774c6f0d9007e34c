"""The policy for SROS 2 names what the node really opens, in all of its settings."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from harness import Graph, Running, wait_until

from mono_depth_ros.core.scale.sources import SOURCES

POLICY = Path(__file__).resolve().parents[2] / 'policies' / 'mono_depth.policy.xml'
KINDS = {
    'subscribe': 'get_subscriber_names_and_types_by_node',
    'publish': 'get_publisher_names_and_types_by_node',
    'reply': 'get_service_names_and_types_by_node',
    'request': 'get_client_names_and_types_by_node',
}
SETTINGS: list[dict[str, Any]] = [
    {'image_transport': 'compressed', 'use_sim_time': True},
    {'alignment.camera_pitch_from': 'imu'},
    {'alignment.camera_pitch_from': 'tf'},
    {'publish_tf': True},
]


@pytest.fixture(scope='module')
def allowed() -> dict[str, set[str]]:
    """Return the names that the policy allows, by what is done with them."""
    root = ElementTree.parse(POLICY).getroot()
    names: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for block in (*root.iter('topics'), *root.iter('services')):
        ((kind, verdict),) = block.attrib.items()
        assert verdict == 'ALLOW'
        listed = [entry.text or '' for entry in block]
        assert len(listed) == len(set(listed))
        names[kind].update(listed)
    (profile,) = root.iter('profile')
    assert profile.attrib == {'ns': '/', 'node': 'mono_depth'}
    return names


def opened(node: Running) -> dict[str, set[str]]:
    """Return what the graph knows of a node, by names as the policy has them."""
    base = node.namespace

    def name(full: str) -> str:
        private = full.removeprefix(f'{base}/mono_depth/')
        return f'~/{private}' if private != full else full.removeprefix(f'{base}/')

    def now() -> dict[str, set[str]]:
        return {
            kind: {name(full) for full, _ in getattr(node.node, ask)('mono_depth', base)}
            for kind, ask in KINDS.items()
        }

    wait_until(lambda: '~/snapshot' in now()['reply'], 'the node in its own graph')
    return now()


def test_the_policy_is_what_the_node_opens(
    graph: Graph, weights: Path, allowed: dict[str, set[str]]
) -> None:
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    cases = [{'alignment.source': name, 'alignment.camera_height': 0.5} for name in SOURCES]
    cases.append({'alignment.source': 'scan,range,ground', 'alignment.camera_height': 0.5})
    cases += [cases[-1] | settings | {'alignment.source': 'ground'} for settings in SETTINGS]
    for settings in cases:
        if 'tf' in settings.values() and not find_spec('tf2_msgs'):
            found['subscribe'] |= {'/tf', '/tf_static'}
            continue
        if 'publish_tf' in settings and not find_spec('tf2_msgs'):
            found['publish'] |= {'/tf_static'}
            continue
        node = graph.start(
            {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights), **settings}
        )
        node.until('active')
        for kind, names in opened(node).items():
            found[kind] |= names
        node.close()
    assert found == allowed
