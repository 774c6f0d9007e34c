"""Checkpoints under the names of the transformers library."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from small_vit import SMALL

from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.checkpoints.transformers_layout import from_transformers
from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything

State = dict[str, torch.Tensor]

# From the module tree that transformers prints; ours -> theirs, one rule after another.
RENAMED = (
    ('pretrained.patch_embed.proj.', 'backbone.embeddings.patch_embeddings.projection.'),
    ('pretrained.pos_embed', 'backbone.embeddings.position_embeddings'),
    ('pretrained.cls_token', 'backbone.embeddings.cls_token'),
    ('pretrained.mask_token', 'backbone.embeddings.mask_token'),
    ('pretrained.norm.', 'backbone.layernorm.'),
    ('pretrained.blocks.', 'backbone.encoder.layer.'),
    ('.attn.proj.', '.attention.output.dense.'),
    ('.ls1.gamma', '.layer_scale1.lambda1'),
    ('.ls2.gamma', '.layer_scale2.lambda1'),
    ('.mlp.w12.', '.mlp.weights_in.'),
    ('.mlp.w3.', '.mlp.weights_out.'),
    ('depth_head.projects.0.', 'neck.reassemble_stage.layers.0.projection.'),
    ('depth_head.projects.1.', 'neck.reassemble_stage.layers.1.projection.'),
    ('depth_head.projects.2.', 'neck.reassemble_stage.layers.2.projection.'),
    ('depth_head.projects.3.', 'neck.reassemble_stage.layers.3.projection.'),
    ('depth_head.resize_layers.0.', 'neck.reassemble_stage.layers.0.resize.'),
    ('depth_head.resize_layers.1.', 'neck.reassemble_stage.layers.1.resize.'),
    ('depth_head.resize_layers.3.', 'neck.reassemble_stage.layers.3.resize.'),
    ('depth_head.scratch.layer1_rn.', 'neck.convs.0.'),
    ('depth_head.scratch.layer2_rn.', 'neck.convs.1.'),
    ('depth_head.scratch.layer3_rn.', 'neck.convs.2.'),
    ('depth_head.scratch.layer4_rn.', 'neck.convs.3.'),
    ('depth_head.scratch.refinenet4.', 'neck.fusion_stage.layers.0.'),
    ('depth_head.scratch.refinenet3.', 'neck.fusion_stage.layers.1.'),
    ('depth_head.scratch.refinenet2.', 'neck.fusion_stage.layers.2.'),
    ('depth_head.scratch.refinenet1.', 'neck.fusion_stage.layers.3.'),
    ('.out_conv.', '.projection.'),
    ('.resConfUnit1.conv1.', '.residual_layer1.convolution1.'),
    ('.resConfUnit1.conv2.', '.residual_layer1.convolution2.'),
    ('.resConfUnit2.conv1.', '.residual_layer2.convolution1.'),
    ('.resConfUnit2.conv2.', '.residual_layer2.convolution2.'),
    ('depth_head.scratch.output_conv1.', 'head.conv1.'),
    ('depth_head.scratch.output_conv2.0.', 'head.conv2.'),
    ('depth_head.scratch.output_conv2.2.', 'head.conv3.'),
)
ATTENTION = {4: ('attention.query', 'attention.key', 'attention.value'), 5: tuple('qkv')}


def theirs(state: State, version: int) -> State:
    """Return our entries as version 4 or 5 of the library calls them."""
    found: State = {}
    for ours, value in state.items():
        name = ours
        for old, new in RENAMED:
            name = name.replace(old, new)
        block, cut, what = name.partition('.attn.qkv.')
        if cut:
            for part, third in zip(ATTENTION[version], value.chunk(3), strict=True):
                part = part if version == 4 else f'{part}_proj'
                found[f'{block}.attention.{part}.{what}'] = third.clone()
        elif version == 5:
            found[name.replace('attention.output.dense', 'attention.o_proj')] = value
        else:
            found[name] = value
    return found


def random_state() -> State:
    torch.manual_seed(0)
    state = DepthAnything(SMALL).state_dict()
    return {name: torch.randn_like(value) for name, value in state.items()}


def assert_same(found: State, expected: State) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize('version', [4, 5])
@pytest.mark.parametrize('wrapper', ['', 'model.', 'module._orig_mod.'])
def test_their_names_are_read(
    tmp_path: Path, small_vits: None, version: int, wrapper: str
) -> None:
    state = random_state()
    named = {f'{wrapper}{name}': value for name, value in theirs(state, version).items()}
    assert not any('pretrained' in name or 'depth_head' in name for name in named)
    save_file(named, tmp_path / 'model.safetensors')
    assert_same(load_state(tmp_path / 'model.safetensors', 'vits'), state)


@pytest.mark.parametrize('encoder', ['vits', 'vitb', 'vitl', 'vitg'])
def test_every_encoder_has_all_its_names(encoder: str) -> None:
    with torch.device('meta'):
        state = DepthAnything(PRESETS[encoder]).state_dict()
    shapes = {name: value.shape for name, value in state.items()}
    for version in (4, 5):
        found = from_transformers(theirs(state, version))
        assert {name: value.shape for name, value in found.items()} == shapes


def test_a_name_that_is_none_of_theirs_stays() -> None:
    entries = {'neck.extra.weight': torch.ones(1), 'backbone.encoder.layer.0.odd': torch.ones(1)}
    assert set(from_transformers(entries)) == {'neck.extra.weight', 'pretrained.blocks.0.odd'}
