"""Bad messages and parameters to a running node; run by test_fuzz.py, in a process of its own."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from bad_messages import (
    COMPRESSED,
    IMAGES,
    INFOS,
    NAMES,
    VALUES,
    clouds,
    disparities,
    ranges,
    scans,
)
from cases import cases
from frames import FOCAL_PX
from harness import Graph, Mailbox, header, image, info_for, picture
from hypothesis import given
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan, PointCloud2, Range
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.core.settings import parameter_table
from mono_depth_ros.ros.messages import bgr_to_compressed, cloud_to_message, float_to_image
from mono_depth_ros.ros.node_settings import NodeSettings

FOREIGN = re.compile(r'\w+\(')
"""How an exception that is not ours begins, where the node keeps what failed."""
DISPARITY_PX, BASELINE_M = 8.0, 0.1


SOURCE_OF = {
    DisparityImage: 'disparity',
    LaserScan: 'scan',
    PointCloud2: 'points',
    Range: 'range',
}


class Fuzzed:
    """A node, and the depth of its good frame."""

    def __init__(self, graph: Graph, weights: Path, **parameters: Any) -> None:
        self.usual = {
            'encoder': 'tiny',
            'variant': 'relative',
            'checkpoint': str(weights),
            'input_size': 64,
            **parameters,
        }
        self.node = graph.start(self.usual).until('active')
        self.depths: Mailbox = self.node.listen('~/depth/image_rect', Image)
        self.is_compressed = 'image_transport' in parameters
        self._expected = self.depth_of_a_good_frame()
        assert np.isfinite(self._expected).any()

    def give(self, message: Any) -> None:
        """Have the executor take a message, and the worker do what comes of it."""
        inputs = self.node.node.inputs
        if isinstance(message, CameraInfo):
            callback = inputs._on_info
        elif isinstance(message, Image | CompressedImage):
            callback = inputs._on_image
        else:
            callback = partial(self.node.node.shared.put_measurement, SOURCE_OF[type(message)])
        self.node.spun.do(lambda: callback(message))
        self.node.settle()

    def set(self, values: dict[str, Any]) -> list[Any]:
        """Set parameters one by one, as `ros2 param set` does."""
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        return self.node.spun.do(lambda: self.node.node.set_parameters(parameters))

    def depth_of_a_good_frame(self) -> np.ndarray:
        """Return what comes of it."""
        good: Any = image()
        info = info_for(good)
        if self.is_compressed:
            good = bgr_to_compressed(picture()[..., ::-1], good.header)
        self.give(info)
        self.give(good)
        depth = self.depths.of(good)
        return np.frombuffer(depth.data, '<f4').reshape(depth.height, depth.width)

    def require_good(self) -> None:
        """Require that nothing foreign was raised, and that a good frame gives the right depth."""
        statistics, node = self.node.statistics, self.node.node
        assert not FOREIGN.match(statistics.last_failure), statistics.last_failure
        np.testing.assert_allclose(self.depth_of_a_good_frame(), self._expected, rtol=1e-4)
        assert not node.failure, node.failure
        self.node.settle()  # the depth is out before its frame is counted
        assert statistics.in_work == 0
        with self.depths._arrival:
            self.depths._messages.clear()


@pytest.fixture(scope='module')
def raw(graph: Graph, weights: Path) -> Fuzzed:
    return Fuzzed(graph, weights, scale=1.0, rectify=True)


@pytest.fixture(scope='module')
def compressed(graph: Graph, weights: Path) -> Fuzzed:
    return Fuzzed(graph, weights, scale=1.0, image_transport='compressed')


@pytest.fixture(scope='module')
def set_anew(graph: Graph, weights: Path) -> Fuzzed:
    return Fuzzed(graph, weights, scale=1.0)


@cases(0.2)
@given(IMAGES)
def test_images(raw: Fuzzed, message: Any) -> None:
    raw.give(message)
    raw.require_good()


@cases(0.125)
@given(COMPRESSED)
def test_compressed_images(compressed: Fuzzed, message: Any) -> None:
    compressed.give(message)
    compressed.require_good()


@cases(0.125)
@given(INFOS, st.booleans())
def test_camera_infos(raw: Fuzzed, info: Any, is_paired: bool) -> None:
    shown = image()
    if is_paired:
        info.header = shown.header
    raw.give(info)
    raw.give(shown)
    raw.require_good()


@cases(0.15)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=4))
def test_parameters(set_anew: Fuzzed, values: dict[str, Any]) -> None:
    defaults = {row.name: row.default for row in parameter_table(NodeSettings())}
    before = set_anew.node.node._settings
    set_anew.set(values)
    set_anew.give(image())
    usual = {name: set_anew.usual.get(name, defaults[name]) for name in values}
    # What contradicts another value now does not once all of them are set.
    for _ in usual:
        set_anew.set(usual)
    assert set_anew.node.node._settings == before
    set_anew.require_good()


class Aligned(Fuzzed):
    """A node whose depth comes from measurements, here disparities."""

    def depth_of_a_good_frame(self) -> np.ndarray:
        """Align anew by a good disparity, and return the depth of the frame after it."""
        self.node.spun.do(lambda: self.node.node.worker.call(self._forget))
        measured = image()
        self.give(info_for(measured))
        self.give(measured)
        self.give(self.good_measurement(measured))
        self.give(image(head=header()))
        return super().depth_of_a_good_frame()

    def good_measurement(self, measured: Image) -> Any:
        """Return disparities that grow with what the network says."""
        nearness = self.nearness(measured)
        share = (nearness - nearness.min()) / np.ptp(nearness)
        values = DISPARITY_PX * (1 + share)
        return DisparityImage(
            header=measured.header,
            image=float_to_image(values, measured.header),
            f=FOCAL_PX,
            t=BASELINE_M,
            max_disparity=64.0,
        )

    def nearness(self, measured: Image) -> np.ndarray:
        """Return (H, W) what the network says of an image."""
        relatives = self.node.listen('~/relative_inverse_depth', Image)
        self.give(measured)
        values = np.frombuffer(relatives.of(measured).data, '<f4').reshape(48, 64)
        self.node.graph.unlisten(relatives)
        return values

    def survive(self, data: st.DataObject, messages: Callable[[Any], Any]) -> None:
        """Give a bad measurement of an image, drawn by its stamp, and require a good frame."""
        measured = image()
        bad = data.draw(messages(measured.header.stamp))
        for message in (measured, bad, image()):
            self.give(message)
        self.require_good()

    def _forget(self) -> None:
        self.node.node._processor.reset_alignment()


class Scanned(Aligned):
    """A node whose depth comes from a laser in the place of the camera."""

    def good_measurement(self, measured: Image) -> LaserScan:
        """Return a wall that comes nearer where the network says so."""
        row = self.nearness(measured)[24, 12:52]
        ranges = 3.0 - 2.0 * (row - row.min()) / np.ptp(row)
        scan = LaserScan(header=measured.header, angle_min=-0.3, angle_increment=0.015)
        # The first ray is the one farthest to the right.
        scan.range_min, scan.range_max, scan.ranges = 0.1, 9.0, ranges[::-1].tolist()
        return scan


class Pointed(Aligned):
    """A node whose depth comes from points."""

    def good_measurement(self, measured: Image) -> PointCloud2:
        """Return points on a slope."""
        v, u = np.mgrid[:48:2, :64:2].reshape(2, -1)
        z = 1 / np.linspace(0.2, 0.8, 24, dtype=np.float32)[v // 2]
        points = np.stack((z * (u - 32) / FOCAL_PX, z * (v - 24) / FOCAL_PX, z), axis=1)
        return cloud_to_message(points.astype(np.float32), measured.header, is_dense=True)


class Several(Scanned):
    """A node whose depth comes from a laser, and to which everything else is sent as well."""

    def survive(self, data: st.DataObject, messages: Callable[[Any], Any]) -> None:
        """Give a bad measurement of an image beside a good one, and require a good frame."""
        measured = image()
        bad = data.draw(messages(measured.header.stamp))
        for message in (measured, bad, self.good_measurement(measured), image()):
            self.give(message)
        self.require_good()


LOOSE = {
    'alignment.max_residual': 10.0,
    'alignment.max_uncertainty': 10.0,
    'alignment.max_age': 3600.0,
}


@pytest.fixture(scope='module')
def aligned(graph: Graph, weights: Path) -> Aligned:
    return Aligned(graph, weights, **{'alignment.source': 'disparity', **LOOSE})


@pytest.fixture(scope='module')
def scanned(graph: Graph, weights: Path) -> Aligned:
    pose = {'alignment.sensor_pose': '0 0 0 0.5 -0.5 0.5 0.5'}
    return Scanned(graph, weights, **{'alignment.source': 'scan', **pose, **LOOSE})


@pytest.fixture(scope='module')
def pointed(graph: Graph, weights: Path) -> Aligned:
    pose = {'alignment.sensor_pose': '0 0 0 0 0 0 1'}
    return Pointed(graph, weights, **{'alignment.source': 'points', **pose, **LOOSE})


@pytest.fixture(scope='module')
def several(graph: Graph, weights: Path) -> Aligned:
    poses = '; '.join(f'{name} 0 0 0 0.5 -0.5 0.5 0.5' for name in ('scan', 'range', 'points'))
    sources = {'alignment.source': 'scan,range,points,disparity', 'alignment.sensor_pose': poses}
    return Several(graph, weights, **{**sources, **LOOSE})


@cases(0.05)
@given(st.data())
def test_disparities(aligned: Aligned, data: st.DataObject) -> None:
    aligned.survive(data, disparities)


@cases(0.03)
@given(st.data())
def test_scans(scanned: Aligned, data: st.DataObject) -> None:
    scanned.survive(data, scans)


@cases(0.03)
@given(st.data())
def test_clouds(pointed: Aligned, data: st.DataObject) -> None:
    pointed.survive(data, clouds)


@cases(0.03)
@given(st.data(), st.sampled_from([ranges, clouds, disparities]))
def test_one_of_several(
    several: Aligned, data: st.DataObject, messages: Callable[[Any], Any]
) -> None:
    several.survive(data, messages)
