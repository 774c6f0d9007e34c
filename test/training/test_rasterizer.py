"""The picture and the depth of small scenes whose geometry is known."""

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('fast_simplification', reason='the importer decimates with it')
pytest.importorskip('moderngl', reason='it draws')

import moderngl
from small_library import write_library

from training.world.furnished_scene import Daylight, FurnishedScene, Instance, quad
from training.world.furniture_pack import FurniturePack
from training.world.importer import import_furniture
from training.world.rasterizer import Rasterizer
from training.world.shots import axes, is_worth_keeping
from training.world.view_factory import ViewFactory
from training.world.world_camera import WorldCamera

WIDTH, HEIGHT = 64, 48
WALL = np.array([(-9, 4, -9), (9, 4, -9), (9, 4, 9), (-9, 4, 9)])


@pytest.fixture(scope='module')
def pack(tmp_path_factory: pytest.TempPathFactory) -> FurniturePack:
    folder: Path = tmp_path_factory.mktemp('furniture')
    write_library(folder)
    return import_furniture(folder)


@pytest.fixture(scope='module')
def rasterizer(pack: FurniturePack) -> Rasterizer:
    try:
        moderngl.create_context(standalone=True, backend='egl').release()
    except Exception as error:  # it raises what the driver's loader raises
        pytest.skip(f'no OpenGL over EGL here: {error}')
    return Rasterizer(pack, np.full((1, 256, 256, 4), 255, np.uint8), WIDTH, HEIGHT)


def scene(instances: list[Instance], with_wall: bool = True) -> FurnishedScene:
    gray = (0.5, 0.5, 0.5)
    place = FurnishedScene(
        kind='test',
        bounds=np.array([[-5.0, -5, 0], [5, 5, 3]]),
        daylight=Daylight(gray, gray, 0.0, 0),
        ambient=(gray, gray),
        sun=True,
        main_light=(0.0, -0.6, 0.8),
        main_color=(1.0, 1.0, 1.0),
        enclosed=False,
        instances=instances,
    )
    far = WALL * (1, 1, 1) if with_wall else WALL + np.array([0, 1000, 0])
    place.surfaces.append(quad(far, -1, 1.0, (0.2, 0.4, 0.8)))
    return place


def camera(focal_px: float = 40.0, roll: float = 0.0) -> WorldCamera:
    return WorldCamera(WIDTH, HEIGHT, focal_px, np.array([0, 0, 1.0]), axes(math.pi / 2, 0, roll))


def test_depth_of_a_wall_is_its_distance_along_the_axis(rasterizer: Rasterizer) -> None:
    rasterizer.prepare(scene([]))
    np.testing.assert_allclose(rasterizer.depth(camera()), 4.0, rtol=1e-4)


def test_depth_of_a_slanted_plane_is_exact_at_the_middle_of_pixels(rasterizer: Rasterizer) -> None:
    place = scene([])
    ground = np.array([(-90, -90, 0), (90, -90, 0), (90, 90, 0), (-90, 90, 0)])
    place.surfaces[0] = quad(ground, -1, 1.0)
    rasterizer.prepare(place)
    looking = camera(roll=0.3)
    depth = rasterizer.depth(looking)
    rays = looking.rays()
    forward = rays @ looking.axes[2]
    below = rays[..., 2] < -0.05
    expected = forward[below] / -rays[..., 2][below]
    np.testing.assert_allclose(depth[below], expected, rtol=2e-4)
    assert np.isinf(depth[rays[..., 2] > 0.01]).all()


def test_model_stands_where_it_is_put(rasterizer: Rasterizer, pack: FurniturePack) -> None:
    index = next(k for k, m in enumerate(pack.models) if m.entry.name == 'Bookcase')
    width, depth_m, height = pack.models[index].size
    rasterizer.prepare(scene([Instance(index, (0.0, 3.0, 0.0), math.pi)]))
    looking = camera()
    depth = rasterizer.depth(looking)
    front = 3.0 - depth_m / 2
    is_front = np.abs(depth - front) < 1e-3
    assert is_front.sum(axis=1).max() == pytest.approx(40 * width / front, abs=1)
    assert is_front.sum(axis=0).max() == pytest.approx(40 * height / front, abs=1)
    assert is_front.sum() == pytest.approx(300, abs=26)


def test_colors_are_those_of_the_surface_under_its_light(rasterizer: Rasterizer) -> None:
    rasterizer.prepare(scene([]))
    looking = camera()
    drawing = rasterizer.draw(looking, rasterizer.depth(looking))
    assert drawing.cover.min() == 1
    red, green, blue = drawing.light.mean(axis=(0, 1))
    assert green / red == pytest.approx(2, rel=0.1)
    assert blue / red == pytest.approx(4, rel=0.1)


def test_what_stands_in_the_light_casts_a_shadow(
    rasterizer: Rasterizer, pack: FurniturePack
) -> None:
    index = next(k for k, m in enumerate(pack.models) if m.entry.name == 'Bookcase')
    lights = []
    for instances in ([], [Instance(index, (0.0, 3.3, 0.0), math.pi)]):
        rasterizer.prepare(scene(instances))
        looking = camera()
        depth = rasterizer.depth(looking)
        drawing = rasterizer.draw(looking, depth)
        lights.append(np.where(np.abs(depth - 4) < 1e-3, drawing.light.sum(axis=2), np.nan))
    darker = lights[1] < 0.8 * lights[0]
    assert 5 < darker.sum() < 600


def test_sky_is_infinitely_far_and_not_covered(rasterizer: Rasterizer) -> None:
    rasterizer.prepare(scene([], with_wall=False))
    looking = camera()
    depth = rasterizer.depth(looking)
    assert np.isinf(depth).all()
    assert rasterizer.draw(looking, depth).cover.max() == 0
    assert not is_worth_keeping(depth)


@pytest.mark.usefixtures('rasterizer')
def test_views_come_from_seeds(pack: FurniturePack) -> None:
    factory = ViewFactory(pack, WIDTH, HEIGHT, exam=False)
    views = [view for seed in range(3) for view in factory.views(seed, 2)]
    again = [view for seed in range(3) for view in factory.views(seed, 2)]
    assert len(views) == 6
    for one, two in zip(views, again, strict=True):
        assert np.array_equal(one.picture, two.picture)
        assert np.array_equal(one.inverse_depth, two.inverse_depth)
        assert one.inverse_depth.max() < 4.0
        assert WIDTH / 2 / math.tan(math.radians(60)) < one.focal_px * 1.001
