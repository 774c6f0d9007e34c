import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings, remove_flying_pixels

NAN = float('nan')
DEFAULT = EdgeFilterSettings()


def removed(
    depth: torch.Tensor, settings: EdgeFilterSettings = DEFAULT, radius: int = 1
) -> torch.Tensor:
    return depth.isfinite() & remove_flying_pixels(1 / depth, settings, radius).isnan()


def by_hand(inverse_depth: np.ndarray, threshold: float, radius: int) -> np.ndarray:
    """Return the filtered inverse depth, each window looked at one by one."""
    q = np.nan_to_num(inverse_depth)
    rows, columns = q.shape
    step, limit = 2 * radius, threshold / 2 * q
    bent = np.zeros(q.shape, bool)
    for v, u in np.ndindex(q.shape):
        if step <= v < rows - step:
            bent[v, u] |= abs(q[v - step, u] + q[v + step, u] - 2 * q[v, u]) > limit[v, u]
        if step <= u < columns - step:
            bent[v, u] |= abs(q[v, u - step] + q[v, u + step] - 2 * q[v, u]) > limit[v, u]
    result = inverse_depth.copy()
    for v, u in np.ndindex(q.shape):
        around = (
            slice(max(v - radius, 0), v + radius + 1),
            slice(max(u - radius, 0), u + radius + 1),
        )
        known = inverse_depth[around][~np.isnan(inverse_depth[around])]
        steep = len(known) and known.max() > max(known.min(), 0) * np.float32(1 + threshold)
        if steep and bent[around].any():
            result[v, u] = np.nan
    return result


def floor(height_m: float) -> torch.Tensor:
    """Return (480, 640) [m] of a level floor, f = 457 px; NaN above the horizon."""
    ray_down = PinholeCamera.from_fov(640, 480, 70).rays()[1]
    return torch.where(ray_down > 0, height_m / ray_down, NAN)


def test_step_loses_the_pixels_on_both_its_sides() -> None:
    depth = torch.full((5, 8), 2.0)
    depth[:, 4:] = 3.0
    filtered = remove_flying_pixels(1 / depth, DEFAULT)
    assert filtered[:, 3:5].isnan().all()
    assert (filtered[:, :3] == 1 / 2).all()
    assert (filtered[:, 5:] == 1 / depth[:, 5:]).all()


def test_pixel_between_two_surfaces_goes() -> None:
    depth = torch.tensor([[1.0, 1.0, 1.0, 1.7, 4.0, 4.0, 4.0]]).expand(3, 7)
    expected = [False, False, True, True, True, False, False]
    assert removed(depth).tolist() == [expected] * 3


def test_a_step_blurred_over_more_pixels_needs_their_radius() -> None:
    """The middle of a long ramp is as straight as a floor."""
    q = torch.tensor([1.0] * 12 + [1 - 0.1 * k for k in range(1, 8)] + [0.25] * 12)
    depth = q.reciprocal().expand(30, -1)
    between = (depth[0] > 1.05) & (depth[0] < 3.8)
    assert not removed(depth)[15, between].all()
    assert removed(depth, radius=3)[15, between].all()


@pytest.mark.parametrize('height_m', [0.1, 0.3, 1.0])
def test_floor_stays_however_steep_it_is(height_m: float) -> None:
    """A ratio alone would take the floor where two rows make a tenth: from 21 rows below 0 on."""
    depth = floor(height_m)
    kept = ~removed(depth)
    # The last rows bend, since nothing is known above the horizon.
    assert kept[244:].all()
    assert float(depth[244:].max()) == pytest.approx(height_m * 457 / 4.5, rel=1e-3)
    wide = ~removed(depth, radius=2)
    assert wide[248:].all()


def test_steep_wall_stays_and_the_step_at_its_end_goes() -> None:
    """A wall 1 m to the right, nearly along the view, that ends 40 m away before a hall."""
    x = PinholeCamera.from_fov(640, 480, 70).rays()[0]
    wall = (x + 0.01).reciprocal()
    depth = torch.where((wall > 0) & (wall < 40), wall, 60.0)
    end = int((depth[0] == 60).sum())
    assert float(depth[0, end + 1] / depth[0, end + 3]) > 1.1
    gone = removed(depth)
    assert gone[:, end - 1 : end + 1].all()
    assert not gone[:, : end - 1].any()
    assert not gone[:, end + 3 :].any()


def test_threshold_is_a_ratio() -> None:
    for factor in (0.01, 1.0, 100.0):
        near_miss = torch.tensor([[1.0] * 5 + [1.099] * 5]) * factor
        hit = torch.tensor([[1.0] * 5 + [1.101] * 5]) * factor
        assert not removed(near_miss).any()
        assert removed(hit)[0].tolist() == [k in (4, 5) for k in range(10)]
        assert not removed(hit, EdgeFilterSettings(threshold=0.102)).any()


def test_unknown_neighbors_make_nothing_steep() -> None:
    depth = torch.full((7, 7), 2.0)
    depth[3, 3] = NAN
    filtered = remove_flying_pixels(1 / depth, DEFAULT)
    assert torch.equal(filtered.isnan(), depth.isnan())
    lonely = torch.full((3, 3), NAN)
    lonely[1, 1] = 5.0
    assert remove_flying_pixels(lonely, DEFAULT)[1, 1] == 5
    assert remove_flying_pixels(torch.full((4, 4), NAN), DEFAULT).isnan().all()


@pytest.mark.parametrize('sky', [NAN, 0.0, -0.05])
def test_ramp_into_the_sky_goes(sky: float) -> None:
    """What leads from a surface to where there is none belongs to neither."""
    q = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.7, 0.2, sky, sky, sky, sky]).expand(5, 10)
    kept = remove_flying_pixels(q, DEFAULT)
    assert not kept[2, 3:6].isfinite().any()
    assert (kept[2, :3] == 1).all()


@pytest.mark.parametrize('sky_depth', [NAN, 0.0])
def test_floor_stays_up_to_the_horizon_of_a_relative_network(sky_depth: float) -> None:
    """Inverse depth goes on falling past 0, or ends there."""
    q = PinholeCamera.from_fov(640, 480, 70).rays()[1] / 0.3
    q = torch.where(q > 0, q, q + sky_depth)
    assert remove_flying_pixels(q, DEFAULT)[244:].isfinite().all()


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (9, 1), (2, 2), (30, 41)])
@pytest.mark.parametrize('threshold', [0.02, 0.1, 1.0])
@pytest.mark.parametrize('radius', [1, 2, 3])
def test_equals_every_window_by_hand(
    shape: tuple[int, int], threshold: float, radius: int
) -> None:
    rng = np.random.default_rng(len(shape) + shape[0])
    q = rng.uniform(1, 1 + 2 * threshold, shape).astype(np.float32)
    q[: shape[0] // 2] = 1 + 0.4 * threshold * rng.random((shape[0] // 2, shape[1]))
    q[rng.random(shape) < 0.1] = np.nan
    q[rng.random(shape) < 0.02] = 0
    q[rng.random(shape) < 0.02] *= -1
    settings = EdgeFilterSettings(True, threshold)
    filtered = remove_flying_pixels(torch.from_numpy(q), settings, radius)
    np.testing.assert_array_equal(filtered, by_hand(q, threshold, radius))


def test_off_means_untouched() -> None:
    depth = torch.tensor([[1.0, 9.0, NAN]])
    settings = EdgeFilterSettings(enabled=False)
    assert remove_flying_pixels(depth, settings) is depth


def test_input_is_left_alone_and_may_have_strides() -> None:
    wide = torch.rand(20, 30) + 1
    before = wide.clone()
    view = wide[::2, 1::3]
    filtered = remove_flying_pixels(view, DEFAULT)
    assert torch.equal(wide, before)
    assert torch.equal(
        filtered.nan_to_num(-1), remove_flying_pixels(view.clone(), DEFAULT).nan_to_num(-1)
    )
