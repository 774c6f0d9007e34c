"""Makes views of furnished scenes, whole: layout, drawing, picture."""

import random
from collections.abc import Iterator

import numpy as np

from .camera_effects import Sky, encode, expose
from .furniture_pack import FurniturePack
from .model_roles import ModelShelf
from .procedural_textures import paint_all
from .rasterizer import Rasterizer
from .scene_generator import generate
from .shots import MIN_EDGES, edge_share, is_clear, is_worth_keeping, sample_camera
from .texture_choice import TextureChoice
from .view_shards import StoredView

VIEWS_PER_SCENE = 6
BARE_PASSED = 0.8
"""Share of the views of bare walls that is passed over."""
_TRIES = 100
"""Cameras tried in a scene before it is given up; a narrow room needs many."""


class ViewFactory:
    """Draws views of one side of the split.

    Args:
        pack: The models.
        width: Of the views [px].
        height: Of the views [px].
        exam: Whether to show the held-out models and textures, or the others.
    """

    def __init__(self, pack: FurniturePack, width: int, height: int, exam: bool) -> None:
        self._pack = pack
        self._size = width, height
        painted, numbers = paint_all()
        images = pack.texture_images()
        self._shelf = ModelShelf(pack.models, exam)
        self._textures = TextureChoice(numbers, len(images), exam)
        self._rasterizer = Rasterizer(pack, np.concatenate([images, painted]), width, height)
        self._sky = Sky()

    def views(self, seed: int, most: int = VIEWS_PER_SCENE) -> Iterator[StoredView]:
        """Yield up to `most` views of the scene of a seed."""
        scene = generate(seed, self._shelf, self._textures)
        self._rasterizer.prepare(scene)
        rng, found = random.Random(f'cameras {seed}'), 0
        for _ in range(_TRIES):
            camera = sample_camera(rng, scene, *self._size)
            if not is_clear(scene, self._pack, camera.position):
                continue
            depth = self._rasterizer.depth(camera)
            bare = edge_share(depth) < MIN_EDGES and rng.random() < BARE_PASSED
            if bare or not is_worth_keeping(depth):
                continue
            found += 1
            effects = np.random.default_rng((seed, found))
            drawing = self._rasterizer.draw(camera, depth)
            picture = expose(effects, self._sky, scene.daylight, camera, drawing)
            yield StoredView(
                encode(effects, picture),
                (1 / depth).astype(np.float32),
                camera.focal_px,
                seed,
                scene.kind,
            )
            if found == most:
                return
