"""Small models of every class of transformers for depth, of random weights, in folders."""

import json
from pathlib import Path
from typing import Any

import torch

IMAGENET = {'image_mean': [0.485, 0.456, 0.406], 'image_std': [0.229, 0.224, 0.225]}
HALF = {'image_mean': [0.5] * 3, 'image_std': [0.5] * 3}
LEVELS = {'neck_hidden_sizes': [8, 8, 8, 8], 'fusion_hidden_size': 8}
VIT = {'hidden_size': 16, 'num_hidden_layers': 4, 'num_attention_heads': 2}
DINO = VIT | {'image_size': 56, 'patch_size': 14, 'out_indices': [1, 2, 3, 4]}


def depth_anything(**changes: Any) -> torch.nn.Module:
    import transformers as t

    backbone = t.Dinov2Config(**DINO, reshape_hidden_states=False)
    config = t.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        head_hidden_size=4,
        **LEVELS,
        **changes,
    )
    return t.DepthAnythingForDepthEstimation(config)


def prompt_depth_anything() -> torch.nn.Module:
    import transformers as t

    backbone = t.Dinov2Config(**DINO, reshape_hidden_states=False)
    config = t.PromptDepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, head_hidden_size=4, **LEVELS
    )
    return t.PromptDepthAnythingForDepthEstimation(config)


def dpt() -> torch.nn.Module:
    import transformers as t

    config = t.DPTConfig(
        image_size=64,
        patch_size=16,
        intermediate_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        **VIT,
        **LEVELS,
    )
    return t.DPTForDepthEstimation(config)


def dpt_dinov2() -> torch.nn.Module:
    import transformers as t

    backbone = t.Dinov2Config(**DINO, reshape_hidden_states=False)
    return t.DPTForDepthEstimation(t.DPTConfig(backbone_config=backbone, **LEVELS))


def glpn() -> torch.nn.Module:
    import transformers as t

    config = t.GLPNConfig(
        depths=[1] * 4,
        hidden_sizes=[4, 8, 8, 8],
        decoder_hidden_size=8,
        num_attention_heads=[1, 1, 2, 2],
        max_depth=8,
    )
    return t.GLPNForDepthEstimation(config)


def zoedepth(heads: int = 1) -> torch.nn.Module:
    import transformers as t

    backbone = t.BeitConfig(
        **VIT,
        intermediate_size=16,
        image_size=64,
        patch_size=16,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        use_relative_position_bias=True,
    )
    names = ['nyu', 'kitti'][:heads]
    bins = [{'name': n, 'n_bins': 4, 'min_depth': 0.001, 'max_depth': 10.0} for n in names]
    config = t.ZoeDepthConfig(
        backbone_config=backbone,
        bottleneck_features=8,
        num_relative_features=8,
        bin_embedding_dim=8,
        num_attractors=[4, 2, 2, 1],
        bin_configurations=bins,
        num_patch_transformer_layers=4,  # this and the next are written into the class
        patch_transformer_hidden_size=128,
        patch_transformer_intermediate_size=8,
        patch_transformer_num_attention_heads=2,
        **LEVELS,
    )
    return t.ZoeDepthForDepthEstimation(config)


def depth_pro(**changes: Any) -> torch.nn.Module:
    import transformers as t

    vit = t.Dinov2Config(**VIT, image_size=16, patch_size=4)
    config = t.DepthProConfig(
        fusion_hidden_size=16,
        patch_size=16,
        intermediate_hook_ids=[2, 1],
        intermediate_feature_dims=[8, 8],
        scaled_images_ratios=[0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.2],
        scaled_images_feature_dims=[8, 8],
        image_model_config=vit,
        patch_model_config=vit,
        fov_model_config=vit,
        num_fov_head_layers=2,
        **({'use_fov_model': True} | changes),
    )
    return t.DepthProForDepthEstimation(config)


def processor(kind: str, **changes: Any) -> dict[str, Any]:
    """Return what preprocessor_config.json holds, as transformers writes it."""
    usual = {
        'DPT': {'size': {'height': 64, 'width': 64}, 'resample': 3, **HALF},
        'ZoeDepth': {'size': {'height': 64, 'width': 96}, 'ensure_multiple_of': 32, **HALF},
        'GLPN': {'size_divisor': 32},
        'DepthPro': {'size': {'height': 32, 'width': 32}, **HALF},
    }
    return {'image_processor_type': f'{kind}ImageProcessor', **usual[kind], **changes}


def save(
    model: torch.nn.Module, folder: Path, preprocessing: dict[str, Any], license: str = 'mit'
) -> Path:
    """Save a model with lively weights, its preprocessing and a model card; return the folder."""
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(std=1.5 / weight[0].numel() ** 0.5, generator=random)
            elif 'head' in name and name.endswith('bias'):
                weight.fill_(0.5)  # a ReLU at the end of a random network is often dead
        if getattr(model, 'fov_model', None) is not None:
            model.fov_model.head.layers[-1].weight.zero_()
            model.fov_model.head.layers[-1].bias.fill_(60.0)  # [deg]
    model.save_pretrained(folder)
    (folder / 'preprocessor_config.json').write_text(json.dumps(preprocessing))
    (folder / 'README.md').write_text(f'---\nlicense: {license}\n---\n# A model\n')
    return folder
