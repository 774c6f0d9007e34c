"""A depth camera errs with the square of depth, and its holes are where they are in real ones."""

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.simulation.depth_camera import DepthCamera

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)


def measured(depth: torch.Tensor, dropout: float = 0.0) -> torch.Tensor:
    return DepthCamera(dropout=dropout).measure(depth, CAMERA, seed=3)


@pytest.mark.parametrize(('z', 'share'), [(1.0, 0.01), (2.0, 0.02), (4.0, 0.04)])
def test_errors_grow_with_depth(z: float, share: float) -> None:
    depth = torch.full((240, 320), z)
    found = measured(depth)
    assert bool(found.isfinite().all())
    error = found / z - 1
    assert float(error.mean()) == pytest.approx(0, abs=0.002)
    assert float(error.std()) == pytest.approx(share, rel=0.03)
    assert torch.equal(found, measured(depth))


def test_too_near_too_far_and_unmatched_is_unknown() -> None:
    depth = torch.full((240, 320), 2.0)
    depth[:60], depth[60:120] = 0.2, 7.0
    found = measured(depth, dropout=0.1)
    assert bool(found[:120].isnan().all())
    assert float(found[120:].isnan().float().mean()) == pytest.approx(0.1, abs=0.01)


def test_a_shadow_lies_left_of_what_is_near() -> None:
    """As wide as the disparities differ: f b (1 / 1 m - 1 / 4 m)."""
    depth = torch.full((4, 320), 4.0)
    depth[:, 150:200] = 1.0
    hidden = measured(depth).isnan()
    width = CAMERA.fx * 0.05 * (1 - 1 / 4)
    assert int(hidden[0].sum()) == pytest.approx(width, abs=1)
    assert bool(hidden[:, 149].all())
    assert not bool(hidden[:, 150:].any())
