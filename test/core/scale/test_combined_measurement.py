"""Measurements of one image as one: each pixel of the most certain source."""

import math

import torch

from mono_depth_ros.core.scale.combined_measurement import combined
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement

SIZE = (6, 8)
NAN = math.nan


def constant(depth_m: float, share: float, **known: object) -> DepthMeasurement:
    return DepthMeasurement(torch.full(SIZE, 1 / depth_m), 0.0, relative_noise=share, **known)


def test_a_single_one_is_itself() -> None:
    one = constant(2.0, 0.02)
    assert combined([one], SIZE) is one


def test_each_pixel_is_of_the_most_certain() -> None:
    coarse, fine = constant(2.0, 0.1, origin='coarse'), constant(3.0, 0.02, is_matched=True)
    fine.inverse_depth[:, 4:] = NAN
    for both in (combined([coarse, fine], SIZE), combined([fine, coarse], SIZE)):
        assert both.inverse_depth[0].tolist() == [1 / 3] * 4 + [0.5] * 4 or torch.allclose(
            both.inverse_depth[0], torch.tensor([1 / 3] * 4 + [0.5] * 4)
        )
        deviation = both.sigma() / both.inverse_depth
        assert torch.allclose(deviation[0], torch.tensor([0.02] * 4 + [0.1] * 4))
        assert both.matched().view(SIZE)[0].tolist() == [True] * 4 + [False] * 4
        some = torch.tensor([1, 6])
        q = both.inverse_depth.flatten()[some]
        assert torch.allclose(both.variance(q, some).sqrt() / q, torch.tensor([0.02, 0.1]))
        assert both.matched(some).tolist() == [True, False]
        assert torch.allclose(both.variance(q, slice(0, 7, 6)).sqrt()[0] / q[0], q[0] * 0 + 0.02)


def test_the_share_of_depth_counts_not_inverse_depth() -> None:
    """A far surface of a LiDAR has little noise in 1/m, and hides nothing near."""
    far = DepthMeasurement(torch.full(SIZE, 1 / 50.0), 0.0, relative_noise=0.02)
    near = DepthMeasurement(torch.full(SIZE, 1 / 2.0), 0.005)
    assert float(combined([far, near], SIZE).inverse_depth.min()) == 0.5


def test_other_resolutions_are_brought_to_the_size() -> None:
    sparse = DepthMeasurement(torch.tensor([[NAN, 0.5], [NAN, NAN]]), 0.0, relative_noise=0.01)
    dense = constant(4.0, 0.05)
    both = combined([dense, sparse], SIZE)
    assert both.inverse_depth.shape == SIZE
    assert int((both.inverse_depth == 0.5).sum()) == 1
    assert int((both.inverse_depth == 0.25).sum()) == 47
    larger = DepthMeasurement(torch.full((12, 16), 0.2), 0.0, relative_noise=0.001)
    assert torch.equal(combined([dense, larger], SIZE).inverse_depth, torch.full(SIZE, 0.2))
