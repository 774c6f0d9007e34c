import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.simulation.renderer import render
from mono_depth_ros.simulation.textures import EDGE, texture_bank
from mono_depth_ros.simulation.views import sample_view


def test_supersampling_changes_color_at_edges_and_no_depth() -> None:
    shot = sample_view(1, 84, 63)
    coarse, fine = render(*shot), render(*shot, supersample=3, exposure=render(*shot).exposure)
    assert coarse.rgb.shape == (63, 84, 3)
    assert coarse.rgb.dtype == torch.uint8
    assert torch.equal(coarse.depth, fine.depth)
    changed = (coarse.rgb != fine.rgb).any(-1).float().mean()
    assert 0.02 < float(changed) < 0.6
    difference = (coarse.rgb.float() - fine.rgb.float()).abs().mean()
    assert 0.1 < float(difference) < 10


def test_rendering_is_deterministic() -> None:
    one, two = (render(*sample_view(2, 84, 63), supersample=2) for _ in range(2))
    assert torch.equal(one.rgb, two.rgb)
    assert torch.equal(one.depth, two.depth)


@pytest.mark.parametrize('seed', range(6))
def test_images_are_well_exposed_and_textured(seed: int) -> None:
    rgb = render(*sample_view(seed, 84, 63)).rgb.float()
    assert 50 < float(rgb.mean()) < 210
    assert float(rgb.std()) > 12


def test_exposure_brightens() -> None:
    shot = sample_view(3, 42, 30)
    view = render(*shot)
    brighter = render(*shot, exposure=2 * view.exposure)
    assert bool((brighter.rgb >= view.rgb).all())
    assert float(brighter.rgb.float().mean()) > float(view.rgb.float().mean()) + 10


def test_supersample_below_one_is_an_error() -> None:
    with pytest.raises(ValueError, match='supersample is 0'):
        render(*sample_view(3, 42, 30), supersample=0)


def test_shadow_darkens_the_floor_under_a_table_top() -> None:
    from mono_depth_ros.simulation.builder import Builder
    from mono_depth_ros.simulation.pose import Pose
    from mono_depth_ros.simulation.scene import Shape

    levels = []
    for high in (1.0, -5.0):
        builder = Builder(0)
        paint = builder.material('plain')
        builder.room((-3, -3, 0), (3, 3, 3), paint, paint, paint)
        builder.solid(Shape.BOX, (0, 0, high), (1, 1, 0.05), paint)
        builder.light((0, 0, 2.8), (5, 5, 5))
        scene = builder.scene(((0.1,) * 3, (0.1,) * 3), 0.5, 1)
        camera = PinholeCamera.from_fov(41, 31, 30)
        rgb = render(scene, camera, Pose.looking((-2, 0, 0.5), 0, 0.25), exposure=0.5).rgb
        levels.append(float(rgb[15, 20].float().mean()))
    assert levels[0] < 0.75 * levels[1]


def test_texture_sampling_meets_texels_repeats_and_averages() -> None:
    bank = texture_bank()
    tile = bank.groups['poster'][3]
    texels = bank.texels[tile * EDGE * EDGE : (tile + 1) * EDGE * EDGE].view(EDGE, EDGE)
    rows, columns = torch.tensor([0, 17, 255]), torch.tensor([5, 200, 0])
    tiles = torch.full((3,), tile)
    u, v, spot = (columns + 0.5) / EDGE, (rows + 0.5) / EDGE, torch.full((3,), 1e-4)
    expected = texels[rows, columns] / 255
    torch.testing.assert_close(bank.sample(tiles, u, v, spot), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(bank.sample(tiles, u - 3, v + 2, spot), expected, rtol=0, atol=2e-3)
    mean = bank.sample(tiles, u, v, torch.full((3,), 5.0))
    torch.testing.assert_close(mean, (texels.float().mean() / 255).expand(3), rtol=0, atol=0.02)
