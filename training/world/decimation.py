"""Fewer triangles for the same shape, and normals that keep the creases."""

import fast_simplification
import numpy as np

LEAVES = 400
"""A part of at least so many separate pieces is foliage or the like."""
_LEAF_ROUNDS = 24
"""Pieces whose faces are more than so many steps apart are no leaves."""
CREASE_DEG = 40.0
"""Faces that meet at a larger angle keep their edge; usual in modeling programs (30 to 60)."""


def decimate(
    positions: np.ndarray, uvs: np.ndarray, faces: np.ndarray, target: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions (V, 3), uvs (V, 2) and faces (N, 3) of at most about `target` triangles.

    Quadric edge collapse (Garland and Heckbert, 1997). Vertices at seams of the texture are
    several, which the collapse treats as borders; each takes the uv of the nearest vertex that
    fell into it.
    Without a texture all uvs are zero.
    """
    if len(faces) <= target:
        return positions, uvs, faces
    pieces = small_pieces(positions, faces) if len(faces) > 6 * target else None
    if pieces is not None and pieces.max() + 1 >= LEAVES:
        return _thinned(positions, uvs, faces, pieces, target)
    if not uvs.any():
        points, fewer = fast_simplification.simplify(
            positions.astype(np.float32), faces.astype(np.int32), target_count=target
        )
        return points, np.zeros((len(points), 2)), fewer.astype(np.int64)
    points, fewer, collapses = fast_simplification.simplify(
        positions.astype(np.float32),
        faces.astype(np.int32),
        target_count=target,
        return_collapses=True,
    )
    _, _, mapping = fast_simplification.replay_simplification(
        positions.astype(np.float32), faces.astype(np.int32), collapses
    )
    distance = np.linalg.norm(positions - points[mapping], axis=1)
    nearest_last = np.argsort(-distance, kind='stable')
    kept = np.zeros((len(points), 2))
    kept[mapping[nearest_last]] = uvs[nearest_last]
    return points, kept, fewer.astype(np.int64)


def small_pieces(positions: np.ndarray, faces: np.ndarray) -> np.ndarray | None:
    """Return the number (N,) of the connected piece of each face; None if pieces are large."""
    _, place = np.unique(np.round(positions, 5), axis=0, return_inverse=True)
    joined = place.ravel()[faces]
    labels = np.arange(joined.max() + 1)
    for _ in range(_LEAF_ROUNDS):
        least = labels[joined].min(axis=1)
        before = labels.copy()
        np.minimum.at(labels, joined.ravel(), np.repeat(least, 3))
        if np.array_equal(before, labels):
            return np.unique(labels[joined[:, 0]], return_inverse=True)[1].ravel()
    return None


def _thinned(
    positions: np.ndarray, uvs: np.ndarray, faces: np.ndarray, pieces: np.ndarray, target: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a random part of the pieces, as much larger as there are fewer.

    Stochastic simplification (Cook et al., 2007): the tree keeps its density.
    """
    share = target / len(faces)
    order = np.random.default_rng(0).permutation(pieces.max() + 1)
    kept = np.isin(pieces, order[: max(4, round(share * len(order)))])
    own, number = faces[kept], pieces[kept]
    corners = positions[own]
    sums = np.zeros((pieces.max() + 1, 3))
    np.add.at(sums, number, corners.mean(axis=1))
    middle = (sums / np.maximum(np.bincount(number, minlength=len(sums)), 1)[:, None])[number]
    growth = min(3.0, share**-0.5)
    grown = middle[:, None] + growth * (corners - middle[:, None])
    return grown.reshape(-1, 3), uvs[own].reshape(-1, 2), np.arange(3 * len(own)).reshape(-1, 3)


def corner_normals(positions: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return a unit normal for each corner (N, 3, 3): the mean over faces within the crease angle.

    Corners at one position are neighbors, whether they share a vertex or not.
    """
    triangles = positions[faces]
    area = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    flat = area / np.maximum(np.linalg.norm(area, axis=1, keepdims=True), 1e-12)
    places = np.round(triangles.reshape(-1, 3), 4)
    _, group = np.unique(places, axis=0, return_inverse=True)
    group = group.ravel()
    order = np.argsort(group, kind='stable')
    starts = np.searchsorted(group[order], np.arange(group.max() + 1))
    counts = np.diff(np.append(starts, len(order)))
    first = np.repeat(order, counts[group[order]])
    offsets = np.arange(len(first)) - np.repeat(
        np.cumsum(counts[group[order]]) - counts[group[order]], counts[group[order]]
    )
    second = order[np.repeat(starts[group[order]], counts[group[order]]) + offsets]
    face_of_first, face_of_second = first // 3, second // 3
    close = (flat[face_of_first] * flat[face_of_second]).sum(1) > np.cos(np.radians(CREASE_DEG))
    total = np.zeros((len(group), 3))
    np.add.at(total, first[close], area[face_of_second[close]])
    own = np.repeat(area, 3, axis=0)
    total = np.where(np.linalg.norm(total, axis=1, keepdims=True) > 1e-12, total, own)
    length = np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return (total / length).reshape(-1, 3, 3)
