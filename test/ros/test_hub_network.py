"""The node with a model of transformers, of random weights, in a folder."""

from pathlib import Path

import numpy as np
from harness import Graph, image
from hub_models import glpn, processor, save
from sensor_msgs.msg import Image

COMMIT = 'a1' * 20


def test_node_runs_a_model_and_refuses_what_is_not_here(graph: Graph, tmp_path: Path) -> None:
    folder = save(glpn(), tmp_path / 'glpn', processor('GLPN'))
    node = graph.start({'encoder': 'tiny', 'device': 'cpu', 'autostart': False})
    missing = f'hf:someone/model@{COMMIT}'
    assert f'run `mono_depth networks get {missing}`' in node.set(network=missing)
    assert 'names no commit' in node.set(network='hf:someone/model')
    assert node.set(network=f'hf:{folder}') == ''
    (folder / 'model.safetensors').rename(tmp_path / 'kept')
    assert not node.change('configure')
    assert 'lacks model.safetensors' in node.logged('cannot configure').msg
    (tmp_path / 'kept').rename(folder / 'model.safetensors')
    assert node.change('configure')
    node.logged('are these weights trained')
    assert node.change('activate')
    depths = node.listen('~/depth/image_rect', Image)
    sent = image()
    node.send(sent)
    found = depths.of(sent)
    depth = np.frombuffer(found.data, '<f4').reshape(found.height, found.width)
    assert np.isfinite(depth).any()
    assert np.nanmax(depth) <= 0.98 * 8
    node.close()
