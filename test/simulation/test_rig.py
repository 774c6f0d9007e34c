import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError
from mono_depth_ros.core.scale.stereo_matching import match_disparity
from mono_depth_ros.simulation.rig import SensorNoise, StereoRig
from mono_depth_ros.simulation.views import sample_view

RIG = StereoRig(PinholeCamera.from_fov(320, 240, 75), 0.1)
SILENT = SensorNoise(0, 0, 0, 0)


def test_right_image_moved_by_disparity_is_the_left_image() -> None:
    scene, _, pose = sample_view(12)
    frame = RIG.capture(scene, pose, noise=SILENT)
    torch.testing.assert_close(frame.disparity, RIG.camera.fx * 0.1 / frame.depth)
    u = torch.arange(320).expand(240, 320) - frame.disparity
    whole = u.floor().clamp(0, 318).long()
    rows = torch.arange(240)[:, None]
    right = frame.right.float()
    warped = torch.lerp(right[rows, whole], right[rows, whole + 1], (u - whole).unsqueeze(-1))
    error = (warped - frame.left.float()).abs().mean(-1)
    seen = u >= 0
    wrong_way = (right[rows, (whole + 6).clamp(max=319)] - frame.left.float()).abs().mean(-1)
    assert float(error[seen].median()) < 2
    assert float((error[seen] < 12).float().mean()) > 0.85
    assert float(error[seen].mean()) < 0.5 * float(wrong_way[seen].mean())


@pytest.mark.parametrize('seed', [12, 30])
def test_matcher_finds_the_true_disparity(seed: int) -> None:
    scene, _, pose = sample_view(seed)
    frame = RIG.capture(scene, pose, seed=1)
    found = match_disparity(frame.left, frame.right)
    valid = found.isfinite()
    error = (found - frame.disparity)[valid].abs()
    in_reach = frame.disparity[:, 64:] < 62
    assert float(valid[:, 64:][in_reach].float().mean()) > 0.5
    assert float(error.median()) < 1


def test_noise_is_seeded_and_as_strong_as_stated() -> None:
    scene, _, pose = sample_view(3)
    small = StereoRig(PinholeCamera.from_fov(80, 60, 75), 0.1)
    one, same, other = (small.capture(scene, pose, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.left, same.left)
    assert torch.equal(one.right, same.right)
    assert not torch.equal(one.left, other.left)
    flat = torch.full((100, 100, 3), 128, dtype=torch.uint8)
    noisy = SensorNoise(read=0.01, shot=0.02, gain=0, gamma=0).apply(
        flat, torch.Generator().manual_seed(0)
    )
    expected = 255 * (0.01**2 + 0.02**2 * 128 / 255) ** 0.5
    assert float(noisy.float().std()) == pytest.approx(expected, rel=0.05)
    assert float(noisy.float().mean()) == pytest.approx(128, abs=0.3)


@pytest.mark.parametrize('baseline', [0.0, -0.1, float('nan')])
def test_impossible_baseline_is_an_error(baseline: float) -> None:
    with pytest.raises(CalibrationError, match='baseline_m'):
        StereoRig(RIG.camera, baseline)
