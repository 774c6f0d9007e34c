"""The node with a card of relative depth: scale and shift are those of depth."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from harness import FRAME_ID, Graph, camera, image, info_for, scene, wait_until
from onnx import TensorProto, helper, numpy_helper
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from mono_depth_ros.ros.messages import depth_to_image

WEIGHTS, OFFSET = np.array([0.1, 0.2, 1.5], np.float32), -0.4
SCALE, SHIFT = 3.0, 1.7


def save_card(folder: Path, height: int, width: int) -> str:
    """Write a model of one convolution and its card; return the path of the card."""
    sides = (1, 3, height, width), (1, 1, height, width)
    given, made = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in zip(('image', 'depth'), sides, strict=True)
    )
    weights = [
        numpy_helper.from_array(WEIGHTS.reshape(1, 3, 1, 1), 'w'),
        numpy_helper.from_array(np.array([OFFSET], np.float32), 'b'),
    ]
    node = helper.make_node('Conv', ['image', 'w', 'b'], ['depth'])
    graph = helper.make_graph([node], 'model', [given], [made], weights)
    opset = [helper.make_opsetid('', 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / 'model.onnx')
    card = {
        'model': 'model.onnx',
        'license': 'MIT',
        'input': {
            'name': 'image',
            'order': 'rgb',
            'scale': '1/255',
            'mean': [0, 0, 0],
            'std': [1, 1, 1],
        },
        'size': {'fixed': [height, width], 'fit': 'stretch'},
        'output': {'name': 'depth', 'kind': 'relative_depth'},
        'meters': {'rule': 'fit'},
    }
    (folder / 'card.yaml').write_text(yaml.safe_dump(card))
    return str(folder / 'card.yaml')


def test_a_registered_depth_gives_scale_and_shift_of_depth(graph: Graph, tmp_path: Path) -> None:
    rgb = scene()
    raw = rgb.astype(np.float64) / 255 @ WEIGHTS + OFFSET
    depth = SCALE * raw + SHIFT
    assert raw.min() < 0 < depth.min()
    parameters = {
        'network': save_card(tmp_path, *raw.shape),
        'device': 'cpu',
        'alignment.source': 'depth',
        'alignment.model': 'global',
        'edge_filter.enabled': False,
    }
    node = graph.start(parameters).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    fits = node.listen('~/alignment', DiagnosticArray)
    found = []
    for second in (10, 11, 12):
        msg = image(rgb, Header(stamp=Time(sec=second), frame_id=FRAME_ID))
        node.send(info_for(msg, camera(*raw.shape)), msg)
        seen = depths.of(msg)
        found.append(np.frombuffer(seen.data, np.float32).reshape(seen.height, seen.width))
        node.settle()
        if second == 10:
            measured = depth.astype(np.float32)
            measured[:, ::2] = np.nan
            message = depth_to_image(measured, msg.header)
            node.publisher('registered_depth', Image).publish(message)
            wait_until(lambda: node.node.shared.has_measurement, 'the measurement there')
    assert np.isnan(found[0]).all()
    assert fits.of(message).status[0].message == 'aligned'
    np.testing.assert_allclose(found[2], depth, rtol=0.005)
    values = {pair.key: pair.value for pair in fits.of(message).status[0].values}
    assert float(values['scale']) == pytest.approx(SCALE, rel=0.005)
    assert float(values['shift [m]']) == pytest.approx(SHIFT, rel=0.005)
    node.close()
