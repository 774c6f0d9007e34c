"""Compressed outputs, read as image_transport's plugins read them."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from harness import Graph, Running, image, info_for, picture, wait_until
from PIL import Image as Picture
from rclpy.lifecycle import LifecyclePublisher
from sensor_msgs.msg import CompressedImage, Image

from mono_depth_ros.core.pipeline import Output, Result
from mono_depth_ros.ros.messages import color_decoder

DEPTH = '~/depth/image_rect/compressedDepth'
COLORMAP = '~/depth/colormap/compressed'


def depth_of(msg: CompressedImage) -> tuple[str, np.ndarray]:
    """Return encoding and pixels by the rule of compressed_depth_image_transport's codec.cpp.

    The format names the encoding before ';' and the codec after 'compressedDepth '. The data
    begin with an enum and two floats. Of 32 bits, value v is depth a / (v - b) and 0 is NaN; of
    16 bits, values are those of the image.
    """
    encoding, codec = msg.format.split(';')
    assert 'compressedDepth png' in codec
    data = bytes(msg.data)
    _, a, b = struct.unpack_from('<iff', data)
    values = np.array(Picture.open(io.BytesIO(data[12:])))
    if not encoding.startswith('32'):
        return encoding, values
    depth = np.float32(a) / np.where(values, values.astype(np.float32) - np.float32(b), np.nan)
    return encoding, depth


PARAMETERS = {'scale': 1.0}


@pytest.fixture(autouse=True)
def meters(node: Running) -> None:
    assert node.set(depth_encoding='32FC1') == ''


def test_depth_is_that_of_the_raw_topic(node: Running) -> None:
    raws, boxes = node.listen('~/depth/image_rect', Image), node.listen(DEPTH, CompressedImage)
    sent = image()
    node.send(info_for(sent), sent)
    msg, raw = boxes.of(sent), raws.of(sent)
    encoding, depth = depth_of(msg)
    assert encoding == '32FC1' == raw.encoding
    assert msg.header == sent.header
    expected = np.frombuffer(raw.data, np.float32).reshape(raw.height, raw.width)
    assert np.array_equal(np.isnan(depth), np.isnan(expected))
    assert np.isfinite(depth).any()
    np.testing.assert_allclose(1 / depth, 1 / expected, rtol=0, atol=1e-4)

    assert node.set(depth_encoding='16UC1') == ''
    again = image()
    node.send(info_for(again), again)
    encoding, millimeters = depth_of(boxes.of(again))
    assert encoding == '16UC1'
    raw = np.frombuffer(raws.of(again).data, np.uint16)
    assert np.array_equal(millimeters.ravel(), raw)
    for box in (raws, boxes):
        node.graph.unlisten(box)


def test_unknown_depth_is_unknown_in_few_bytes(node: Running) -> None:
    boxes = node.listen(DEPTH, CompressedImage)
    assert node.set(scale=0.0) == ''
    sent = image()
    node.send(info_for(sent), sent)
    msg = boxes.of(sent)
    _, depth = depth_of(msg)
    assert depth.shape == (48, 64)
    assert np.isnan(depth).all()
    assert node.set(scale=1.0) == ''
    node.graph.unlisten(boxes)


def test_colormap_is_that_of_the_pipeline(node: Running, step: Callable[..., Result]) -> None:
    boxes = node.listen(COLORMAP, CompressedImage)
    rgb = picture(240, 320, seed=2)
    sent = image(rgb)
    node.send(sent)
    msg = boxes.of(sent)
    assert msg.format == 'bgr8; jpeg compressed bgr8'
    assert msg.header == sent.header
    painted = step(rgb, scale=1.0).colormap[..., ::-1].astype(int)
    off = np.abs(color_decoder().rgb(msg).astype(int) - painted)
    assert np.median(off) <= 3
    assert off.mean() < 12
    node.graph.unlisten(boxes)


@pytest.mark.parametrize(('name', 'output'), [(DEPTH, Output.DEPTH), (COLORMAP, Output.COLORMAP)])
def test_only_what_somebody_listens_to_is_made(
    node: Running, monkeypatch: pytest.MonkeyPatch, name: str, output: Output
) -> None:
    published = []
    publish = LifecyclePublisher.publish

    def spied(self: LifecyclePublisher, msg: object) -> None:
        published.append(self.topic_name)
        publish(self, msg)

    monkeypatch.setattr(LifecyclePublisher, 'publish', spied)
    box = node.listen(name, CompressedImage)
    assert node.node.outputs.wanted() == output
    sent = image()
    node.send(info_for(sent), sent)
    box.of(sent)
    node.settle()
    assert published == [node.topic(name)]
    node.graph.unlisten(box)
    wait_until(lambda: not node.node.outputs.wanted(), f'{name} without a reader')


def test_transports_lie_below_a_renamed_image(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    arguments = ('-r', '~/depth/image_rect:=depth_image')
    node = graph.start(parameters, *arguments).until('active')
    box = node.listen('depth_image/compressedDepth', CompressedImage)
    sent = image()
    node.send(info_for(sent), sent)
    assert box.of(sent).header == sent.header
    node.close()
