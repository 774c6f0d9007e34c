"""Images that are to be rectified, and no calibration that does it."""

from pathlib import Path

import pytest
from harness import Graph, Mailbox, Running, camera, image, info_for
from sensor_msgs.msg import Image


@pytest.fixture(scope='module')
def node(graph: Graph, weights: Path) -> Running:
    parameters = {'encoder': 'tiny', 'checkpoint': str(weights), 'scale': 1.0, 'rectify': True}
    return graph.start(parameters).until('active')


@pytest.fixture(scope='module')
def depths(node: Running) -> Mailbox:
    return node.listen('~/depth/image_rect', Image)


def test_lens_that_cannot_be_rectified_loses_only_its_frame(
    node: Running, depths: Mailbox
) -> None:
    sent, good = image(), image()
    info = info_for(sent, camera())
    info.distortion_model, info.d = 'fancy', [0.1] * 5
    node.send(info, sent)
    node.until_seen(sent)
    assert 'fancy' in node.logged('fancy').msg
    node.send(info_for(good), good)
    depths.of(good)


def test_images_without_a_calibration_are_said_to_be_taken_as_they_come(
    node: Running, depths: Mailbox
) -> None:
    for _ in range(2):
        sent = image()
        info = info_for(sent)
        info.k.fill(0)
        node.send(info, sent)
        depths.of(sent)
    node.settle()
    assert len(node.lines('rectify is true and no usable camera_info came')) == 1
