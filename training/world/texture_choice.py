"""Which procedural textures a scene may use, and how the same model gets other looks."""

import colorsys
import random
from dataclasses import replace

from .furnished_scene import Instance

_COVERS = ('fabric', 'fabric', 'planks', 'planks', 'paint', 'marble', 'concrete')
_KEEP_LOOKS = ('person', 'animal', 'tree', 'shrub', 'floor_plant', 'small_plant', 'road_marking')


class TextureChoice:
    """Layers of procedural textures of one side of the split.

    Args:
        numbers: By kind, the textures of training and those of the exam.
        first: Layer of the first procedural texture.
        exam: Which of them to use.
    """

    def __init__(
        self, numbers: dict[str, tuple[list[int], list[int]]], first: int, exam: bool
    ) -> None:
        self._layers = {
            kind: [first + number for number in sides[exam]] for kind, sides in numbers.items()
        }

    def pick(self, rng: random.Random, *kinds: str) -> int:
        """Return the layer of any texture of any of the kinds."""
        return rng.choice(self._layers[rng.choice(kinds)])

    def vary(self, rng: random.Random, instance: Instance, role: str) -> Instance:
        """Return the instance with another color or another cover, or as it is."""
        if role.startswith(_KEEP_LOOKS):
            gray = rng.uniform(0.8, 1.15)
            return replace(instance, tint=(gray, gray, gray))
        chance = rng.random()
        if chance < 0.35:
            return replace(instance, tint=any_tint(rng))
        if chance < 0.6 and 'vehicle' not in role and role != 'car':
            cover, scale = self.pick(rng, *_COVERS), rng.uniform(0.5, 2.5)
            return replace(instance, tint=any_tint(rng), cover=cover, cover_scale=scale)
        return instance


def any_tint(rng: random.Random) -> tuple[float, float, float]:
    """Return factors on a color: mostly mild, sometimes strong."""
    saturation = rng.uniform(0, 0.25) if rng.random() < 0.6 else rng.uniform(0.2, 0.7)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(0.5, 1.25))
    return red, green, blue
