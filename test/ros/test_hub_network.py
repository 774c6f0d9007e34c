"""The node with a model of transformers, of random weights, in a folder."""

import json
from pathlib import Path

import numpy as np
import torch
from harness import Graph, image
from sensor_msgs.msg import Image

COMMIT = 'a1' * 20


def save_glpn(folder: Path) -> None:
    """Save a metric GLPN of random weights that are large enough to tell pictures apart."""
    import transformers

    config = transformers.GLPNConfig(
        depths=[1] * 4,
        hidden_sizes=[4, 8, 8, 8],
        decoder_hidden_size=8,
        num_attention_heads=[1, 1, 2, 2],
        max_depth=8,
    )
    model = transformers.GLPNForDepthEstimation(config)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=1.5 / weight[0].numel() ** 0.5, generator=random)
    model.save_pretrained(folder)
    processor = {'image_processor_type': 'GLPNImageProcessor', 'size_divisor': 32, 'resample': 2}
    (folder / 'preprocessor_config.json').write_text(json.dumps(processor))
    (folder / 'README.md').write_text('---\nlicense: mit\n---\n')


def test_node_runs_a_model_and_refuses_what_is_not_here(graph: Graph, tmp_path: Path) -> None:
    folder = tmp_path / 'glpn'
    save_glpn(folder)
    node = graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'device': 'cpu', 'autostart': False}
    )
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
