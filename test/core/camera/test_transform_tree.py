import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.camera.transform_tree import TransformTree
from mono_depth_ros.core.errors import TransformError

ANSWERS = Path(__file__).parent / 'data' / 'tf2_answers.json'
SECOND = 1_000_000_000


def shifted(x: float) -> RigidTransform:
    return RigidTransform.of((x, 0, 0), (0, 0, 0, 1))


def asked(tree: TransformTree, target: str, *query: Any) -> RigidTransform:
    """Ask for the source at a time, or for it at one time and the target at another."""
    if len(query) == 2:
        return tree.lookup(target, query[0], query[1] or None)
    target_ns, source, source_ns, fixed = query
    return tree.lookup(target, fixed, target_ns) @ tree.lookup(fixed, source, source_ns)


def test_answers_are_those_of_tf2() -> None:
    """Of tf2::BufferCore (geometry2 1b005c6): the same transforms, and its answer to each lookup.

    Moving and fixed frames, antipodal quaternions, stamps out of order and twice, a frame that
    gets another parent, two trees, times before the first, after the last and beyond 10 s.
    """
    recorded = json.loads(ANSWERS.read_text())
    tree = TransformTree()
    for parent, child, stamp_ns, position, quaternion, is_static in recorded['transforms']:
        place = RigidTransform.of(position, quaternion)
        tree.put(parent, child, stamp_ns, place, is_static=bool(is_static))
    refused = 0
    for query, answer in recorded['lookups']:
        if isinstance(answer, str):
            refused += 1
            with pytest.raises(TransformError):
                asked(tree, *query)
            continue
        found = asked(tree, *query)
        np.testing.assert_allclose(found.position, answer[:3], atol=1e-9, err_msg=str(query))
        assert abs(found.quaternion @ np.array(answer[3:])) == pytest.approx(1, abs=1e-12), query
    assert refused > 20


def test_points_keep_their_place_while_the_robot_moves() -> None:
    tree = TransformTree()
    tree.put('base', 'lidar', 0, shifted(0.5), is_static=True)
    tree.put('odom', 'base', 1 * SECOND, shifted(0))
    tree.put('odom', 'base', 2 * SECOND, shifted(1))
    # Measured 2 m before the lidar at 1.0 s, and so 1.7 m before it at 1.3 s.
    moved = asked(tree, 'lidar', 1_300_000_000, 'lidar', 1 * SECOND, 'odom')
    np.testing.assert_allclose(moved.apply(np.array([[2.0, 0, 0]])), [[1.7, 0, 0]])


def test_names_what_is_missing() -> None:
    tree = TransformTree()
    with pytest.raises(TransformError, match="no frame 'base'; it knows none"):
        tree.lookup('base', 'lidar')
    tree.put('odom', 'base', SECOND, shifted(0))
    tree.put('odom', 'base', 2 * SECOND, shifted(0))
    with pytest.raises(TransformError, match="no frame 'lidar'; it knows base, odom"):
        tree.lookup('base', 'lidar')
    with pytest.raises(TransformError, match=r"'base' from 1\.000 s to 2\.000 s, .* at 2\.500 s"):
        tree.lookup('odom', 'base', 2_500_000_000)
    tree.put('mast', 'lidar', 0, shifted(0), is_static=True)
    with pytest.raises(TransformError, match=r"'lidar' to 'base'.*two separate trees"):
        tree.lookup('base', 'lidar')


def test_a_loop_ends() -> None:
    tree = TransformTree()
    for parent, child in (('a', 'b'), ('b', 'c'), ('c', 'a')):
        tree.put(parent, child, 0, shifted(1), is_static=True)
    with pytest.raises(TransformError):
        tree.lookup('a', 'd')


@pytest.mark.parametrize(('parent', 'child'), [('', 'a'), ('a', ''), ('a', 'a'), ('/a', 'a')])
def test_frames_need_two_names(parent: str, child: str) -> None:
    with pytest.raises(TransformError, match='two different names'):
        TransformTree().put(parent, child, 0, RigidTransform.identity())


def test_what_moves_is_forgotten_where_time_jumped_back() -> None:
    tree = TransformTree()
    tree.put('base', 'lidar', 0, shifted(0.5), is_static=True)
    tree.put('odom', 'base', SECOND, shifted(0))
    tree.clear()
    assert tree.lookup('base', 'lidar').position[0] == 0.5
    with pytest.raises(TransformError):
        tree.lookup('odom', 'base')


def test_inverse_and_product_agree_with_matrices() -> None:
    random = np.random.default_rng(2)
    a, b = (RigidTransform.of(random.normal(size=3), random.normal(size=4)) for _ in range(2))
    points = random.normal(size=(5, 3))
    np.testing.assert_allclose((a @ b).apply(points), a.apply(b.apply(points)))
    np.testing.assert_allclose(a.inverse().apply(a.apply(points)), points, atol=1e-12)
    again = RigidTransform.of_matrix(a.position, a.rotation)
    np.testing.assert_allclose(again.rotation, a.rotation, atol=1e-12)
    half = a.interpolated(b, 0.5)
    np.testing.assert_allclose(half.position, (a.position + b.position) / 2)
    assert abs(half.quaternion @ a.quaternion) == pytest.approx(
        abs(half.quaternion @ b.quaternion)
    )


@pytest.mark.parametrize('axis', range(4))
def test_a_half_turn_has_a_quaternion(axis: int) -> None:
    expected = np.eye(4)[axis]
    turn = RigidTransform.of((0, 0, 0), expected.tolist())
    found = RigidTransform.of_matrix(np.zeros(3), turn.rotation)
    np.testing.assert_allclose(np.abs(found.quaternion), expected)


@pytest.mark.parametrize('quaternion', [(0, 0, 0, 0), (math.nan, 0, 0, 1), (math.inf, 0, 0, 1)])
def test_no_quaternion_no_transform(quaternion: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match='no pose'):
        RigidTransform.of((0, 0, 0), quaternion)


def test_quaternions_of_any_length_are_taken() -> None:
    small = RigidTransform.of((0, 0, 0), (0, 0, 1e-300, 1e-300))
    np.testing.assert_allclose(small.apply(np.array([[1.0, 0, 0]])), [[0, 1, 0]], atol=1e-12)
