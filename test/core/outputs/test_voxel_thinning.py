import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.outputs import voxel_thinning
from mono_depth_ros.core.outputs.cloud import CloudSettings, pack_cloud
from mono_depth_ros.core.outputs.voxel_thinning import nearest_pixels, one_of_each_cube

NAN = float('nan')


def groups(points: torch.Tensor, voxel_size: float) -> list[int]:
    """Return for each point (N, 3) the first of those that are told the same one."""
    one = one_of_each_cube(points.unbind(1), voxel_size).tolist()
    assert all(one[place] == place for place in one), 'it is one of its own cube'
    return [one.index(place) for place in one]


def groups_by_hand(points: torch.Tensor, voxel_size: float) -> list[int]:
    cubes = [tuple(row) for row in (points / voxel_size).floor().long().tolist()]
    first: dict[tuple[int, ...], int] = {}
    return [first.setdefault(cube, place) for place, cube in enumerate(cubes)]


def scattered() -> torch.Tensor:
    """Return points (4000, 3), many of them in the same cube as another one."""
    rng = np.random.default_rng(5)
    points = rng.normal(0, 30, (4000, 3)).astype(np.float32)
    points[:, 2] = rng.uniform(0.1, 80, 4000)
    points[2000:] = points[:2000] + np.float32(0.0004)
    return torch.from_numpy(points)


@pytest.mark.parametrize('voxel_size', [0.001, 0.05, 0.5, 10.0])
def test_points_of_one_cube_are_told_the_same_point(voxel_size: float) -> None:
    points = scattered()
    assert groups(points, voxel_size) == groups_by_hand(points, voxel_size)


@pytest.mark.parametrize('slots', [1, 2, 64])
def test_cubes_that_share_a_slot_of_the_table_are_told_apart(
    slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voxel_thinning, '_SLOTS', slots)
    points = scattered()[1900:2100]
    assert groups(points, 0.5) == groups_by_hand(points, 0.5)


def test_cubes_far_apart_do_not_meet() -> None:
    """The coordinates of a cube share one number; at a kilometer and 1 mm they still fit."""
    x = torch.tensor([0.0, 0.001, -1000.0, 1000.0, 0.0, 0.0, 0.0])
    y = torch.tensor([0.0, 0.0, 0.0, 0.0, 1000.0, -1000.0, 0.001])
    z = torch.tensor([1.0, 1000.0, 1.0, 1.0, 1.0, 1.0, 1000.0])
    assert groups(torch.stack((x, y, z), dim=1) + 0.0005, 0.001) == [*range(7)]


def test_what_is_farther_than_that_shares_a_cell() -> None:
    x = torch.tensor([0.0, 3000.0, 4000.0, 0.0])
    z = torch.tensor([1.0, 1.0, 1.0, 5000.0])
    assert groups(torch.stack((x, torch.zeros(4), z), dim=1), 0.001) == [0, 1, 1, 3]


def image_of(shape: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return depth with steps, holes and pixels equally near, and its rays."""
    height, width = shape
    camera = PinholeCamera(width, height, 50.0, 50.0, width / 3, height / 2)
    generator = torch.Generator().manual_seed(width)
    depth = 2 + 0.3 * torch.rand(shape, generator=generator)
    depth[:, ::3] = depth[:, ::3].round(decimals=1)
    depth[torch.rand(shape, generator=generator) < 0.1] = NAN
    depth[:, width // 2 :] *= 3
    return depth, camera.rays()


def nearest_by_hand(depth: torch.Tensor, rays: torch.Tensor, voxel_size: float) -> list[int]:
    x, y = rays * depth
    points = torch.stack((x, y, depth), dim=-1).flatten(0, 1)
    nearest: dict[tuple[int, ...], int] = {}
    for pixel in depth.flatten().isfinite().nonzero()[:, 0].tolist():
        cube = tuple((points[pixel] / voxel_size).floor().long().tolist())
        best = nearest.setdefault(cube, pixel)
        if points[pixel, 2] < points[best, 2]:
            nearest[cube] = pixel
    return sorted(nearest.values())


@pytest.mark.parametrize('band_px', [1, 90, 10**6])
@pytest.mark.parametrize('voxel_size', [0.001, 0.05, 0.4, 10.0])
@pytest.mark.parametrize('shape', [(1, 1), (1, 30), (30, 1), (40, 60)])
def test_the_nearest_pixel_of_each_cube_is_kept(
    shape: tuple[int, int], voxel_size: float, band_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('mono_depth_ros.core.cpu_pixels._BAND_PX', band_px)
    depth, rays = image_of(shape)
    expected = nearest_by_hand(depth, rays, voxel_size)
    assert nearest_pixels(depth, rays, voxel_size).tolist() == expected


@pytest.mark.parametrize('voxel_size', [0.001, 0.05, 0.4, 10.0])
def test_a_thinned_cloud_has_the_points_of_the_full_one(voxel_size: float) -> None:
    """Whole: with their color and deviation, bit by bit, in the order of the image."""
    depth, rays = image_of((40, 60))
    generator = torch.Generator().manual_seed(1)
    rgb = torch.randint(256, (40, 60, 3), generator=generator, dtype=torch.uint8)
    deviation = torch.rand((40, 60), generator=generator)
    organized = CloudSettings(uncertainty=True, organized=True)
    every = pack_cloud(depth, rays, rgb, organized, deviation).flatten(0, 1)
    expected = every[nearest_by_hand(depth, rays, voxel_size)]
    settings = CloudSettings(voxel_size=voxel_size, uncertainty=True)
    found = pack_cloud(depth, rays, rgb, settings, deviation)
    assert torch.equal(found.view(torch.int32), expected.view(torch.int32))


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_gpu_keeps_the_same_pixels() -> None:
    depth, rays = image_of((40, 60))
    found = nearest_pixels(depth.cuda(), rays.cuda(), 0.05)
    assert found.tolist() == nearest_pixels(depth, rays, 0.05).tolist()
