import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings, remove_flying_pixels
from mono_depth_ros.core.outputs.edge_sharpness import edge_sharpness
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.fusion import fuse

NAN = float('nan')
DEFAULT = EdgeFilterSettings()


def removed(
    depth: torch.Tensor, settings: EdgeFilterSettings = DEFAULT, radius: int = 1
) -> torch.Tensor:
    return depth.isfinite() & remove_flying_pixels(1 / depth, settings, radius).isnan()


def by_hand(
    inverse_depth: np.ndarray, rise: float, bend: float, reach: int, is_step: bool
) -> np.ndarray:
    """Return the filtered inverse depth, each pixel looked at one by one."""
    q = np.maximum(np.nan_to_num(inverse_depth), 0)
    behind, ramp = np.zeros(q.shape, bool), np.zeros(q.shape, bool)
    for v, u in np.ndindex(q.shape):
        for row, at in ((q[v], u), (q[:, u], v)):
            for toward in (-reach, reach):
                is_behind = lies_behind(row, at, rise, toward)
                behind[v, u] |= is_behind
                near, far = (bends(row, at, bend, m) for m in (toward, -toward))
                fits = -1 in near and 1 in far if is_step else near and far
                ramp[v, u] |= is_behind and bool(fits)
    result = inverse_depth.copy()
    for v, u in np.ndindex(q.shape):
        if behind[v, u] and ramp[max(v - 1, 0) : v + 2, max(u - 1, 0) : u + 2].any():
            result[v, u] = np.nan
    return result


def sampled(row: np.ndarray, at: int) -> np.float32:
    return row[min(max(at, 0), len(row) - 1)]


def lies_behind(row: np.ndarray, at: int, rise: float, reach: int) -> bool:
    steps = {reach, max(1, reach // 2) if reach > 0 else min(-1, -(-reach // 2))}
    return max(sampled(row, at + m) for m in steps) > row[at] * np.float32(1 + rise)


def bends(row: np.ndarray, at: int, most: float, reach: int) -> set[int]:
    """Return which ways inverse depth bends there: 1 up, -1 down."""
    found = set()
    for m in (reach, 2 * reach):
        a, b = sampled(row, at + m), sampled(row, at + 2 * m)
        bend = row[at] + b - 2 * a
        if abs(bend) > a * np.float32(most):
            found.add(int(np.sign(bend)))
    return found


def floor(height_m: float) -> torch.Tensor:
    """Return (480, 640) [m] of a level floor, f = 457 px; NaN above the horizon."""
    ray_down = PinholeCamera.from_fov(640, 480, 70).rays()[1]
    return torch.where(ray_down > 0, height_m / ray_down, NAN)


def blurred_step(blur_px: float, nearer: float = 3.0, rows: int = 240) -> torch.Tensor:
    """Return inverse depth (H, 4/3 H) [1/m] of a step in the middle, from 1 to `nearer`."""
    column = torch.arange(rows * 4 // 3) - (rows * 4 // 3 - 1) / 2
    share = (1 + (column / (blur_px * 2**0.5)).erf()) / 2
    return (1 + (nearer - 1) * share).expand(rows, -1)


def test_step_loses_nothing() -> None:
    """No pixel lies between."""
    depth = torch.full((9, 16), 2.0)
    depth[:, 8:] = 3.0
    assert not removed(depth).any()
    assert not removed(depth, radius=3).any()


def test_pixel_between_two_surfaces_goes_with_the_one_behind_it() -> None:
    depth = torch.tensor([1.0, 1.0, 1.0, 1.7, 4.0, 4.0, 4.0]).expand(3, 7)
    expected = [k in (3, 4) for k in range(7)]
    assert removed(depth).tolist() == [expected] * 3
    assert removed(depth.T).T.tolist() == [expected] * 3


@pytest.mark.parametrize('nearer', [1.3, 2.0, 8.0])
@pytest.mark.parametrize('blur_px', [1.0, 2.0, 3.0])
def test_ramp_of_a_blurred_step_goes(blur_px: float, nearer: float) -> None:
    q = blurred_step(blur_px, nearer)
    gone = remove_flying_pixels(q, DEFAULT).isnan()
    flying = (q > 1.05) & (q < nearer / 1.05)
    assert float(gone[flying].float().mean()) > 0.95
    assert not gone[:, :140].any()
    assert not gone[:, 180:].any()


def share_removed(inverse_depth: torch.Tensor, radius: int, rows: slice) -> float:
    """Return how much goes of the ramp of a step from 1 to 3 in some of the rows."""
    q = inverse_depth[rows]
    gone = remove_flying_pixels(inverse_depth, DEFAULT, radius)[rows].isnan()
    return float(gone[(q > 1.05) & (q < 3 / 1.05)].float().mean())


@pytest.mark.parametrize('radius', [1, 2, 4])
def test_reach_is_counted_in_pixels_of_the_network(radius: int) -> None:
    """Four of a network that sees 480 rows, two of one that sees 120, if edges are dull."""
    by_rows = [
        share_removed(blurred_step(8.0 * radius, rows=rows * radius), radius, slice(None))
        for rows in (480, 240, 120)
    ]
    assert by_rows[0] > 0.95
    assert 0.7 < by_rows[1] < 0.95
    assert 0.2 < by_rows[2] < 0.4


@pytest.mark.parametrize('radius', [2, 4])
def test_network_that_makes_sharp_edges_is_believed_where_depth_rises_slowly(radius: int) -> None:
    """The lower half of the image shows that it can; a slope in the upper half is no smear."""
    q = blurred_step(4.0 * radius, rows=120 * radius).contiguous()
    upper = slice(0, 50 * radius)
    assert share_removed(q, radius, upper) > 0.8
    q[60 * radius :] = blurred_step(1.0 * radius, rows=120 * radius)[60 * radius :]
    assert share_removed(q, radius, upper) < 0.4


def test_rounded_crease_between_floor_and_wall_stays_where_edges_are_sharp() -> None:
    """It bends the same way on both sides; a step down bends down and then up."""
    ray_down = PinholeCamera.from_fov(320, 240, 70).rays()[1].numpy()
    crease = cv2.GaussianBlur(np.maximum(ray_down / 0.1, 0.5), (0, 0), 3.0)
    rows = slice(110, 150)
    assert remove_flying_pixels(torch.from_numpy(crease), DEFAULT)[rows].isnan().any()
    crease[:100] = blurred_step(1.0, nearer=2.0)[:100] / 2
    kept = remove_flying_pixels(torch.from_numpy(crease), DEFAULT)
    assert kept[rows].isfinite().all()
    assert kept[:90].isnan().any()


@pytest.mark.parametrize('axis', [0, 1])
def test_ramp_at_the_border_of_the_image_goes(axis: int) -> None:
    q = blurred_step(2.0)[:, 153:]
    gone = remove_flying_pixels(q if axis else q.T.contiguous(), DEFAULT).isnan()
    assert (gone if axis else gone.T)[:, 5:9].all()


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


def test_steep_wall_stays_and_what_lies_between_it_and_the_hall_goes() -> None:
    """A wall 1 m to the right, nearly along the view, that ends 40 m away before a hall."""
    x = PinholeCamera.from_fov(640, 480, 70).rays()[0]
    wall = (x + 0.01).reciprocal()
    depth = torch.where((wall > 0) & (wall < 40), wall, 90.0)
    end = int((depth[0] == 90).sum())
    depth[:, end - 1] = 55.0
    assert float(depth[0, end + 1] / depth[0, end + 3]) > 1.1
    gone = removed(depth)
    assert gone[:, end - 1].all()
    assert not gone[:, : end - 2].any()
    assert not gone[:, end + 1 :].any()


@pytest.mark.parametrize('blur_px', [0.0, 1.0, 2.0, 3.0])
@pytest.mark.parametrize('width_px', [1, 2, 3, 5, 8])
def test_crest_of_a_thin_object_stays(width_px: int, blur_px: float) -> None:
    """A pole before a wall, upright and lying: else a robot would run into it."""
    q = np.full((240, 320), 0.3, np.float32)
    q[:, 160 : 160 + width_px] = 1.0
    if blur_px:
        q = cv2.GaussianBlur(q, (0, 0), blur_px)
    smeared = torch.from_numpy(np.asarray(q))
    crest = smeared[120] == smeared[120].max()
    for kept in (
        remove_flying_pixels(smeared, DEFAULT)[120],
        remove_flying_pixels(smeared.T.contiguous(), DEFAULT)[:, 120],
    ):
        assert kept[crest].isfinite().all()


def test_narrow_gap_between_two_objects_that_smearing_fills_goes() -> None:
    """It is nearer than what is behind, and nothing is there."""
    q = np.full((240, 320), 1.0, np.float32)
    q[:, 160:162] = 0.3
    smeared = torch.from_numpy(np.asarray(cv2.GaussianBlur(q, (0, 0), 2.0)))
    gone = remove_flying_pixels(smeared, DEFAULT)[120].isnan()
    assert gone[159:163].all()
    assert not gone[:150].any()
    assert not gone[172:].any()


def test_threshold_is_a_ratio() -> None:
    """Half of it is how far a pixel may be off a surface."""
    for factor in (0.01, 1.0, 100.0):

        def between(share: float, factor: float = factor) -> torch.Tensor:
            nearer = [1 + 2 * share] * 6
            return torch.tensor([[1.0] * 6 + [1 + share] + nearer]).reciprocal() * factor

        assert not removed(between(0.049)).any()
        assert removed(between(0.06))[0].tolist() == [k in (5, 6) for k in range(13)]
        assert not removed(between(0.06), EdgeFilterSettings(threshold=0.125)).any()


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
    assert not kept[2, 4:6].isfinite().any()
    assert (kept[2, :4] == 1).all()


@pytest.mark.parametrize('sky_depth', [NAN, 0.0])
def test_floor_stays_up_to_the_horizon_of_a_relative_network(sky_depth: float) -> None:
    """Inverse depth goes on falling past 0, or ends there."""
    q = PinholeCamera.from_fov(640, 480, 70).rays()[1] / 0.3
    q = torch.where(q > 0, q, q + sky_depth)
    assert remove_flying_pixels(q, DEFAULT)[244:].isfinite().all()


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (9, 1), (2, 2), (30, 41)])
@pytest.mark.parametrize('threshold', [0.02, 0.1, 1.0])
@pytest.mark.parametrize('radius', [1, 2, 3])
def test_equals_every_pixel_by_hand(shape: tuple[int, int], threshold: float, radius: int) -> None:
    rng = np.random.default_rng(len(shape) + shape[0])
    q = rng.uniform(1, 1 + 2 * threshold, shape).astype(np.float32)
    q[: shape[0] // 2] = 1 + 0.1 * threshold * rng.random((shape[0] // 2, shape[1]))
    q[rng.random(shape) < 0.05] = np.nan
    q[rng.random(shape) < 0.02] = 0
    q[rng.random(shape) < 0.02] *= -1
    settings = EdgeFilterSettings(True, threshold)
    filtered = remove_flying_pixels(torch.from_numpy(q), settings, radius)
    sharpness = edge_sharpness(torch.from_numpy(q), radius)
    # Of so few pixels of the network, the reach is two if edges are dull.
    share, rise, bend = 1.0, 0.05, 0.5
    if sharpness is not None:
        share, rise, bend = (
            np.interp(sharpness, (0.39, 0.42, 0.485, 0.51, 0.58), values)
            for values in ((1, 1, 1, 0.5, 0.4), (0.02, *[0.05] * 4), (0.38, *[0.5] * 4))
        )
    reach = max(2, radius, round(2 * radius * share))
    is_step = sharpness is not None and sharpness > 0.485
    expected = by_hand(q, rise * threshold, bend * threshold, reach, is_step)
    np.testing.assert_array_equal(filtered, expected)


@pytest.mark.parametrize('band_px', [1, 150, 1000])
def test_bands_of_the_image_do_not_show(band_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    q = torch.rand(45, 60, generator=torch.Generator().manual_seed(0)).clamp_(min=0.8)
    q[10:20, 20:40] = NAN
    whole = remove_flying_pixels(q, DEFAULT, 2)
    assert 100 < int(whole.isnan().sum()) - 200 < 2000
    monkeypatch.setattr('mono_depth_ros.core.cpu_pixels._BAND_PX', band_px)
    np.testing.assert_array_equal(remove_flying_pixels(q, DEFAULT, 2), whole)


def test_what_was_measured_and_agrees_stays() -> None:
    """Every third column of a blurred step, as measured: by the fusion, and then by the filter."""
    aligned = blurred_step(2.0).contiguous()
    measured = torch.full_like(aligned, torch.nan)
    measured[:, ::3] = aligned[:, ::3]
    color = torch.full((*aligned.shape, 3), 128, dtype=torch.uint8)
    measurement = DepthMeasurement(measured, 0.0, relative_noise=0.01)
    metric = fuse(aligned, color, measurement, (0.1, 80.0))
    is_measured = metric.is_measured
    assert is_measured is not None
    assert torch.equal(is_measured, measured.isfinite())
    q = metric.inverse_depth
    assert int((remove_flying_pixels(q, DEFAULT).isnan() & is_measured).sum()) > 240
    kept = remove_flying_pixels(q, DEFAULT, 1, is_measured)
    assert torch.equal(kept[is_measured], q[is_measured])
    assert int(kept.isnan().sum()) > 480


@pytest.mark.parametrize('sky', [0.0, -0.2])
def test_sky_of_a_relative_network_stays(sky: float) -> None:
    """However its inverse depth below 0 varies, it is infinitely far."""
    q = torch.full((48, 64), sky) * (1 + 0.5 * torch.rand(48, 64))
    q[30:] = 0.5
    assert remove_flying_pixels(q, DEFAULT).isfinite().all()


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
