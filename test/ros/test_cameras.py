"""Several cameras on one network: each has its own topics, state and fate."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from harness import Graph, Mailbox, Running, camera, image, info_for, picture, wait_until
from sensor_msgs.msg import Image
from test_shutdown import Process

from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.ros.network_host import NetworkHost

SIDES = ('front', 'left', 'rear')


@pytest.fixture(scope='module')
def host() -> NetworkHost:
    return NetworkHost()


@pytest.fixture(scope='module')
def cameras(graph: Graph, host: NetworkHost, weights: Path) -> dict[str, Running]:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    nodes = {
        side: graph.start({**parameters, 'shift': 0.1 * k}, host=host)
        for k, side in enumerate(SIDES, 1)
    }
    return {side: node.until('active') for side, node in nodes.items()}


@pytest.fixture(scope='module')
def depths(cameras: dict[str, Running]) -> dict[str, Mailbox]:
    return {side: node.listen('~/depth/image_rect', Image) for side, node in cameras.items()}


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Return how many images the network was given each time."""
    counts: list[int] = []
    predict = TorchEstimator.predict

    def counting(self: TorchEstimator, images: list, *others: object) -> list:
        counts.append(len(images))
        return predict(self, images, *others)

    monkeypatch.setattr(TorchEstimator, 'predict', counting)
    return counts


def plane(msg: Image) -> np.ndarray:
    return np.frombuffer(msg.data, '<f4').reshape(msg.height, msg.width)


def test_cameras_share_the_network_and_nothing_else(
    cameras: dict[str, Running], depths: dict[str, Mailbox], host: NetworkHost, batches: list[int]
) -> None:
    assert len(host.loaded) == 1
    rgb = picture(seed=9)
    sent = {side: image(rgb) for side in SIDES}
    for side, node in cameras.items():
        sent[side].header.frame_id = side
        node.publisher('image_raw', Image)
    with cameras['front'].held():
        for side, node in cameras.items():
            node.send(info_for(sent[side]), sent[side])
            node.until_received(1)
    got = {side: depths[side].of(sent[side]) for side in SIDES}
    assert [got[side].header.frame_id for side in SIDES] == list(SIDES)
    inverse = [1 / plane(got[side]) for side in SIDES]
    known = np.isfinite(inverse[0])
    assert known.mean() > 0.5
    # One picture, three shifts of inverse depth.
    np.testing.assert_allclose((inverse[1] - inverse[0])[known], 0.1, rtol=1e-3)
    np.testing.assert_allclose((inverse[2] - inverse[0])[known], 0.2, rtol=1e-3)
    assert batches == [3], 'what waits together is predicted at once'


def test_a_silent_camera_holds_nobody_up(
    cameras: dict[str, Running], depths: dict[str, Mailbox], batches: list[int]
) -> None:
    sent = image(picture(seed=1))
    cameras['left'].send(info_for(sent), sent)
    depths['left'].of(sent)
    assert batches == [1], 'nothing waits to be batched'


def test_other_sizes_wait_their_turn_only(
    cameras: dict[str, Running], depths: dict[str, Mailbox], batches: list[int]
) -> None:
    small, large, also = image(picture()), image(picture(96, 128)), image(picture(seed=2))
    with cameras['front'].held():
        for side, msg in (('front', small), ('left', large), ('rear', also)):
            received = cameras[side].received
            cameras[side].send(info_for(msg, camera(msg.height, msg.width)), msg)
            cameras[side].until_received(received + 1)
    assert plane(depths['left'].of(large)).shape == (96, 128)
    for side, msg in (('front', small), ('rear', also)):
        assert plane(depths[side].of(msg)).shape == (48, 64)
    assert batches == [2, 1]


def test_a_damaged_image_costs_its_own_camera_a_frame(
    cameras: dict[str, Running], depths: dict[str, Mailbox]
) -> None:
    broken, sound = image(picture()), image(picture(seed=4))
    broken.encoding = 'no such encoding'
    failed = cameras['front'].statistics.refused
    with cameras['front'].held():
        for side, msg in (('front', broken), ('rear', sound)):
            received = cameras[side].received
            cameras[side].send(info_for(msg), msg)
            cameras[side].until_received(received + 1)
    depths['rear'].of(sound)
    wait_until(lambda: cameras['front'].statistics.refused == failed + 1, 'the failure')
    again = image(picture())
    cameras['front'].send(info_for(again), again)
    depths['front'].of(again)


def test_every_camera_keeps_its_own_lifecycle_and_network(
    cameras: dict[str, Running],
    depths: dict[str, Mailbox],
    host: NetworkHost,
    other_weights: Path,
) -> None:
    left, rear = cameras['left'], cameras['rear']
    assert left.change('deactivate')
    assert left.change('cleanup')
    assert len(host.loaded) == 1, 'the others have it still'
    assert left.set(checkpoint=str(other_weights)) == ''
    assert left.change('configure')
    assert len(host.loaded) == 2
    sent = image(picture(seed=6))
    rear.send(info_for(sent), sent)
    depths['rear'].of(sent)
    assert left.change('activate')
    assert left.set(shift=5.0) == ''
    also = image(picture(seed=6))
    mailbox = left.listen('~/depth/image_rect', Image)
    left.send(info_for(also), also)
    assert not np.allclose(plane(mailbox.of(also)), plane(depths['rear'].of(sent)), equal_nan=True)
    assert left.change('deactivate')
    assert left.change('cleanup')
    assert len(host.loaded) == 1, 'nobody wants the other one any more'


def test_a_camera_that_ends_leaves_the_others_at_work(
    graph: Graph, cameras: dict[str, Running], depths: dict[str, Mailbox]
) -> None:
    assert cameras['front'].change('shutdown')
    sent = image(picture(seed=8))
    cameras['rear'].send(info_for(sent), sent)
    depths['rear'].of(sent)


@pytest.fixture(scope='module')
def process(graph: Graph, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    folder = tmp_path_factory.mktemp('cameras')
    listed = '- front\n- {name: rear, topics: {image_raw: /back/image_raw}}\n'
    (folder / 'cameras.yaml').write_text(listed)
    parameters = [f'checkpoint:={weights}', 'encoder:=tiny', 'scale:=1.0']
    args = ['-r', '__ns:=/robot', *(part for p in parameters for part in ('-p', p))]
    started = Process('mono_depth_cameras', folder / 'log', args, [str(folder / 'cameras.yaml')])
    yield started
    started.popen.kill()


def test_the_command_runs_a_node_for_each_camera(graph: Graph, process: Process) -> None:
    process.until('listening to /back/image_raw and /back/camera_info')
    process.until('listening to /robot/front/image_raw')
    assert process.output.count('ready on cpu') == 1
    for name, topic in (('front', '/robot/front'), ('rear', '/back')):
        mailbox = graph.listen(f'/robot/{name}/mono_depth/depth/image_rect', Image)
        publisher = graph.advertise(f'{topic}/image_raw', Image)
        wait_until(
            lambda box=mailbox: graph.peer.node.count_publishers(box.topic), 'the depth publisher'
        )
        sent = image(picture())

        def answered(box: Mailbox = mailbox, msg: Image = sent, to: object = publisher) -> bool:
            to.publish(msg)
            return box.has(msg)

        wait_until(answered, f'depth of {name}')
    process.end(signal.SIGINT)


def test_the_command_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    for arguments, reason in (
        ([], 'one list of cameras is needed'),
        ([''], "'' is no name of a camera"),
        (['front,front'], 'lists front twice'),
        (['nowhere.yaml'], 'nowhere.yaml cannot be read'),
    ):
        process = Process('mono_depth_cameras', tmp_path / 'log', [], arguments)
        assert process.popen.wait(60) == 1
        assert reason in process.output
        assert 'Traceback' not in process.output
