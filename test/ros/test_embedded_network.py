"""The embedded network over DDS: meters by the camera alone, and none without it."""

import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import Graph, Running, image, info_for, picture
from sensor_msgs.msg import Image

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.estimator import EstimatorSettings, load_estimator


@pytest.fixture(scope='module')
def node(graph: Graph) -> Running:
    return graph.start({'encoder': 'tiny', 'edge_filter.enabled': False}).until('active')


def test_meters_follow_the_focal_length_and_are_unknown_without_it(node: Running) -> None:
    depths = node.listen('~/depth/image_rect', Image)
    reports = node.listen('/diagnostics', DiagnosticArray)
    rgb = picture(seed=9)

    blind = image(rgb)
    node.send(blind)
    unknown = np.frombuffer(depths.of(blind).data, '<f4')
    assert np.isnan(unknown).all()

    def told(msg: DiagnosticArray) -> bool:
        status = msg.status[0]
        return status.level == DiagnosticStatus.ERROR and 'focal length' in status.message

    reports.wait(told)

    sent = image(rgb)
    info = info_for(sent)
    node.send(info, sent)
    found = np.frombuffer(depths.of(sent).data, '<f4').reshape(rgb.shape[:2])
    camera = PinholeCamera(info.width, info.height, info.k[0], info.k[4], info.k[2], info.k[5])
    estimator = load_estimator(EstimatorSettings('tiny', device='cpu'))
    (expected,) = estimator.predict([torch.from_numpy(rgb)], rgb.shape[:2], [camera])
    depth = 1 / expected.values.numpy()
    known = np.isfinite(found)
    assert known.mean() > 0.5
    np.testing.assert_allclose(found[known], depth[known], rtol=1e-3)


def test_a_scale_asks_for_the_relative_network(graph: Graph, node: Running) -> None:
    assert 'scale can change only while the node is not active' in node.set(scale=0.4)
    assert node.set(depth_scale=1.2) == ''
    assert node.set(depth_scale=1.0) == ''
    scaled = graph.start({'encoder': 'tiny', 'scale': 0.4, 'shift': 0.01}).until('active')
    relatives = scaled.listen('~/relative_inverse_depth', Image)
    depths = scaled.listen('~/depth/image_rect', Image)
    sent = image(picture(seed=3))
    scaled.send(info_for(sent), sent)
    relative = np.frombuffer(relatives.of(sent).data, '<f4')
    depth = np.frombuffer(depths.of(sent).data, '<f4')
    known = np.isfinite(depth)
    assert known.any()
    np.testing.assert_allclose(depth[known], 1 / (0.4 * relative[known] + 0.01), rtol=1e-4)
