import numpy as np
import pytest

pytest.importorskip('fast_simplification', reason='it collapses the edges')

from training.world.decimation import corner_normals, decimate, small_pieces


def bumps(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices and faces of a flat grid of `count` squares a side."""
    v, u = np.mgrid[0 : count + 1, 0 : count + 1]
    positions = np.stack([u, v, np.zeros_like(u)], -1).reshape(-1, 3) / count
    first = (np.arange(count)[:, None] * (count + 1) + np.arange(count)).ravel()
    a, b, c, d = first, first + 1, first + count + 2, first + count + 1
    return positions, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def area(positions: np.ndarray, faces: np.ndarray) -> float:
    corners = positions[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(cross, axis=1).sum() / 2)


@pytest.mark.parametrize('textured', [False, True])
def test_a_square_stays_a_square(textured: bool) -> None:
    positions, faces = bumps(20)
    uvs = positions[:, :2] * textured
    points, texture, fewer = decimate(positions, uvs, faces, 60)
    assert len(fewer) <= 80
    assert area(points, fewer) == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(texture, points[:, :2] * textured, atol=0.15)


def test_few_triangles_are_left_alone() -> None:
    positions, faces = bumps(3)
    points, _, same = decimate(positions, positions[:, :2], faces, 18)
    assert points is positions
    assert same is faces


def test_foliage_becomes_fewer_and_larger_leaves() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 10, (1000, 1, 3))
    positions = (places + 0.1 * np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)])).reshape(-1, 3)
    faces = np.arange(3000).reshape(-1, 3)
    pieces = small_pieces(positions, faces)
    assert pieces is not None
    assert pieces.max() == 999
    points, _, fewer = decimate(positions, positions[:, :2], faces, 150)
    assert len(fewer) == 150
    assert area(points, fewer) == pytest.approx(area(positions, faces), rel=0.01)


def test_a_connected_surface_is_no_foliage() -> None:
    assert small_pieces(*bumps(60)) is None


def test_normals_are_shared_below_the_crease_angle_only() -> None:
    for rise, shared in ((0.2, True), (2.0, False)):
        positions = np.array([(0, 0, 0), (0, 1, 0), (-1, 0, -rise), (1, 0, -rise)], float)
        normals = corner_normals(positions, np.array([(0, 1, 2), (0, 3, 1)]))
        assert np.allclose(normals[0, 0], normals[1, 0]) is shared
        np.testing.assert_allclose(np.linalg.norm(normals, axis=2), 1)
