"""The rules of furnishing, on a library of boxes: no graphics are needed."""

import math
import random

import numpy as np
import pytest

pytest.importorskip('fast_simplification', reason='the importer decimates with it')

from small_library import FURNITURE, VARIANTS, write_library

from training.world.furnished_scene import FurnishedScene
from training.world.furniture_pack import FurniturePack, load_pack
from training.world.importer import import_furniture
from training.world.model_roles import ModelShelf, held_out, role_of
from training.world.placement import footprint
from training.world.procedural_textures import PAINTERS
from training.world.room_shell import Opening, Room
from training.world.scene_generator import INDOORS, OUTDOORS, generate
from training.world.texture_choice import TextureChoice
from training.world.wall_placement import Furnisher

NUMBERS = {kind: ([2 * k], [2 * k + 1]) for k, kind in enumerate(PAINTERS)}


@pytest.fixture(scope='module')
def pack(tmp_path_factory: pytest.TempPathFactory) -> FurniturePack:
    folder = tmp_path_factory.mktemp('furniture')
    write_library(folder)
    import_furniture(folder).save(folder / 'pack.npz')
    return load_pack(folder / 'pack.npz')


def scene(pack: FurniturePack, seed: int, exam: bool = False) -> FurnishedScene:
    return generate(seed, ModelShelf(pack.models, exam), TextureChoice(NUMBERS, 100, exam))


def test_models_stand_upright_on_their_origin_at_their_true_size(pack: FurniturePack) -> None:
    assert len(pack.models) == VARIANTS * len(FURNITURE)
    for model, row in zip(pack.models[::VARIANTS], FURNITURE, strict=True):
        first, count = model.levels[0]
        points = pack.positions[pack.indices[first : first + count]]
        width, depth, height = np.array(row[2]) / 100
        np.testing.assert_allclose(points.min(axis=0), (-width / 2, -depth / 2, 0), atol=1e-3)
        np.testing.assert_allclose(points.max(axis=0), (width / 2, depth / 2, height), atol=1e-3)
        assert count == 3 * 12


def test_normals_of_a_box_are_those_of_its_sides(pack: FurniturePack) -> None:
    normals = np.abs(pack.normals.astype(int))
    assert ((normals == 127).sum(axis=1) == 1).all()
    assert ((normals == 0).sum(axis=1) == 2).all()


def test_each_role_of_three_has_models_of_both_sides(pack: FurniturePack) -> None:
    exam, training = ModelShelf(pack.models, True), ModelShelf(pack.models, False)
    assert exam.roles().keys() == training.roles().keys()
    for role, indices in exam.roles().items():
        assert not set(indices) & set(training.roles()[role])
        assert 1 <= len(indices) < len(training.roles()[role])
    assert held_out(pack.models) == held_out(pack.models[::-1])


@pytest.mark.parametrize(
    ('name', 'role'),
    [
        ('Sofa', 'sofa'),
        ('Coffee table', 'coffee_table'),
        ('Vase', 'small_thing'),
        ('Double window', 'window'),
        ('Upper cabinet', 'kitchen_upper'),
        ('Pine', 'tree'),
    ],
)
def test_roles_follow_names(pack: FurniturePack, name: str, role: str) -> None:
    assert {role_of(m) for m in pack.models if m.entry.name == name} == {role}


def test_a_scene_depends_on_its_seed_alone(pack: FurniturePack) -> None:
    one, two, other = scene(pack, 5), scene(pack, 5), scene(pack, 6)
    assert one.instances == two.instances
    assert all(np.array_equal(a, b) for a, b in zip(one.surfaces, two.surfaces, strict=True))
    assert one.instances != other.instances


def test_every_kind_of_place_can_be_furnished(pack: FurniturePack) -> None:
    scenes = [scene(pack, seed) for seed in range(150)]
    assert {s.kind for s in scenes} == {*INDOORS, *OUTDOORS}
    assert np.mean([len(s.instances) for s in scenes]) > 12
    assert all(np.isfinite(np.concatenate(s.surfaces)['position']).all() for s in scenes)


def test_exam_and_training_share_no_model_and_no_procedural_texture(pack: FurniturePack) -> None:
    seen: list[set[int]] = []
    layers: list[set[int]] = []
    for exam in (False, True):
        scenes = [scene(pack, seed, exam) for seed in range(40)]
        seen.append({i.model for s in scenes for i in s.instances})
        found = {int(v) for s in scenes for part in s.surfaces for v in part['look'][:, 0]}
        layers.append(found - {-1})
    assert not seen[0] & seen[1]
    assert not layers[0] & layers[1]


@pytest.fixture
def furnisher(pack: FurniturePack) -> Furnisher:
    door = Opening(0, 1.5, 0.9, 0.0, 2.05, 'door')
    window = Opening(2, 1.0, 2.0, 0.9, 2.2, 'window')
    room = Room((0.0, 0.0), (5.0, 4.0), 2.6, (door, window))
    empty = scene(pack, 5)
    empty.instances.clear()
    textures = TextureChoice(NUMBERS, 100, False)
    return Furnisher(random.Random(3), empty, room, ModelShelf(pack.models, False), textures)


def test_things_on_the_floor_stand_apart_in_the_room_and_not_in_the_doorway(
    furnisher: Furnisher,
) -> None:
    placed = [furnisher.against_wall(r) for r in ('sofa', 'bookcase', 'cupboard', 'bookcase')]
    placed += [furnisher.anywhere(role) for role in ('table', 'chair', 'armchair', 'person')]
    areas = [footprint(p.x, p.y, p.yaw, *p.size[:2]) for p in placed if p is not None]
    assert len(areas) >= 6
    areas.append((1.5, 0.0, 2.4, 0.9))
    for number, a in enumerate(areas):
        assert min(a[:2]) > -1e-9
        assert a[2] < 5.0
        assert a[3] < 4.0
        for b in areas[:number]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def test_furniture_has_its_back_to_the_wall_and_leaves_windows_open(furnisher: Furnisher) -> None:
    for side in range(4):
        placed = furnisher.against_wall('bookcase', side=side)
        assert placed is not None
        front = -math.sin(placed.yaw), math.cos(placed.yaw)
        middle = 2.5 - placed.x, 2.0 - placed.y
        assert front[0] * middle[0] + front[1] * middle[1] > 0
        if side == 2:  # along the wall, which runs toward low x, the window is at 1..3 m
            assert abs((5.0 - placed.x) - 2.0) >= 1.0 + placed.size[0] / 2


def test_small_things_stand_on_the_table(furnisher: Furnisher) -> None:
    table = furnisher.anywhere('table')
    assert table is not None
    vase = furnisher.on_top(table, 'small_thing')
    assert vase is not None
    assert vase.z == pytest.approx(table.size[2])
    assert math.hypot(vase.x - table.x, vase.y - table.y) < math.hypot(*table.size[:2]) / 2
    assert furnisher.on_top(table, 'sofa') is None
