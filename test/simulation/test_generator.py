import dataclasses

import pytest
import torch

from mono_depth_ros.simulation.generator import generate_scene
from mono_depth_ros.simulation.scene import Scene


def tensors(scene: Scene) -> list[torch.Tensor]:
    parts = (scene.rooms, scene.solids, scene.materials, scene.lights)
    values = [getattr(part, f.name) for part in parts for f in dataclasses.fields(part)]
    return [value for value in values if isinstance(value, torch.Tensor)]


def test_a_seed_always_makes_the_same_scene() -> None:
    one, two = tensors(generate_scene(7)), tensors(generate_scene(7))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    other = generate_scene(8)
    assert not torch.equal(one[0][0], other.rooms.low[0])


def test_scenes_are_rooms_corridors_and_halls() -> None:
    scenes = [generate_scene(seed) for seed in range(60)]
    sides = torch.stack([(s.rooms.high[0] - s.rooms.low[0]).sort().values for s in scenes])
    plan = torch.stack([(s.rooms.high[0] - s.rooms.low[0])[:2].sort().values for s in scenes])
    assert float(plan[:, 0].min()) < 2.6
    assert float(plan[:, 1].max()) > 14
    assert int(((plan[:, 1] / plan[:, 0]) > 3).sum()) >= 3
    assert float(sides.min()) > 1.3
    assert float(plan.max()) <= 20
    assert sum(s.rooms.low.shape[0] > 1 for s in scenes) > 30
    assert len({int(shape) for s in scenes for shape in s.solids.shape}) == 3
    counts = [s.solids.shape.numel() for s in scenes]
    assert min(counts) >= 1
    assert max(counts) > 100


def test_a_negative_seed_is_an_error() -> None:
    with pytest.raises(ValueError, match='-1'):
        generate_scene(-1)
