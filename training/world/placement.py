"""Puts models where such things stand, hang and lie, without running into each other."""

import math
import random
from dataclasses import dataclass

from .furnished_scene import FurnishedScene, Instance, box
from .model_roles import ModelShelf
from .room_shell import Room
from .texture_choice import TextureChoice

Rectangle = tuple[float, float, float, float]
"""Low x, low y, high x, high y [m]."""


@dataclass(frozen=True)
class PlacedModel:
    """A model that stands somewhere.

    Attributes:
        x: Of its middle [m].
        y: Of its middle [m].
        z: Of its bottom [m].
        yaw: Where it looks, 0 = +y [rad].
        size: Width, depth and height [m].
        top: Height above the floor of what can carry things; negative for none [m].
    """

    x: float
    y: float
    z: float
    yaw: float
    size: tuple[float, float, float]
    top: float


def footprint(x: float, y: float, yaw: float, wide: float, deep: float) -> Rectangle:
    """Return the rectangle around a turned rectangle."""
    c, s = abs(math.cos(yaw)), abs(math.sin(yaw))
    half_x, half_y = (c * wide + s * deep) / 2, (s * wide + c * deep) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


class FloorFurnisher:
    """Puts things on the floor, on other things, or on the ground.

    Args:
        rng: Decides everything.
        scene: Gets the models.
        room: Where to put them.
        shelf: The models to choose from.
        textures: The textures to choose from.
    """

    def __init__(
        self,
        rng: random.Random,
        scene: FurnishedScene,
        room: Room,
        shelf: ModelShelf,
        textures: TextureChoice,
    ) -> None:
        self.rng, self.scene, self.room = rng, scene, room
        self.shelf, self.textures = shelf, textures
        self._taken: list[Rectangle] = []
        self._carried: list[tuple[float, float, float]] = []

    def keep_clear(self, area: Rectangle) -> None:
        """Leave an area free from now on."""
        self._taken.append(area)

    def is_free(self, area: Rectangle, margin: float = 0.02) -> bool:
        """Tell whether an area lies in the room and nothing stands there."""
        low, high = self.room.low, self.room.high
        if area[0] < low[0] or area[1] < low[1] or area[2] > high[0] or area[3] > high[1]:
            return False
        return not any(
            area[0] < t[2] + margin
            and area[2] > t[0] - margin
            and area[1] < t[3] + margin
            and area[3] > t[1] - margin
            for t in self._taken
        )

    def put(
        self,
        model: int,
        role: str,
        x: float,
        y: float,
        yaw: float,
        z: float = 0.0,
        scale: float = 1.0,
        solid: bool = True,
    ) -> PlacedModel:
        """Put a model at a place, whatever is there."""
        instance = Instance(model, (x, y, z), yaw, scale)
        self.scene.instances.append(self.textures.vary(self.rng, instance, role))
        packed = self.shelf.models[model]
        wide, deep, high = (scale * extent for extent in packed.size)
        if solid:
            self._taken.append(footprint(x, y, yaw, wide, deep))
        top = packed.entry.top
        carried = high if math.isnan(top) else scale * top
        self.scene.targets.append((x, y, z + high / 2))
        return PlacedModel(x, y, z, yaw, (wide, deep, high), z + carried if carried > 0 else -1.0)

    def pick(self, role: str) -> tuple[int, float, tuple[float, float, float]] | None:
        """Return a model of a role, a factor on its size and its size, or None."""
        model = self.shelf.pick(self.rng, role)
        if model is None:
            return None
        scale = self.rng.uniform(0.93, 1.07)
        wide, deep, high = self.shelf.models[model].size
        return model, scale, (scale * wide, scale * deep, scale * high)

    def anywhere(self, role: str, tries: int = 8, any_yaw: bool = True) -> PlacedModel | None:
        """Stand a model on a free spot of the floor."""
        picked = self.pick(role)
        if picked is None:
            return None
        model, scale, (wide, deep, high) = picked
        if high > self.room.height:
            return None
        for _ in range(tries):
            yaw = self.rng.uniform(-math.pi, math.pi)
            if not any_yaw:
                yaw = math.pi / 2 * self.rng.randrange(4) + self.rng.gauss(0, 0.03)
            x = self.rng.uniform(self.room.low[0], self.room.high[0])
            y = self.rng.uniform(self.room.low[1], self.room.high[1])
            if self.is_free(footprint(x, y, yaw, wide, deep)):
                return self.put(model, role, x, y, yaw, scale=scale)
        return None

    def beside(
        self,
        other: PlacedModel,
        role: str,
        right: float,
        front: float,
        turn: float,
        solid: bool = True,
    ) -> PlacedModel | None:
        """Stand a model so that its near side is `front` meters before the other's middle.

        `right` is the offset of the middles across, and `turn` the yaw against the other's [rad].
        A negative `front` means behind it.
        """
        picked = self.pick(role)
        if picked is None:
            return None
        model, scale, (wide, deep, _) = picked
        c, s = abs(math.cos(turn)), abs(math.sin(turn))
        ahead = front + math.copysign((s * wide + c * deep) / 2, front)
        cy, sy = math.cos(other.yaw), math.sin(other.yaw)
        x = other.x + cy * right - sy * ahead
        y = other.y + sy * right + cy * ahead
        yaw = other.yaw + turn
        if solid and not self.is_free(footprint(x, y, yaw, wide, deep), margin=-0.08):
            return None
        return self.put(model, role, x, y, yaw, scale=scale, solid=solid)

    def on_top(self, carrier: PlacedModel, role: str, tries: int = 6) -> PlacedModel | None:
        """Put a model on another one, if that carries things and it fits."""
        picked = self.pick(role)
        if picked is None or carrier.top < 0:
            return None
        model, scale, (wide, deep, _) = picked
        for _ in range(tries):
            across = (carrier.size[0] - wide) / 2
            ahead = (carrier.size[1] - deep) / 2
            if across < 0 or ahead < 0:
                return None
            u, v = self.rng.uniform(-across, across), self.rng.uniform(-ahead, ahead)
            c, s = math.cos(carrier.yaw), math.sin(carrier.yaw)
            x, y = carrier.x + c * u - s * v, carrier.y + s * u + c * v
            yaw = carrier.yaw + self.rng.gauss(0, 0.25)
            key = x, y, carrier.top
            if all(math.dist(key, other) > max(wide, deep) for other in self._carried):
                self._carried.append(key)
                return self.put(model, role, x, y, yaw, carrier.top, scale, solid=False)
        return None

    def crate(self, x: float, y: float, z: float, size: tuple[float, float, float]) -> None:
        """Stand a plain box on the floor or on another one."""
        layer = self.textures.pick(self.rng, 'planks', 'paint', 'concrete', 'picture')
        low = x - size[0] / 2, y - size[1] / 2, z
        high = x + size[0] / 2, y + size[1] / 2, z + size[2]
        self.scene.surfaces.append(box(low, high, layer, self.rng.choice((0.0, 1.0))))
        self._taken.append((low[0], low[1], high[0], high[1]))

    def block(
        self,
        x: float,
        y: float,
        z: float,
        size: tuple[float, float, float],
        color: tuple[float, float, float],
    ) -> None:
        """Add a part of one color to the scene."""
        low = x - size[0] / 2, y - size[1] / 2, z
        high = x + size[0] / 2, y + size[1] / 2, z + size[2]
        self.scene.surfaces.append(box(low, high, -1, 1.0, color))

    def building(
        self,
        x: float,
        y: float,
        size: tuple[float, float, float],
        front: int,
        story: float,
    ) -> None:
        """Add a house around a point, its front in stories [m]."""
        low = x - size[0] / 2, y - size[1] / 2, -0.1
        high = x + size[0] / 2, y + size[1] / 2, size[2]
        walls = box(low, high, front, story)
        walls['look'][24:, 0] = self.textures.pick(self.rng, 'concrete')
        self.scene.surfaces.append(walls)
        self._taken.append((low[0], low[1], high[0], high[1]))

    def put_if_free(
        self, model: int, role: str, x: float, y: float, yaw: float
    ) -> PlacedModel | None:
        """Put a model at a place if nothing is there."""
        wide, deep, _ = self.shelf.models[model].size
        if not self.is_free(footprint(x, y, yaw, wide, deep)):
            return None
        return self.put(model, role, x, y, yaw)
