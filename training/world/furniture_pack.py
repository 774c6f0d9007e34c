"""The furniture as the renderer takes it: one file of decimated models and small textures."""

import dataclasses
import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .catalog import CatalogEntry

TEXTURE_SIZE = 256
"""Edge of all textures [px]: more than a surface covers in a view of 320x240."""


@dataclass(frozen=True)
class PackedModel:
    """Where one model lies in the arrays.

    Attributes:
        entry: What the catalog says.
        levels: First index and number of indices, of the fine and of the coarse shape.
        size: (3,) extent along x (width), y (depth) and z (height) [m].
    """

    entry: CatalogEntry
    levels: tuple[tuple[int, int], ...]
    size: tuple[float, float, float]


@dataclass(frozen=True)
class FurniturePack:
    """Models with +x to their left, +y to their front and +z up; the origin is under their middle.

    Attributes:
        models: One record each.
        positions: (V, 3) float32 [m].
        normals: (V, 3) int8, 127 = 1.
        uvs: (V, 2) float32.
        materials: (V,) index of each vertex into the next four.
        colors: (M, 3) float32, linear.
        gloss: (M,) 0..1.
        glow: (M,) 0..1.
        texture_of: (M,) index into `textures`, -1 for none.
        indices: (I,) int32 into the vertices.
        textures: Encoded pictures (JPEG, or PNG with transparency).
    """

    models: list[PackedModel]
    positions: np.ndarray
    normals: np.ndarray
    uvs: np.ndarray
    materials: np.ndarray
    colors: np.ndarray
    gloss: np.ndarray
    glow: np.ndarray
    texture_of: np.ndarray
    indices: np.ndarray
    textures: list[np.ndarray]

    def save(self, path: Path) -> None:
        """Write the pack; positions are kept to a tenth of a millimeter."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix('.partial.npz')
        np.savez_compressed(
            partial,
            models=np.array(json.dumps([dataclasses.asdict(model) for model in self.models])),
            positions=np.rint(self.positions * 1e4).astype(np.int32),
            normals=self.normals,
            uvs=self.uvs.clip(-6e4, 6e4).astype(np.float16),
            materials=self.materials.astype(np.uint16),
            colors=self.colors.astype(np.float16),
            gloss=self.gloss.astype(np.float16),
            glow=self.glow.astype(np.float16),
            texture_of=self.texture_of.astype(np.int16),
            indices=self.indices.astype(np.int32),
            texture_ends=np.cumsum([len(texture) for texture in self.textures]),
            texture_bytes=np.concatenate([np.zeros(0, np.uint8), *self.textures]),
        )
        partial.rename(path)

    def texture_images(self) -> np.ndarray:
        """Return all textures (T, 256, 256, 4) uint8 RGBA."""
        images = np.full((len(self.textures), TEXTURE_SIZE, TEXTURE_SIZE, 4), 255, np.uint8)
        for image, encoded in zip(images, self.textures, strict=True):
            decoded = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
            code = cv2.COLOR_BGRA2RGBA if decoded.shape[2] == 4 else cv2.COLOR_BGR2RGBA
            image[:] = cv2.cvtColor(decoded, code)
        return images


def load_pack(path: Path) -> FurniturePack:
    """Return a pack that `FurniturePack.save` wrote."""
    with np.load(path) as stored:
        models = [
            PackedModel(CatalogEntry(**row.pop('entry')), **row)
            for row in json.loads(str(stored['models']))
        ]
        ends = [0, *stored['texture_ends'].astype(int).tolist()]
        encoded = stored['texture_bytes']
        textures = [encoded[a:b] for a, b in itertools.pairwise(ends)]
        return FurniturePack(
            models=models,
            positions=stored['positions'].astype(np.float32) / 1e4,
            normals=stored['normals'],
            uvs=stored['uvs'].astype(np.float32),
            materials=stored['materials'].astype(np.int32),
            colors=stored['colors'].astype(np.float32),
            gloss=stored['gloss'].astype(np.float32),
            glow=stored['glow'].astype(np.float32),
            texture_of=stored['texture_of'].astype(np.int32),
            indices=stored['indices'],
            textures=textures,
        )
