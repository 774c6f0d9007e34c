"""Cameras on one network over DDS: one leaves and returns, changes its images, or is too fast."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from harness import Graph, Mailbox, Running, camera, image, info_for, picture
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.ros.camera_list import ListedCamera
from mono_depth_ros.ros.cameras import camera_nodes
from mono_depth_ros.ros.network_host import NetworkHost


@pytest.fixture(scope='module')
def host() -> NetworkHost:
    return NetworkHost()


@pytest.fixture(scope='module')
def cameras(graph: Graph, host: NetworkHost, weights: Path) -> dict[str, Running]:
    parameters = {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights)}
    nodes = {
        side: graph.start({**parameters, 'scale': 1.0}, host=host) for side in ('front', 'rear')
    }
    return {side: node.until('active') for side, node in nodes.items()}


@pytest.fixture(scope='module')
def depths(cameras: dict[str, Running]) -> dict[str, Mailbox]:
    return {side: node.listen('~/depth/image_rect', Image) for side, node in cameras.items()}


@pytest.fixture(scope='module')
def infos(cameras: dict[str, Running]) -> dict[str, Mailbox]:
    return {side: node.listen('~/depth/camera_info', CameraInfo) for side, node in cameras.items()}


def send(node: Running, msg: Image, info: CameraInfo | None = None) -> None:
    """Send an image, and return when the node has received it."""
    received = node.received
    node.send(info or info_for(msg, camera(msg.height, msg.width)), msg)
    node.until_received(received + 1)


@pytest.fixture
def default_context() -> Iterator[None]:
    rclpy.init(args=[])
    yield
    rclpy.try_shutdown()


def plane(msg: Image) -> np.ndarray:
    return np.frombuffer(msg.data, '<f4').reshape(msg.height, msg.width)


def test_a_camera_that_leaves_and_returns_is_served_again(
    cameras: dict[str, Running], depths: dict[str, Mailbox]
) -> None:
    front, rear = cameras['front'], cameras['rear']
    for seed in range(2):
        before = image(picture(seed=seed))
        send(front, before)
        depths['front'].of(before)
        front.unplug()
        meanwhile = image(picture(seed=seed + 10))
        send(rear, meanwhile)
        depths['rear'].of(meanwhile)
    again = image(picture(seed=3))
    send(front, again)
    assert np.isfinite(plane(depths['front'].of(again))).mean() > 0.5


def test_a_camera_may_change_its_resolution_at_any_image(
    cameras: dict[str, Running], depths: dict[str, Mailbox], infos: dict[str, Mailbox]
) -> None:
    for height, width in ((48, 64), (96, 128), (36, 64), (120, 160), (48, 64)):
        changed, same = image(picture(height, width)), image(picture())
        for side, msg in (('front', changed), ('rear', same)):
            send(cameras[side], msg)
        assert plane(depths['front'].of(changed)).shape == (height, width)
        assert plane(depths['rear'].of(same)).shape == (48, 64)
        told = infos['front'].of(changed)
        assert (told.height, told.width) == (height, width)
        assert told.k[2] == pytest.approx(camera(height, width).cx)


def test_images_of_two_encodings_are_decoded_each_by_its_own(
    cameras: dict[str, Running], depths: dict[str, Mailbox]
) -> None:
    def results(colored: Image, raw: Image) -> list[np.ndarray]:
        with cameras['front'].held():
            send(cameras['front'], colored)
            send(cameras['rear'], raw)
        return [plane(depths['front'].of(colored)), plane(depths['rear'].of(raw))]

    def bayer() -> Image:
        msg = image(picture(seed=5)[..., :1].repeat(3, axis=2))
        msg.data = np.frombuffer(msg.data, np.uint8)[::3].tobytes()
        msg.encoding, msg.step = 'bayer_rggb8', msg.width
        return msg

    together = results(image(picture(seed=6)), bayer())
    for side, msg, expected in zip(
        ('front', 'rear'), (image(picture(seed=6)), bayer()), together, strict=True
    ):
        send(cameras[side], msg)
        alone = plane(depths[side].of(msg))
        np.testing.assert_allclose(alone, expected, rtol=1e-3)
    assert not np.allclose(*together, equal_nan=True)


def test_a_wrong_calibration_costs_the_cloud_of_its_camera_only(
    cameras: dict[str, Running], depths: dict[str, Mailbox]
) -> None:
    front, rear = cameras['front'], cameras['rear']
    clouds = {side: node.listen('~/points', PointCloud2) for side, node in cameras.items()}
    wrong, sound = image(picture()), image(picture())
    with front.held():
        send(front, wrong, info_for(wrong, camera(100, 60)))
        send(rear, sound)
    assert clouds['rear'].of(sound).width > 0
    depths['front'].of(wrong)
    front.logged('calibration is for 60x100 px and the image has 64x48 px')
    assert not clouds['front'].has(wrong)
    assert not rear.lines('calibration is for')


def test_a_fast_camera_gets_no_more_turns_than_a_slow_one(
    cameras: dict[str, Running], depths: dict[str, Mailbox]
) -> None:
    fast, slow = cameras['front'], cameras['rear']
    dropped = fast.dropped, slow.dropped
    one, many = image(picture()), [image(picture(96, 128, seed=k)) for k in range(20)]
    with fast.held():
        send(fast, many[0])
        send(slow, one)
        for msg in many[1:]:
            send(fast, msg)
    depths['rear'].of(one)
    depths['front'].of(many[-1])
    assert not any(depths['front'].has(msg) for msg in many[:-1]), 'each was replaced'
    assert (fast.dropped - dropped[0], slow.dropped - dropped[1]) == (len(many) - 1, 0)


def test_a_camera_without_its_network_leaves_the_others_at_work(
    graph: Graph,
    host: NetworkHost,
    cameras: dict[str, Running],
    depths: dict[str, Mailbox],
    tmp_path: Path,
) -> None:
    broken = tmp_path / 'broken.safetensors'
    broken.write_bytes(b'no weights')
    lost = graph.start({'encoder': 'tiny', 'checkpoint': str(broken)}, host=host)
    lost.logged('cannot load the network')
    sent = image(picture(seed=8))
    send(cameras['rear'], sent)
    depths['rear'].of(sent)
    assert lost.state == 'unconfigured'


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [
        ({'encoder': 'nope'}, "encoder is 'nope'"),
        ({'max_rate': -3.0}, 'max_rate out of range'),
        ({'max_rate': 3}, "max_rate' to '3' of type 'INTEGER'"),
        ({'mask': 3}, "mask' to '3' of type 'INTEGER'"),
    ],
)
def test_the_reason_names_the_camera_whose_parameter_is_wrong(
    default_context: None, parameters: dict[str, object], reason: str
) -> None:
    listed = [ListedCamera('front'), ListedCamera('rear', parameters=parameters)]
    with pytest.raises(SettingsError, match=f'^camera rear: .*{reason}'):
        camera_nodes(listed, '/')
