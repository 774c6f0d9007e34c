"""What each of several cameras on one network has of its own: mask, alignment, diagnostics."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import FRAME_ID, Graph, Running, camera, image, info_for, scene, wait_until
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from test_diagnostics import part
from test_relative_depth_network import OFFSET, SCALE, SHIFT, WEIGHTS, save_card

from mono_depth_ros.ros.messages import depth_to_image
from mono_depth_ros.ros.network_host import NetworkHost


def test_a_measurement_and_a_mask_of_one_camera_are_nothing_to_another(
    graph: Graph, tmp_path: Path
) -> None:
    rgb = scene()
    depth = SCALE * (rgb.astype(np.float64) / 255 @ WEIGHTS + OFFSET) + SHIFT
    height, width = depth.shape
    blind = np.full((height, width), 255, np.uint8)
    blind[: height // 4] = 0
    cv2.imwrite(str(tmp_path / 'blind.png'), blind)
    parameters: dict[str, Any] = {
        'network': save_card(tmp_path, height, width),
        'device': 'cpu',
        'alignment.source': 'depth',
        'alignment.model': 'global',
        'edge_filter.enabled': False,
    }
    host, mask = NetworkHost(), {'mask': str(tmp_path / 'blind.png')}
    measured = graph.start(parameters | mask, host=host).until('active')
    alone = graph.start(parameters, host=host).until('active')
    assert len(host.loaded) == 1
    nodes = measured, alone
    depths = [node.listen('~/depth/image_rect', Image) for node in nodes]
    reports = [node.listen('/diagnostics', DiagnosticArray) for node in nodes]
    for second in (10, 11, 12):
        msg = image(rgb, Header(stamp=Time(sec=second), frame_id=FRAME_ID))
        for node in nodes:
            node.send(info_for(msg, camera(height, width)), msg)
        found = [plane(box.of(msg)) for box in depths]
        if second == 10:
            for node in nodes:
                node.settle()
            message = depth_to_image(depth.astype(np.float32), msg.header)
            measured.publisher('registered_depth', Image).publish(message)
            wait_until(lambda: measured.node.shared.has_measurement, 'the measurement there')
    assert np.isnan(found[0][: height // 4]).all()
    np.testing.assert_allclose(found[0][height // 3 :], depth[height // 3 :], rtol=0.005)
    assert np.isnan(found[1]).all()
    for node, box, level in zip(
        nodes, reports, (DiagnosticStatus.OK, DiagnosticStatus.ERROR), strict=True
    ):
        box.wait(lambda report, node=node, level=level: says(report, node, level))
    for node in nodes:
        node.close()


def says(report: DiagnosticArray, node: Running, level: bytes) -> bool:
    """Return whether a report is that of a node, and calls its alignment that."""
    status = part(report, 'alignment')
    return (
        status is not None
        and status.name.startswith(node.namespace[1:])
        and (status.level == level)
    )


def plane(msg: Image) -> np.ndarray:
    return np.frombuffer(msg.data, np.float32).reshape(msg.height, msg.width)
