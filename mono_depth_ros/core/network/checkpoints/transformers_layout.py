"""The names that the transformers library gives to the entries of Depth Anything."""

import re

import torch

State = dict[str, torch.Tensor]

_BACKBONE = {
    r'backbone\.embeddings\.(cls_token|mask_token)': r'pretrained.\1',
    r'backbone\.embeddings\.position_embeddings': r'pretrained.pos_embed',
    r'backbone\.embeddings\.patch_embeddings\.projection\.(.+)': r'pretrained.patch_embed.proj.\1',
    r'backbone\.layernorm\.(.+)': r'pretrained.norm.\1',
}
_BLOCK = {
    r'attention\.(?:output\.dense|o_proj)\.(.+)': r'attn.proj.\1',
    r'layer_scale([12])\.lambda1': r'ls\1.gamma',
    r'mlp\.weights_in\.(.+)': r'mlp.w12.\1',
    r'mlp\.weights_out\.(.+)': r'mlp.w3.\1',
    r'((?:norm[12]|mlp\.fc[12])\..+)': r'\1',
}
_HEAD = {
    r'neck\.reassemble_stage\.layers\.(\d)\.projection\.(.+)': r'depth_head.projects.\1.\2',
    r'neck\.reassemble_stage\.layers\.(\d)\.resize\.(.+)': r'depth_head.resize_layers.\1.\2',
    r'head\.conv1\.(.+)': r'depth_head.scratch.output_conv1.\1',
    r'head\.conv2\.(.+)': r'depth_head.scratch.output_conv2.0.\1',
    r'head\.conv3\.(.+)': r'depth_head.scratch.output_conv2.2.\1',
}
_BLOCK_NAME = re.compile(r'backbone\.encoder\.layer\.(\d+)\.(.+)')
_ATTENTION = re.compile(
    r'backbone\.encoder\.layer\.(\d+)\.attention\.'
    r'(attention\.(?:query|key|value)|[qkv]_proj)\.(weight|bias)'
)
_LEVEL_NAME = re.compile(r'neck\.convs\.([0-3])\.(.+)')
_FUSION_NAME = re.compile(r'neck\.fusion_stage\.layers\.([0-3])\.(.+)')
_FUSION = {
    r'projection\.(.+)': r'out_conv.\1',
    r'residual_layer([12])\.convolution([12])\.(.+)': r'resConfUnit\1.conv\2.\3',
}
MARK = 'backbone.embeddings.cls_token'
"""An entry that every such file has."""


def from_transformers(entries: State) -> State:
    """Return entries under our names; one that has none keeps its own.

    Queries, keys and values of a block become one matrix. The head counts its fusion from the
    coarsest level on, we from the finest.
    """
    joined: dict[str, State] = {}
    renamed: State = {}
    for name, value in entries.items():
        found = _ATTENTION.fullmatch(name)
        if found:
            block, part, what = found.groups()
            part = part.removeprefix('attention.')
            whole = f'pretrained.blocks.{block}.attn.qkv.{what}'
            joined.setdefault(whole, {})[part[0]] = value
        else:
            renamed[_our_name(name)] = value
    return renamed | {name: torch.cat([parts[p] for p in 'qkv']) for name, parts in joined.items()}


def _our_name(name: str) -> str:
    if block := _BLOCK_NAME.fullmatch(name):
        return f'pretrained.blocks.{block[1]}.{_renamed(block[2], _BLOCK)}'
    if level := _LEVEL_NAME.fullmatch(name):
        return f'depth_head.scratch.layer{int(level[1]) + 1}_rn.{level[2]}'
    if fusion := _FUSION_NAME.fullmatch(name):
        number = 4 - int(fusion[1])
        return f'depth_head.scratch.refinenet{number}.{_renamed(fusion[2], _FUSION)}'
    return _renamed(name, _BACKBONE | _HEAD)


def _renamed(name: str, table: dict[str, str]) -> str:
    for pattern, replacement in table.items():
        if found := re.fullmatch(pattern, name):
            return found.expand(replacement)
    return name
