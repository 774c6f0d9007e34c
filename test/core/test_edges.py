import numpy as np
import pytest
import torch

from mono_depth_ros.core.edges import EdgeFilterSettings, remove_flying_pixels

NAN = float('nan')
DEFAULT = EdgeFilterSettings()


def removed(depth: torch.Tensor, settings: EdgeFilterSettings = DEFAULT) -> torch.Tensor:
    return depth.isfinite() & remove_flying_pixels(depth, settings).isnan()


def by_hand(depth: np.ndarray, threshold: float) -> np.ndarray:
    """Return the filtered depth, each window looked at one by one."""
    result = depth.copy()
    for v, u in np.ndindex(depth.shape):
        window = depth[max(v - 1, 0) : v + 2, max(u - 1, 0) : u + 2]
        known = window[~np.isnan(window)]
        if len(known) and known.max() > known.min() * np.float32(1 + threshold):
            result[v, u] = np.nan
    return result


def test_step_loses_the_pixels_on_both_its_sides() -> None:
    depth = torch.full((5, 8), 2.0)
    depth[:, 4:] = 3.0
    filtered = remove_flying_pixels(depth, DEFAULT)
    assert filtered[:, 3:5].isnan().all()
    assert (filtered[:, :3] == 2).all()
    assert (filtered[:, 5:] == 3).all()


def test_pixel_between_two_surfaces_goes() -> None:
    depth = torch.tensor([[1.0, 1.0, 1.0, 1.7, 4.0, 4.0, 4.0]]).expand(3, 7)
    expected = [False, False, True, True, True, False, False]
    assert removed(depth).tolist() == [expected] * 3


def test_slanted_wall_and_floor_stay() -> None:
    u = torch.arange(200.0)
    wall = (2 * 1.02 ** (u / 2)).expand(50, 200)  # farther by 2 % in every window
    assert not removed(wall).any()
    # A floor 1 m below, f = 500 px: 1 row of 25 below the horizon is 4 %.
    below = torch.arange(25.0, 200.0)[:, None]
    floor = (500 / below).expand(175, 40)
    assert not removed(floor).any()


def test_floor_is_lost_where_two_rows_make_a_tenth() -> None:
    """Between rows k - 1 and k + 1 below the horizon a floor recedes by (k + 1) / (k - 1)."""
    k = torch.arange(2.0, 60.0)[:, None]
    lost = removed((500 / k).expand(58, 5)).all(dim=1)
    assert [int(row) for row in k[lost, 0]] == [*range(2, 21)]


def test_threshold_is_a_ratio() -> None:
    for factor in (0.01, 1.0, 100.0):
        near_miss = torch.tensor([[1.0, 1.099]]) * factor
        hit = torch.tensor([[1.0, 1.101]]) * factor
        assert not removed(near_miss).any()
        assert removed(hit).all()
        assert not removed(hit, EdgeFilterSettings(threshold=0.102)).any()


def test_unknown_neighbours_count_for_nothing() -> None:
    depth = torch.full((5, 5), 2.0)
    depth[2, 2] = NAN
    filtered = remove_flying_pixels(depth, DEFAULT)
    assert torch.equal(filtered.isnan(), depth.isnan())
    lonely = torch.full((3, 3), NAN)
    lonely[1, 1] = 5.0
    assert remove_flying_pixels(lonely, DEFAULT)[1, 1] == 5
    assert remove_flying_pixels(torch.full((4, 4), NAN), DEFAULT).isnan().all()


@pytest.mark.parametrize('shape', [(1, 1), (1, 7), (7, 1), (2, 2), (30, 41)])
@pytest.mark.parametrize('threshold', [0.02, 0.1, 1.0])
def test_equals_every_window_by_hand(shape: tuple[int, int], threshold: float) -> None:
    rng = np.random.default_rng(len(shape) + shape[0])
    depth = rng.uniform(1, 1 + 2 * threshold, shape).astype(np.float32)
    depth[rng.random(shape) < 0.2] = np.nan
    filtered = remove_flying_pixels(torch.from_numpy(depth), EdgeFilterSettings(True, threshold))
    np.testing.assert_array_equal(filtered, by_hand(depth, threshold))


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
