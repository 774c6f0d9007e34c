"""What holds for any weights: shapes, batches, gradients, and the rearranged arithmetic."""

import dataclasses

import pytest
import torch
from small_vit import SMALL

from benchmarks.network import made_eager
from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything

GATED = dataclasses.replace(SMALL, gated=True)


def network(preset: object = SMALL, **kwargs: object) -> DepthAnything:
    torch.manual_seed(0)
    return DepthAnything(preset, max_depth=20.0, **kwargs).eval()


@pytest.mark.parametrize(('height', 'width'), [(14, 14), (126, 126), (42, 70), (70, 28)])
@torch.inference_mode()
def test_a_value_for_every_pixel(height: int, width: int) -> None:
    depth = network()(torch.randn(2, 3, height, width))
    assert depth.shape == (2, height, width)
    assert ((depth > 0) & (depth < 20)).all()


@torch.inference_mode()
def test_relative_head_is_not_negative() -> None:
    torch.manual_seed(0)
    relative = DepthAnything(SMALL).eval()
    image = torch.randn(1, 3, 42, 56)
    before = relative(image)
    assert before.min() >= 0
    # The bias of the last convolution moves the output, which is cut off at 0.
    relative.depth_head.scratch.output_conv2[2].bias += 1 - before.min()
    above = relative(image)
    relative.depth_head.scratch.output_conv2[2].bias -= above.mean()
    below = relative(image)
    assert torch.allclose(below, (above - above.mean()).relu(), atol=1e-6)
    assert (below == 0).any()


@torch.inference_mode()
def test_images_of_a_batch_do_not_meet() -> None:
    images = torch.randn(3, 3, 42, 56)
    net = network()
    alone = torch.cat([net(image[None]) for image in images])
    torch.testing.assert_close(net(images), alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('preset', [SMALL, GATED], ids=['mlp', 'gated'])
def test_equals_the_eager_formulation_in_value_and_gradient(preset: object) -> None:
    ours = network(preset).to(memory_format=torch.channels_last)
    eager = made_eager(ours)
    assert type(eager.depth_head) is not type(ours.depth_head)
    image = torch.randn(2, 3, 42, 56)
    result, expected = ours(image), eager(image)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    weight = torch.randn_like(result)
    (result * weight).sum().backward()
    (expected * weight).sum().backward()
    reference = {name: value.grad for name, value in eager.named_parameters()}
    compared = 0
    for name, value in ours.named_parameters():
        if value.grad is None:
            assert reference[name] is None, name
            continue
        scale = reference[name].abs().max()
        assert (value.grad - reference[name]).abs().max() <= 1e-4 * scale, name
        compared += 1
    assert compared > 100


@torch.inference_mode()
def test_version_1_takes_the_last_four_blocks() -> None:
    assert SMALL.last_blocks == (2, 3, 4, 5)
    assert PRESETS['vitl'].last_blocks == (20, 21, 22, 23)
    image = torch.randn(1, 3, 42, 56)
    v1 = network(v1=True)
    same = network(dataclasses.replace(SMALL, feature_blocks=(2, 3, 4, 5)))
    assert torch.equal(v1(image), same(image))
    assert not torch.equal(v1(image), network()(image))


@torch.inference_mode()
def test_positions_are_those_of_training_at_the_size_of_training() -> None:
    encoder = network().pretrained
    encoder.pos_embed.copy_(torch.randn_like(encoder.pos_embed))
    assert encoder.position_embedding(9, 9) is encoder.pos_embed
    wide = encoder.position_embedding(9, 12)
    assert wide.shape == (1, 1 + 9 * 12, SMALL.dim)
    assert torch.equal(wide[:, 0], encoder.pos_embed[:, 0])
    # Resampling a constant grid changes nothing.
    encoder.pos_embed[:, 1:] = 0.25
    assert (encoder.position_embedding(5, 20)[:, 1:] - 0.25).abs().max() < 1e-6


def test_layers_are_normalized_as_in_training() -> None:
    """Too small an effect to show in the stored cases, and not in the weights."""
    norms = [module for module in network().modules() if isinstance(module, torch.nn.LayerNorm)]
    assert [norm.eps for norm in norms] == [1e-6] * (2 * SMALL.depth + 1)
