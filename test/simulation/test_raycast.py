import math

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.simulation import raycast
from mono_depth_ros.simulation.builder import Builder, rotation_about
from mono_depth_ros.simulation.generator import generate_scene
from mono_depth_ros.simulation.pose import Pose
from mono_depth_ros.simulation.scene import Scene, Shape
from mono_depth_ros.simulation.views import sample_view

CAMERA = PinholeCamera.from_fov(80, 60, 70)


def box_world(*solids: tuple) -> Scene:
    """Return a room of 6 x 4 x 3 m, a second one behind a doorway, and the given solids."""
    builder = Builder(0)
    paint = builder.material('plain')
    builder.room((-3, -2, 0), (3, 2, 3), paint, paint, paint)
    builder.room((2.999, -0.5, 0), (3.201, 0.5, 2), paint, paint, paint)
    builder.room((3.2, -2, 0), (7, 2, 3), paint, paint, paint)
    builder.light((0, 0, 2.8), (5, 5, 5))
    for shape, center, size, rotation in solids or [(Shape.BOX, (-2.9, 0, 0), (0.01,) * 3, None)]:
        builder.solid(shape, center, size, paint, rotation)
    return builder.scene(((0.2,) * 3, (0.3,) * 3), 0.5, 1)


def test_wall_floor_and_doorway_have_the_depth_of_the_plan() -> None:
    pose = Pose.looking((-1, 0.2, 1.2), 0.0)
    depth = raycast.cast(box_world(), CAMERA, pose).depth
    x, y = CAMERA.rays()
    # Straight ahead lies the doorway (y from -0.5 to 0.5), and behind it the far wall at x = 7.
    assert float(depth[30, 40]) == pytest.approx(8.0, rel=1e-6)
    assert float(depth[30, 20]) == pytest.approx(4.0, rel=1e-6)
    floor = 1.2 / y[55, 10]
    assert float(depth[55, 10]) == pytest.approx(float(floor), rel=1e-6)
    left_wall = -(2 - 0.2) / x[30, 0]
    assert float(depth[30, 0]) == pytest.approx(min(4.0, float(left_wall)), rel=1e-6)


def test_tilted_camera_sees_the_floor_where_geometry_says() -> None:
    height, pitch = 1.5, math.radians(40)
    depth = raycast.cast(box_world(), CAMERA, Pose.looking((-2, 0, height), 0, pitch)).depth
    _, y = CAMERA.rays()
    expected = height / (y[:, 40] * math.cos(pitch) + math.sin(pitch))
    torch.testing.assert_close(depth[30:, 40], expected[30:], rtol=1e-5, atol=0)


def test_sphere_has_the_depth_of_the_quadratic_formula() -> None:
    scene = box_world((Shape.SPHERE, (1.0, 0.1, 1.3), (0.8, 0.8, 0.8), None))
    pose = Pose.looking((-1, 0, 1.2), 0.05, 0.02, 0.1)
    hits = raycast.cast(scene, CAMERA, pose)
    rays = torch.stack((*CAMERA.rays(), torch.ones(60, 80))).double()
    direction = torch.einsum('ij,jhw->hwi', pose.rotation, rays)
    to_eye = pose.position - torch.tensor((1.0, 0.1, 1.3), dtype=torch.float64)
    a, b = (direction**2).sum(-1), direction @ to_eye
    root = b**2 - a * (to_eye @ to_eye - 0.4**2)
    on_ball = root > 1e-3
    expected = (-b - root.sqrt()) / a
    assert int(on_ball.sum()) > 200
    assert bool((hits.surface[on_ball] == 0).all())
    assert bool((hits.surface[root < -1e-3] != 0).all())
    torch.testing.assert_close(hits.depth[on_ball].double(), expected[on_ball], rtol=2e-6, atol=0)


def test_turned_box_shows_its_edge() -> None:
    scene = box_world((Shape.BOX, (1, 0, 1), (1, 1, 2), rotation_about(2, math.pi / 4)))
    camera = PinholeCamera(81, 61, 60, 60, 40, 30)
    depth = raycast.cast(scene, camera, Pose.looking((-1, 0, 1), 0)).depth
    assert float(depth[30, 40]) == pytest.approx(2 - math.sqrt(0.5), rel=1e-6)
    assert float(depth[30, 45]) == pytest.approx(float(depth[30, 35]), rel=1e-5)
    assert float(depth[30, 45]) > float(depth[30, 40])


def implicit(scene: Scene, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how far points (P, 3) are inside rooms and outside solids, in unit shapes."""
    middle, half = (
        (scene.rooms.high + scene.rooms.low) / 2,
        (scene.rooms.high - scene.rooms.low) / 2,
    )
    room = (1 - ((points[:, None] - middle).abs() / half).amax(-1)).amax(-1)
    solids = scene.solids
    local = torch.einsum('pni,nij->pnj', points[:, None] - solids.center, solids.rotation)
    unit = local / solids.half_size
    size = torch.where(
        solids.shape == int(Shape.BOX),
        unit.abs().amax(-1),
        torch.where(
            solids.shape == int(Shape.SPHERE),
            unit.norm(dim=-1),
            torch.maximum(unit[..., :2].norm(dim=-1), unit[..., 2].abs()),
        ),
    )
    return room, (size - 1).amin(-1)


@pytest.mark.parametrize('seed', [3, 14, 15])
def test_rays_of_any_scene_end_at_the_first_surface(seed: int) -> None:
    scene, camera, pose = sample_view(seed, 32, 24)
    depth = raycast.cast(scene, camera, pose).depth
    rays = torch.stack((*camera.rays(), torch.ones(24, 32))).double().view(3, -1)
    way = (pose.rotation @ rays * depth.double().flatten()).T
    room, solid = implicit(scene, pose.position + way)
    assert float(torch.minimum(room, solid).abs().max()) < 2e-3
    for share in torch.linspace(0.02, 0.98, 25):
        room, solid = implicit(scene, pose.position + float(share) * way)
        assert float(room.min()) > 0
        assert float(solid.min()) > 0


def test_casting_together_equals_casting_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shot = sample_view(5, 84, 63)
    monkeypatch.setattr(raycast, 'SMALL_PX', 0)
    single = raycast.cast(*shot)
    monkeypatch.setattr(raycast, 'SMALL_PX', 10**9)
    together = raycast.cast(*shot)
    torch.testing.assert_close(together.depth, single.depth, rtol=1e-6, atol=0)
    assert float((together.surface == single.surface).float().mean()) > 0.999


def test_camera_in_the_wall_is_an_error() -> None:
    with pytest.raises(ValueError, match='outside every room'):
        raycast.cast(box_world(), CAMERA, Pose.looking((-1, 2.5, 1), 0))


def test_clearance_is_the_distance_to_the_nearest_thing() -> None:
    scene = box_world((Shape.BOX, (1, 0, 1), (1, 1, 2), None))
    points = torch.tensor([[-1.0, 0, 1], [0.3, 0, 1], [1, 0, 1], [-1, 1.9, 1], [0, 9, 1]])
    expected = torch.tensor([1.0, 0.2, -0.5, 0.1, -7.0], dtype=torch.float64)
    torch.testing.assert_close(scene.clearance(points), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize('seed', range(8))
def test_every_scene_is_closed(seed: int) -> None:
    scene = generate_scene(seed)
    low, high = scene.rooms.low[0], scene.rooms.high[0]
    eye = low + 0.5 * (high - low)
    for yaw in (0.0, 1.5, 3.0, 4.5):
        depth = raycast.cast(scene, CAMERA, Pose.looking(eye.tolist(), yaw, 0.1)).depth
        assert bool(depth.isfinite().all())
        assert float(depth.min()) > 0
