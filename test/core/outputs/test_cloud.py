import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.outputs.cloud import (
    CloudSettings,
    centroids,
    pack_cloud,
    pack_color,
)

NAN = float('nan')
CAMERA = PinholeCamera(8, 6, 10.0, 12.0, 3.0, 2.5)
RAYS = CAMERA.rays()


def picture() -> torch.Tensor:
    """Return (6, 8, 3) uint8, every pixel another color."""
    v, u = torch.meshgrid(torch.arange(6), torch.arange(8), indexing='ij')
    return torch.stack((200 + u, 30 * v, 5 * u + v), dim=-1).to(torch.uint8)


def colors(points: torch.Tensor) -> list[int]:
    return points[..., 3].contiguous().view(torch.int32).flatten().tolist()


def test_known_plane_gives_known_points() -> None:
    depth = torch.full((6, 8), 2.0)
    points = pack_cloud(depth, RAYS, picture(), CloudSettings(organized=True))
    assert points.shape == (6, 8, 4)
    assert points.dtype == torch.float32
    for v, u in np.ndindex(6, 8):
        expected = (u - 3) / 10 * 2, (v - 2.5) / 12 * 2, 2
        np.testing.assert_allclose(points[v, u, :3], expected, rtol=1e-6, atol=1e-7)
    expected = [(200 + u) << 16 | (30 * v) << 8 | (5 * u + v) for v, u in np.ndindex(6, 8)]
    assert colors(points) == expected


def test_floor_lies_at_the_height_of_the_camera() -> None:
    camera = PinholeCamera.from_fov(160, 120, 70)
    height_m = 0.4
    rays = camera.rays()
    depth = torch.where(rays[1] > 0.02, height_m / rays[1], NAN)
    points = pack_cloud(depth, rays, None, CloudSettings())
    assert points.shape == (int((rays[1] > 0.02).sum()), 3)
    np.testing.assert_allclose(points[:, 1], height_m, rtol=1e-6)


def test_color_bits() -> None:
    rgb = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [1, 2, 3]])
    packed = pack_color(rgb.to(torch.uint8))
    assert packed.dtype == torch.float32
    assert packed.view(torch.int32).tolist() == [0xFF0000, 0xFF00, 0xFF, 0xFFFFFF, 0x010203]


def test_dense_cloud_is_the_organized_one_without_the_unknown() -> None:
    depth = torch.rand(6, 8) + 1
    depth[0] = NAN
    depth[3, 4] = NAN
    organized = pack_cloud(depth, RAYS, picture(), CloudSettings(organized=True))
    dense = pack_cloud(depth, RAYS, picture(), CloudSettings())
    assert dense.shape == (39, 4)
    assert dense[:, :3].isfinite().all()
    assert torch.equal(dense.view(torch.int32), organized[depth.isfinite()].view(torch.int32))
    unknown = organized[depth.isnan()]
    assert unknown[:, :3].isnan().all()
    assert len(unknown) == 9


@pytest.mark.parametrize('organized', [False, True])
def test_cloud_without_color(organized: bool) -> None:
    points = pack_cloud(torch.ones(6, 8), RAYS, None, CloudSettings(organized=organized))
    assert points.shape == ((6, 8, 3) if organized else (48, 3))


@pytest.mark.parametrize(('stride', 'shape'), [(2, (3, 4)), (3, (2, 3)), (64, (1, 1))])
def test_stride_takes_every_nth_pixel_from_the_first(stride: int, shape: tuple[int, int]) -> None:
    depth = torch.rand(6, 8) + 1
    settings = CloudSettings(organized=True, stride=stride)
    every = pack_cloud(depth, RAYS, picture(), CloudSettings(organized=True))
    some = pack_cloud(depth, RAYS, picture(), settings)
    assert some.shape == (*shape, 4)
    bits = some.view(torch.int32), every[::stride, ::stride].contiguous().view(torch.int32)
    assert torch.equal(*bits)


def test_max_range_counts_along_the_ray() -> None:
    wide = PinholeCamera(3, 1, 1.0, 1.0, 1.0, 0.0)
    depth = torch.full((1, 3), 2.0)  # at distances 2 sqrt(2), 2 and 2 sqrt(2)
    points = pack_cloud(depth, wide.rays(), None, CloudSettings(max_range=2.5))
    assert points.tolist() == [[0, 0, 2]]
    both = pack_cloud(depth, wide.rays(), None, CloudSettings(max_range=2.9))
    assert both.shape == (3, 3)
    organized = CloudSettings(max_range=2.5, organized=True)
    grid = pack_cloud(depth, wide.rays(), None, organized)
    assert grid.isnan().all(dim=-1).tolist() == [[True, False, True]]


def test_min_range_counts_along_the_ray() -> None:
    wide = PinholeCamera(3, 1, 1.0, 1.0, 1.0, 0.0)
    depth = torch.full((1, 3), 2.0)  # at distances 2 sqrt(2), 2 and 2 sqrt(2)
    sides = pack_cloud(depth, wide.rays(), None, CloudSettings(min_range=2.5))
    assert sides.tolist() == [[-2, 0, 2], [2, 0, 2]]
    assert len(pack_cloud(depth, wide.rays(), None, CloudSettings(min_range=2.0))) == 3
    between = CloudSettings(min_range=1.0, max_range=2.5)
    assert pack_cloud(depth, wide.rays(), None, between).tolist() == [[0, 0, 2]]


@pytest.mark.parametrize('max_range', [1.0, 2.0])
def test_ranges_must_be_in_order(max_range: float) -> None:
    with pytest.raises(SettingsError, match=r'min_range is 2\.0 m and cloud\.max_range'):
        CloudSettings(min_range=2.0, max_range=max_range)


@pytest.mark.parametrize(
    'settings',
    [
        CloudSettings(),
        CloudSettings(voxel_size=0.1),
        CloudSettings(voxel_size=0.1, voxel_keep='centroid'),
    ],
)
def test_nothing_known_gives_an_empty_cloud(settings: CloudSettings) -> None:
    points = pack_cloud(torch.full((6, 8), NAN), RAYS, picture(), settings)
    assert points.shape == (0, 4)


def test_centroid_is_the_mean_of_place_and_color() -> None:
    rgb = torch.tensor([[10, 0, 255], [13, 0, 254], [7, 7, 7]], dtype=torch.uint8)
    places = torch.tensor([[0.01, 0.02, 1.02], [0.03, 0.08, 1.08], [-0.01, 0.02, 1.02]])
    kept = centroids(torch.cat((places, pack_color(rgb)[:, None]), dim=1), 0.1)
    assert kept.shape == (2, 4)
    kept = kept[kept[:, 0].argsort()]
    np.testing.assert_allclose(kept[:, :3], [[-0.01, 0.02, 1.02], [0.02, 0.05, 1.05]], rtol=1e-5)
    assert colors(kept) == [0x070707, 0x0C00FF], 'halves are rounded up'


@pytest.mark.parametrize('voxel_size', [0.001, 0.05, 0.5, 10.0])
def test_centroids_by_hand(voxel_size: float) -> None:
    rng = np.random.default_rng(6)
    points = rng.normal(0, 3, (3000, 3)).astype(np.float32)
    points[:, 2] += 10
    points[1500:] = points[:1500] + np.float32(0.0003)
    cubes: dict[tuple[int, ...], list[np.ndarray]] = {}
    for point in torch.from_numpy(points):
        cube = tuple((point / voxel_size).floor().long().tolist())
        cubes.setdefault(cube, []).append(point.double().numpy())
    expected = np.array(sorted(np.mean(members, axis=0).tolist() for members in cubes.values()))
    kept = np.array(sorted(centroids(torch.from_numpy(points), voxel_size).tolist()))
    np.testing.assert_allclose(kept, expected, rtol=1e-4, atol=1e-4)


def test_nearest_is_a_pixel_and_centroid_is_not() -> None:
    depth = 2 + torch.rand(6, 8)
    nearest = pack_cloud(depth, RAYS, None, CloudSettings(voxel_size=0.5))
    middle = CloudSettings(voxel_size=0.5, voxel_keep='centroid')
    means = pack_cloud(depth, RAYS, None, middle)
    assert len(means) == len(nearest) < 48
    every = set(map(tuple, pack_cloud(depth, RAYS, None, CloudSettings()).tolist()))
    assert set(map(tuple, nearest.tolist())) <= every
    assert not set(map(tuple, means.tolist())) <= every
    assert pack_cloud(depth, RAYS, picture(), middle).shape == (len(means), 4)


def test_thinned_cloud_has_colors() -> None:
    depth = torch.full((6, 8), 2.0)
    points = pack_cloud(depth, RAYS, picture(), CloudSettings(voxel_size=0.5))
    every = colors(pack_cloud(depth, RAYS, picture(), CloudSettings()))
    assert 0 < len(points) < 48
    assert set(colors(points)) < set(every)


def test_inputs_are_left_alone() -> None:
    depth = torch.rand(6, 8) + 1
    rgb = picture()
    pack_cloud(depth, RAYS, rgb, CloudSettings(voxel_size=0.2, max_range=1.5))
    assert depth.isfinite().all()
    assert torch.equal(rgb, picture())
    assert torch.equal(RAYS, CAMERA.rays())
