import numpy as np
import pytest

from training.world.obj_file import parse_materials, parse_obj

SQUARE = 'v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n'


def test_a_polygon_becomes_a_fan_with_its_texture_coordinates() -> None:
    mesh = parse_obj(SQUARE + 'vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nusemtl a\nf 1/1 2/2 3/3 4/4')
    assert mesh.corners.keys() == {'a'}
    expected = [[[0, 0], [1, 1], [2, 2]], [[0, 0], [2, 2], [3, 3]]]
    assert mesh.corners['a'].tolist() == expected
    np.testing.assert_array_equal(mesh.uvs[:4], [(0, 0), (1, 0), (1, 1), (0, 1)])


@pytest.mark.parametrize('face', ['f 1 2 3', 'f 1//7 2//7 3//7', 'f -4 -3 -2'])
def test_missing_texture_coordinates_become_the_last_ones(face: str) -> None:
    mesh = parse_obj(SQUARE + 'vt 0.5 0.5\n' + face)
    assert mesh.corners[''].tolist() == [[[0, 1], [1, 1], [2, 1]]]
    np.testing.assert_array_equal(mesh.uvs, [(0.5, 0.5), (0, 0)])


def test_faces_of_several_forms_and_lines_stand_side_by_side() -> None:
    mesh = parse_obj(SQUARE + 'vt 0 1\nf 1 2 3\nl 1 2\nf 1/-1 2/1 3/1 4/1\nf 1 2')
    assert len(mesh.corners['']) == 3


def test_materials_are_read_within_their_ranges() -> None:
    text = '# c\nnewmtl My wood\nKd 0.5 2 0\nKs 1.5 0 0\nKe 0.3 0 0\nd 0.25\n'
    looks = parse_materials(text + 'map_Kd C:/a folder/wood.jpg\nnewmtl b\n')
    wood = looks['My wood']
    assert (wood.color, wood.gloss, wood.glow, wood.opacity) == ((0.5, 1.0, 0.0), 1.0, 0.3, 0.25)
    assert wood.texture == 'wood.jpg'
    assert looks['b'].texture == ''
