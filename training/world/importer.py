"""Makes the furniture pack from Sweet Home 3D's libraries.

python -m training.world.importer --libraries /usr/share/sweethome3d/furniture
"""

import argparse
import zipfile
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from rich.progress import track

from .catalog import CatalogEntry, libraries, read_catalog, rotation_matrix
from .decimation import corner_normals, decimate
from .furniture_pack import TEXTURE_SIZE, FurniturePack, PackedModel
from .obj_file import Material, ObjMesh, parse_materials, parse_obj

TRIANGLES = ((0.15, 250), (0.4, 700), (1.0, 2000), (3.0, 3500), (1e9, 6000))
"""Triangles of a model by its largest extent [m]. Drawing takes about a microsecond each."""
LEVELS = (1.0, 0.2)
"""Shares of them for things seen large, and for things that cover few pixels."""
GLASS_OPACITY = 0.5
"""What is clearer is glass: panes of windows and doors are left out, other things are kept."""
_UPRIGHT = np.array([[-1, 0, 0], [0, 0, 1], [0, 1, 0]])
"""From the libraries' axes (y up, front +z) to ours (z up, front +y)."""


class PackBuilder:
    """Collects models, then joins them."""

    def __init__(self) -> None:
        self.models: list[PackedModel] = []
        self._vertices: list[np.ndarray] = []
        self._normals: list[np.ndarray] = []
        self._materials: list[np.ndarray] = []
        self._indices: list[np.ndarray] = []
        self._looks: list[Material] = []
        self._texture_of: list[int] = []
        self._textures: dict[str, int] = {}
        self._pictures: list[np.ndarray] = []
        self._vertex_count = self._index_count = 0

    def add(self, entry: CatalogEntry, library: zipfile.ZipFile) -> None:
        """Import one model.

        Raises:
            ValueError: It has no triangles.
        """
        mesh = parse_obj(library.read(entry.model).decode('latin-1'))
        looks = _materials_beside(entry.model, library)
        parts = _visible_parts(entry, mesh, looks)
        if not parts:
            raise ValueError(f'{entry.key} ({entry.name}) has no visible triangles')
        points, size = _placed(entry, mesh, parts)
        total = sum(map(len, parts.values()))
        target = next(most for limit, most in TRIANGLES if max(size) < limit)
        looks_from = len(self._looks)
        for name, corners in parts.items():
            look = looks.get(name, Material())
            picture = self._texture(entry, look.texture, library)
            self._looks.append(look)
            self._texture_of.append(picture)
            if picture < 0:
                corners[..., 1] = len(mesh.uvs) - 1
        levels = []
        for share in LEVELS:
            first = self._index_count
            for number, corners in enumerate(parts.values()):
                budget = max(12, round(share * target * len(corners) / total))
                self._add_part(points, mesh.uvs, corners, budget, looks_from + number)
            levels.append((first, self._index_count - first))
        self.models.append(PackedModel(entry, tuple(levels), size))

    def _add_part(
        self, points: np.ndarray, uvs: np.ndarray, corners: np.ndarray, budget: int, look: int
    ) -> None:
        pairs, faces = np.unique(corners.reshape(-1, 2), axis=0, return_inverse=True)
        positions, texture, triangles = decimate(
            points[pairs[:, 0]], uvs[pairs[:, 1]], faces.reshape(-1, 3), budget
        )
        normals = np.rint(127 * corner_normals(positions, triangles)).astype(np.int8)
        flat = triangles.ravel()
        rows = np.hstack([positions[flat], texture[flat], normals.reshape(-1, 3)])
        rows, indices = np.unique(rows, axis=0, return_inverse=True)
        self._vertices.append(rows[:, :5].astype(np.float32))
        self._normals.append(rows[:, 5:].astype(np.int8))
        self._materials.append(np.full(len(rows), look))
        self._indices.append(indices.ravel() + self._vertex_count)
        self._vertex_count += len(rows)
        self._index_count += indices.size

    def _texture(self, entry: CatalogEntry, name: str, library: zipfile.ZipFile) -> int:
        path = str(PurePosixPath(entry.model).with_name(name)) if name else ''
        key = f'{library.filename}:{path}'
        if not name or path not in library.namelist():
            return -1
        if key not in self._textures:
            encoded = np.frombuffer(library.read(path), np.uint8)
            picture = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
            if picture is None:
                return -1
            self._textures[key] = len(self._pictures)
            self._pictures.append(_small(picture))
        return self._textures[key]

    def build(self) -> FurniturePack:
        """Return the pack of all models added."""
        vertices = np.concatenate(self._vertices)
        return FurniturePack(
            models=self.models,
            positions=vertices[:, :3],
            normals=np.concatenate(self._normals),
            uvs=vertices[:, 3:],
            materials=np.concatenate(self._materials),
            colors=np.array([look.color for look in self._looks], np.float32),
            gloss=np.array([look.gloss for look in self._looks], np.float32),
            glow=np.array([look.glow for look in self._looks], np.float32),
            texture_of=np.array(self._texture_of),
            indices=np.concatenate(self._indices),
            textures=self._pictures,
        )


def _materials_beside(model: str, library: zipfile.ZipFile) -> dict[str, Material]:
    path = str(PurePosixPath(model).with_suffix('.mtl'))
    if path not in library.namelist():
        return {}
    return parse_materials(library.read(path).decode('latin-1'))


def _visible_parts(
    entry: CatalogEntry, mesh: ObjMesh, looks: dict[str, Material]
) -> dict[str, np.ndarray]:
    """Return the triangles by material; panes of doors and windows are looked through."""
    is_pane = entry.category == 'Doors and windows'
    return {
        name: corners
        for name, corners in mesh.corners.items()
        if not (is_pane and looks.get(name, Material()).opacity < GLASS_OPACITY)
    }


def _placed(
    entry: CatalogEntry, mesh: ObjMesh, parts: dict[str, np.ndarray]
) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Return the positions in our axes at the catalog's size, and that size."""
    points = mesh.positions @ (_UPRIGHT @ rotation_matrix(entry)).T
    used = np.unique(np.concatenate([c[..., 0].ravel() for c in mesh.corners.values()]))
    low, high = points[used].min(axis=0), points[used].max(axis=0)
    size = np.array(entry.size)
    scale = size / np.maximum(high - low, 1e-9)
    middle = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return (points - middle) * scale, entry.size


def _small(picture: np.ndarray) -> np.ndarray:
    """Return a picture encoded at texture size; as PNG if parts of it are transparent."""
    if picture.dtype != np.uint8:
        picture = (picture / 257).astype(np.uint8)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    small = cv2.resize(picture, (TEXTURE_SIZE, TEXTURE_SIZE), interpolation=cv2.INTER_AREA)
    if small.shape[2] == 4 and small[..., 3].min() < 250:
        return cv2.imencode('.png', small)[1].ravel()
    return cv2.imencode('.jpg', small[..., :3], (cv2.IMWRITE_JPEG_QUALITY, 88))[1].ravel()


def import_furniture(folder: Path) -> FurniturePack:
    """Return the pack of all models of all libraries in a folder."""
    builder = PackBuilder()
    for path in libraries(folder):
        with zipfile.ZipFile(path) as library:
            for entry in track(list(read_catalog(library, path.stem)), path.stem):
                builder.add(entry, library)
    return builder.build()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--libraries', type=Path, default=Path('/usr/share/sweethome3d/furniture'))
    parser.add_argument('--pack', type=Path, default=Path('training/runs/furniture.npz'))
    arguments = parser.parse_args()
    pack = import_furniture(arguments.libraries)
    pack.save(arguments.pack)
    print(f'{len(pack.models)} models, {len(pack.indices) // 3} triangles, {arguments.pack}')
