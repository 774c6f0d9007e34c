"""Every consumer accepts what a running node publishes, and would not if a rule were broken."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path

import numpy as np
import pytest
import tutorial_contracts as tutorial
from all_contracts import CONTRACTS
from consumers import Consumers
from contract import Contract, Seen
from harness import Graph, camera, image, info_for, picture
from rclpy.qos import ReliabilityPolicy

from mono_depth_ros.core.outputs.output_settings import EdgeFilterSettings
from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings

SCALE, MAX_DEPTH, CAMERA_HEIGHT = 1.0, 1.25, 0.2
MARKED = ('Nav2 VoxelLayer marking', 'Nav2 collision monitor', 'STVL marking')
MOUNT = AlignmentSettings(camera_height=CAMERA_HEIGHT)
DISTORTION = [-0.2, 0.05, 0.001, -0.002, 0.0]


@dataclass(frozen=True)
class Configuration:
    """What the node is told, and the size of the image that it gets."""

    height: int
    width: int
    depth_encoding: str
    rectify: bool
    output_scale: float

    def __str__(self) -> str:
        shape = f'{self.width}x{self.height}-{self.depth_encoding}-{self.output_scale:g}'
        return f'{shape}-rectified' if self.rectify else shape


CONFIGURATIONS = [
    Configuration(*size, *others)
    for size, *others in product(
        ((48, 64), (47, 63)), ('32FC1', '16UC1'), (False, True), (1.0, 0.5)
    )
]


@pytest.fixture(scope='module')
def parameters(weights: Path) -> dict[str, object]:
    return {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': SCALE,
        'max_depth': MAX_DEPTH,
        'alignment.camera_height': CAMERA_HEIGHT,
    }


@pytest.fixture(scope='module')
def consumers(graph: Graph, parameters: dict[str, object]) -> Consumers:
    return Consumers(graph, graph.start(parameters).until('active'), CONTRACTS)


@pytest.fixture(scope='module', params=CONFIGURATIONS, ids=str)
def seen(
    request: pytest.FixtureRequest, consumers: Consumers, step: Callable[..., Result]
) -> Callable[[Contract], Seen]:
    """Return a function: what a consumer got of one frame in this configuration."""
    told: Configuration = request.param
    rgb = picture(told.height, told.width, seed=3)
    sent = image(rgb)
    info = info_for(sent, camera(told.height, told.width))
    if told.rectify:
        info.d = DISTORTION
    settings = {'rectify': told.rectify, 'output_scale': told.output_scale}
    # Of noise at half of so small a size the edge filter leaves next to nothing.
    is_filtered = told.output_scale == 1
    given = {'depth_encoding': told.depth_encoding, 'edge_filter__enabled': is_filtered}
    assert consumers.node.set(**given, **settings) == ''
    consumers.node.send(info, sent)
    whole = {'scale': SCALE, 'max_depth': MAX_DEPTH, 'alignment': MOUNT}
    edges = EdgeFilterSettings(enabled=is_filtered)
    truth = step(rgb, info, **whole, edge_filter=edges, **settings)
    return lambda contract: consumers.seen(contract, sent, truth)


@pytest.mark.parametrize('contract', CONTRACTS, ids=str)
def test_consumer_accepts(contract: Contract, seen: Callable[[Contract], Seen]) -> None:
    got = seen(contract)
    known = np.isfinite(got.truth.depth)
    assert known.any()
    assert not known.all()
    assert contract.broken_rule(got) == ''


@pytest.mark.parametrize('contract', CONTRACTS, ids=str)
def test_each_rule_is_missed_when_broken(
    contract: Contract, seen: Callable[[Contract], Seen]
) -> None:
    assert_each_rule_is_missed(contract, seen(contract))


def assert_each_rule_is_missed(contract: Contract, got: Seen) -> None:
    rules = [rule for rule, _ in contract.check(got)]
    assert rules == list(contract.breaks)
    assert [contract.broken_rule(contract.broken(got, rule)) for rule in rules] == rules


def test_topics_of_nav2s_tutorial(
    graph: Graph, parameters: dict[str, object], step: Callable[..., Result]
) -> None:
    remappings = [('-r', f'{name}:={topic}') for name, topic in tutorial.REMAPPINGS.items()]
    node = graph.start(parameters, *chain(*remappings)).until('active')
    consumers = Consumers(graph, node, tutorial.CONTRACTS)
    rgb = picture(tutorial.HEIGHT, tutorial.WIDTH, seed=3)
    sent = image(rgb)
    info = info_for(sent, camera(tutorial.HEIGHT, tutorial.WIDTH))
    node.send(info, sent, names=(tutorial.INFO, tutorial.IMAGE))
    truth = step(rgb, info, scale=SCALE, max_depth=MAX_DEPTH, alignment=MOUNT)
    for contract in tutorial.CONTRACTS:
        got = consumers.seen(contract, sent, truth)
        assert contract.broken_rule(got) == ''
        assert_each_rule_is_missed(contract, got)
    node.close()


@pytest.mark.parametrize(
    ('option', 'expected'),
    [
        (
            {'depth_invalid': 'inf'},
            # By REP-117 infinity says that nothing is in range, which a scan passes on.
            {'RViz Image ~/depth/image_rect': 'no infinity', 'depthimage_to_laserscan': 'ranges'},
        ),
        ({'cloud__organized': True}, dict.fromkeys(MARKED, 'nothing unknown')),
    ],
)
def test_options_that_some_consumers_do_not_take(
    graph: Graph,
    parameters: dict[str, object],
    step: Callable[..., Result],
    option: dict[str, object],
    expected: dict[str, str],
) -> None:
    node = graph.start(parameters).until('active')
    assert node.set(**option) == ''
    consumers = Consumers(graph, node, CONTRACTS)
    sent = image(picture(seed=3))
    node.send(info_for(sent), sent)
    truth = step(
        picture(seed=3), info_for(sent), scale=SCALE, max_depth=MAX_DEPTH, alignment=MOUNT
    )
    broken = {c.consumer: c.broken_rule(consumers.seen(c, sent, truth)) for c in CONTRACTS}
    assert {consumer: rule for consumer, rule in broken.items() if rule} == expected
    node.close()


def test_best_effort_outputs_reach_only_those_who_ask_for_no_more(
    graph: Graph, parameters: dict[str, object], tmp_path: Path
) -> None:
    topics = {source.topic for contract in CONTRACTS for source in contract.inputs.values()}
    overrides = ''.join(
        f'      {topic.replace("~", "/lossy/mono_depth")}:\n'
        '        publisher: {reliability: best_effort}\n'
        for topic in topics
    )
    file = tmp_path / 'qos.yaml'
    file.write_text(f'/**:\n  ros__parameters:\n    qos_overrides:\n{overrides}')
    arguments = ('--params-file', str(file))
    node = graph.start(parameters, *arguments, namespace='/lossy').until('active')
    consumers = Consumers(graph, node, CONTRACTS)
    sent = image(picture(seed=4))
    node.send(info_for(sent), sent)
    refused = set()
    for contract in CONTRACTS:
        for role, source in contract.inputs.items():
            box, asked = consumers.box(contract, role), source.qos.reliability
            if asked == ReliabilityPolicy.RELIABLE:
                refused.add(contract.consumer)
                assert consumers.is_refused(box)
                assert box.all() == []
            elif asked == ReliabilityPolicy.BEST_EFFORT:
                assert not consumers.is_refused(box)
                box.of(sent)
    assert {'RViz PointCloud2', 'depth_image_proc xyzrgb'} < refused
    node.close()
