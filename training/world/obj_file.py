"""Reads Wavefront OBJ and MTL, as far as the furniture libraries use them."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np


@dataclass
class Material:
    """How a surface looks.

    Attributes:
        color: Diffuse color, linear 0..1.
        opacity: 0..1.
        gloss: Strength of highlights, 0..1.
        glow: Strength of its own light, 0..1.
        texture: File name of the picture, without folders; empty for none.
    """

    color: tuple[float, float, float] = (0.7, 0.7, 0.7)
    opacity: float = 1.0
    gloss: float = 0.1
    glow: float = 0.0
    texture: str = ''


@dataclass
class ObjMesh:
    """Triangles in the file's axes.

    Attributes:
        positions: (V, 3).
        uvs: (U, 2); the last one is (0, 0), for corners that have none.
        corners: Material name -> (N, 3, 2) indices into positions and uvs.
    """

    positions: np.ndarray
    uvs: np.ndarray
    corners: dict[str, np.ndarray] = field(default_factory=dict)


def parse_materials(text: str) -> dict[str, Material]:
    """Return the materials of an MTL file by name."""
    materials: dict[str, Material] = {}
    current = Material()
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith('#'):
            continue
        name, rest = words[0], words[1:]
        if name == 'newmtl':
            current = materials.setdefault(' '.join(rest), Material())
        elif name == 'Kd' and len(rest) >= 3:
            red, green, blue = (min(1.0, max(0.0, float(cell))) for cell in rest[:3])
            current.color = (red, green, blue)
        elif name == 'Ks' and rest:
            current.gloss = min(1.0, float(rest[0]))
        elif name == 'Ke' and rest:
            current.glow = min(1.0, float(rest[0]))
        elif name == 'd' and rest:
            current.opacity = float(rest[-1])
        elif name == 'map_Kd' and rest:
            current.texture = PurePosixPath(line.split(None, 1)[1].strip()).name
    return materials


def parse_obj(text: str) -> ObjMesh:
    """Return the triangles of an OBJ file; polygons become fans, lines and points are left out."""
    positions: list[str] = []
    uvs: list[str] = []
    faces: dict[str, list[str]] = {}
    current = faces.setdefault('', [])
    for line in text.splitlines():
        if line.startswith('v '):
            positions.append(line)
        elif line.startswith('vt '):
            uvs.append(line)
        elif line.startswith('f '):
            current.append(line[2:].strip())
        elif line.startswith('usemtl'):
            current = faces.setdefault(line[6:].strip(), [])
    points, texture = _columns(positions, 3), np.vstack([_columns(uvs, 2), np.zeros((1, 2))])
    counts = len(points), len(uvs)
    corners = {name: _triangles(lines, counts) for name, lines in faces.items() if lines}
    return ObjMesh(points, texture, corners)


def _columns(lines: list[str], count: int) -> np.ndarray:
    """Return the first numbers (N, count) of lines that begin with a keyword."""
    if not lines:
        return np.zeros((0, count))
    return np.array([line.split()[1 : count + 1] for line in lines]).astype(np.float64)


def _triangles(lines: list[str], counts: tuple[int, int]) -> np.ndarray:
    """Return the indices (N, 3, 2) of faces `v`, `v/t`, `v//n` or `v/t/n` as triangles.

    Indices are from 1, negative ones from the end; a missing texture coordinate becomes the last.
    """
    by_form: dict[tuple[int, int], list[str]] = {}
    for line in lines:
        words = line.replace('//', '/0/')
        form = words.count('/'), len(words.split())
        by_form.setdefault(form, []).append(words)
    found = [np.zeros((0, 3, 2), np.int64)]
    for (slashes, corners), group in by_form.items():
        if corners < 3:
            continue
        flat = np.array(' '.join(group).replace('/', ' ').split(), np.int64)
        cells = flat.reshape(len(group), corners, 1 + slashes // corners)
        pairs = np.zeros((len(group), corners, 2), np.int64)
        pairs[..., : min(2, cells.shape[2])] = cells[..., :2]
        vertex, uv = pairs[..., 0], pairs[..., 1]
        pairs[..., 0] = np.where(vertex > 0, vertex - 1, counts[0] + vertex)
        pairs[..., 1] = np.where(uv > 0, uv - 1, np.where(uv < 0, counts[1] + uv, counts[1]))
        fan = [[0, k, k + 1] for k in range(1, corners - 1)]
        found.append(pairs[:, fan].reshape(-1, 3, 2))
    return np.concatenate(found)
