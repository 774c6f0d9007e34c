"""Puts models along walls, on walls, into their openings and under the ceiling."""

import math
import random

from .furnished_scene import FurnishedScene, box
from .model_roles import ModelShelf
from .placement import FloorFurnisher, PlacedModel, footprint
from .room_shell import WALL_M, Opening, Room
from .texture_choice import TextureChoice

DOORWAY_M = 0.9
"""Depth of the floor before a door that stays free."""


class Furnisher(FloorFurnisher):
    """Furnishes one room, or one place outdoors, of a scene.

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
        super().__init__(rng, scene, room, shelf, textures)
        self._on_walls: list[tuple[int, float, float, float, float]] = []
        for opening in room.openings:
            end = opening.start + opening.width
            self._on_walls.append(
                (opening.side, opening.start - 0.1, end + 0.1, opening.bottom - 0.1, opening.top)
            )
            if opening.kind != 'window':
                a = room.wall_point(opening.side, opening.start, 0.0)
                b = room.wall_point(opening.side, end, 0.0, DOORWAY_M)
                self.keep_clear(
                    (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
                )

    def against_wall(
        self, role: str, side: int | None = None, gap: float = 0.02, tries: int = 10
    ) -> PlacedModel | None:
        """Stand a model with its back to a wall, where it covers no window or door."""
        picked = self.pick(role)
        if picked is None:
            return None
        model, scale, (wide, deep, high) = picked
        if high > self.room.height:
            return None
        for _ in range(tries):
            wall = self.rng.randrange(4) if side is None else side
            length = self.room.length(wall)
            if length < wide + 0.1:
                continue
            along = self.rng.uniform(wide / 2 + 0.03, length - wide / 2 - 0.03)
            x, y, _ = self.room.wall_point(wall, along, 0.0, gap + deep / 2)
            yaw = wall * math.pi / 2
            area = footprint(x, y, yaw, wide, deep)
            if not self.is_free(area) or self._covers(wall, along, wide, 0.0, high):
                continue
            self._on_walls.append((wall, along - wide / 2, along + wide / 2, 0.0, high))
            return self.put(model, role, x, y, yaw, scale=scale)
        return None

    def _covers(self, side: int, along: float, wide: float, low: float, high: float) -> bool:
        return any(
            side == s and along - wide / 2 < b and along + wide / 2 > a and low < d and high > c
            for s, a, b, c, d in self._on_walls
        )

    def stand_at(self, model: int, role: str, side: int, along: float) -> PlacedModel | None:
        """Stand a model at a place of a wall, if it is free and hides no opening."""
        wide, deep, high = self.shelf.models[model].size
        x, y, _ = self.room.wall_point(side, along, 0.0, deep / 2 + 0.01)
        yaw = side * math.pi / 2
        if high > self.room.height or self._covers(side, along, wide - 0.1, 0.0, high):
            return None
        if not self.is_free(footprint(x, y, yaw, wide, deep), margin=-0.01):
            return None
        self._on_walls.append((side, along - wide / 2, along + wide / 2, 0.0, high))
        return self.put(model, role, x, y, yaw)

    def on_wall(self, role: str, elevation: float | None = None) -> PlacedModel | None:
        """Hang a model on a wall, at its own height or at another one [m]."""
        picked = self.pick(role)
        if picked is None:
            return None
        model, scale, (wide, deep, high) = picked
        z = self.shelf.models[model].entry.elevation if elevation is None else elevation
        if z <= 0:
            z = self.rng.uniform(1.0, 1.7)
        for _ in range(8):
            wall = self.rng.randrange(4)
            length = self.room.length(wall)
            if length < wide + 0.2 or z + high > self.room.height:
                continue
            along = self.rng.uniform(wide / 2 + 0.05, length - wide / 2 - 0.05)
            if self._covers(wall, along, wide, z, z + high):
                continue
            self._on_walls.append((wall, along - wide / 2, along + wide / 2, z, z + high))
            x, y, _ = self.room.wall_point(wall, along, 0.0, deep / 2 + 0.003)
            return self.put(model, role, x, y, wall * math.pi / 2, z, scale, solid=False)
        return None

    def hang_at(self, role: str, side: int, along: float) -> PlacedModel | None:
        """Hang a model at a place of a wall, at its own height, if it hides no opening."""
        picked = self.pick(role)
        if picked is None:
            return None
        model, scale, (wide, deep, high) = picked
        z = self.shelf.models[model].entry.elevation or 1.45
        if z + high > self.room.height or self._covers(side, along, wide - 0.1, z, z + high):
            return None
        self._on_walls.append((side, along - wide / 2, along + wide / 2, z, z + high))
        x, y, _ = self.room.wall_point(side, along, 0.0, deep / 2 + 0.005)
        return self.put(model, role, x, y, side * math.pi / 2, z, scale, solid=False)

    def picture(self) -> None:
        """Hang a framed picture on a wall."""
        wide = self.rng.uniform(0.3, 1.4)
        high = wide * self.rng.uniform(0.5, 1.4)
        z = self.rng.uniform(1.0, 1.6)
        wall = self.rng.randrange(4)
        length = self.room.length(wall)
        if length < wide + 0.3 or z + high > self.room.height - 0.1:
            return
        along = self.rng.uniform(wide / 2 + 0.1, length - wide / 2 - 0.1)
        if self._covers(wall, along, wide, z, z + high):
            return
        self._on_walls.append((wall, along - wide / 2, along + wide / 2, z, z + high))
        a = self.room.wall_point(wall, along - wide / 2, z)
        b = self.room.wall_point(wall, along + wide / 2, z + high, self.rng.uniform(0.01, 0.05))
        low = tuple(min(pair) for pair in zip(a, b, strict=True))
        far = tuple(max(pair) for pair in zip(a, b, strict=True))
        art = self.textures.pick(self.rng, 'picture')
        self.scene.surfaces.append(box(low, far, art, 0.0))

    def fill_opening(self, opening: Opening) -> None:
        """Put the door or window of an opening into the wall."""
        if opening.model < 0:
            return
        middle = opening.start + opening.width / 2
        x, y, _ = self.room.wall_point(opening.side, middle, 0.0, -WALL_M / 2)
        yaw = opening.side * math.pi / 2
        self.put(opening.model, opening.kind, x, y, yaw, opening.bottom, solid=False)

    def curtains(self) -> None:
        """Hang curtains beside some windows."""
        for opening in self.room.openings:
            picked = self.pick('curtain')
            if opening.kind != 'window' or picked is None or self.rng.random() < 0.6:
                continue
            model, _, (_, deep, high) = picked
            for along in (opening.start - 0.3, opening.start + opening.width + 0.3):
                x, y, _ = self.room.wall_point(opening.side, along, 0.0, deep / 2 + 0.05)
                scale = min(1.0, (self.room.height - 0.1) / high)
                self.put(
                    model, 'curtain', x, y, opening.side * math.pi / 2, 0.05, scale, solid=False
                )

    def at_ceiling(self, role: str) -> PlacedModel | None:
        """Hang a model from the ceiling, anywhere."""
        picked = self.pick(role)
        if picked is None:
            return None
        model, scale, (_, _, high) = picked
        x = self.rng.uniform(
            0.7 * self.room.low[0] + 0.3 * self.room.high[0], self.room.high[0] - 0.5
        )
        y = self.rng.uniform(
            0.7 * self.room.low[1] + 0.3 * self.room.high[1], self.room.high[1] - 0.5
        )
        z = self.room.height - high
        return self.put(model, role, x, y, 0.0, z, scale, solid=False) if z > 1.7 else None
