"""Collects rooms, solids, materials and lights while a scene is being made."""

import math
import random
from collections.abc import Sequence

import torch

from .looks import LOOKS, Color, hex_color, linear_color
from .scene import Lights, Materials, Rooms, Scene, Shape, Solids
from .textures import texture_bank

Vector = tuple[float, float, float]


class Builder:
    """Grows a scene; every random choice comes from its one generator."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self._rooms: list[tuple[Vector, Vector, tuple[int, ...]]] = []
        self._solids: list[tuple[Shape, Vector, torch.Tensor, Vector, int]] = []
        self._materials: list[tuple[int, int, float, float, float, Vector, float, float]] = []
        self._colors: list[tuple[Color, Color, Color]] = []
        self._lights: list[tuple[Vector, Color]] = []

    def material(self, look: str, glow: float = 0.0) -> int:
        """Return a new material of a family of `LOOKS`."""
        rng, kind = self.random, LOOKS[look]
        groups = texture_bank().groups
        hue = rng.uniform(*kind.hue)
        value, saturation = rng.uniform(*kind.value), rng.uniform(*kind.saturation)
        change = rng.uniform(0.2, 1.0) * kind.contrast
        other = hue if rng.random() < 0.6 else rng.random()
        second = value * (1 - change) if rng.random() < 0.7 else min(1.0, value * (1 + change))
        third = (
            rng.uniform(0.1, 1.0) if look in ('print', 'loud') else value * rng.uniform(0.3, 1.1)
        )
        self._colors.append(
            (
                linear_color(hue, saturation, value),
                linear_color(other, saturation * rng.uniform(0.5, 1.2), second),
                linear_color(rng.random() if look == 'print' else hue, saturation, third),
            )
        )
        stain = rng.choice(('noise', 'blobs', 'marble', 'noise', 'poster'))
        if look not in ('print', 'loud'):
            stain = rng.choice(('noise', 'noise', 'fine'))
        turn = rng.choice((0.0, 0.0, math.pi / 2, rng.uniform(0, math.pi)))
        if look in ('wall', 'print'):
            turn = 0.0
        period = math.exp(rng.uniform(*map(math.log, kind.period_m)))
        self._materials.append(
            (
                rng.choice(groups[rng.choice(kind.patterns)]),
                rng.choice(groups[stain]),
                period,
                rng.uniform(0.5, 4.0),
                turn,
                (rng.random(), rng.random(), 0.0),
                rng.uniform(0.0, 0.5),
                glow,
            )
        )
        return len(self._materials) - 1

    def finish(
        self,
        group: str,
        period_m: float,
        colors: tuple[str, str],
        *,
        tile: int = 0,
        turn: float = 0.0,
        glow: float = 0.0,
    ) -> int:
        """Return a new material that is stated, not drawn.

        Args:
            group: Of the texture bank.
            period_m: Edge of one tile.
            colors: Where the texture is 0 and where it is 1, as '#rrggbb' of the screen.
            tile: Which texture of the group.
            turn: Rotation of the texture on its surface [rad].
            glow: Radiance given off, in units of the albedo.
        """
        bank = texture_bank().groups
        first, second = map(hex_color, colors)
        self._colors.append((first, second, first))
        self._materials.append(
            (bank[group][tile], bank['noise'][0], period_m, 1.0, turn, (0.0, 0.0, 0.0), 0.0, glow)
        )
        return len(self._materials) - 1

    def room(self, low: Vector, high: Vector, wall: int, floor: int, ceiling: int) -> None:
        """Add an axis-aligned box [m] to the free space."""
        self._rooms.append((low, high, (wall, wall, wall, wall, floor, ceiling)))

    def solid(
        self,
        shape: Shape,
        center: Vector,
        size: Vector,
        material: int,
        rotation: torch.Tensor | None = None,
    ) -> None:
        """Add a unit shape scaled to the full extents `size` [m]."""
        turned = torch.eye(3, dtype=torch.float64) if rotation is None else rotation
        half = (max(size[0], 2e-3) / 2, max(size[1], 2e-3) / 2, max(size[2], 2e-3) / 2)
        self._solids.append((shape, center, turned, half, material))

    def light(self, position: Vector, power: Color) -> None:
        """Add a point light; `power` is RGB radiance at 1 m."""
        self._lights.append((position, power))

    def take_lights(self) -> list[tuple[Vector, Color]]:
        """Return the lights added so far and forget them, to put others before them."""
        taken, self._lights = self._lights, []
        return taken

    def at(self, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> 'Spot':
        """Return the place where a piece of furniture is put together."""
        return Spot(self, x, y, z, yaw)

    def scene(self, ambient: Sequence[Color], softness: float, shadow_casters: int) -> Scene:
        """Return what has been collected."""
        f64 = torch.float64
        low, high, faces = zip(*self._rooms, strict=True)
        shape, center, rotation, half, material = zip(*self._solids, strict=True)
        pattern, stain, p0, p1, turn, offset, amount, glow = zip(*self._materials, strict=True)
        place, power = zip(*self._lights, strict=True)
        return Scene(
            self.seed,
            Rooms(
                torch.tensor(low, dtype=f64), torch.tensor(high, dtype=f64), torch.tensor(faces)
            ),
            Solids(
                torch.tensor([int(s) for s in shape]),
                torch.tensor(center, dtype=f64),
                torch.stack(rotation),
                torch.tensor(half, dtype=f64),
                torch.tensor(material),
            ),
            Materials(
                torch.tensor(pattern),
                torch.tensor(stain),
                torch.tensor((p0, p1)).T.contiguous(),
                torch.tensor(turn),
                torch.tensor(offset)[:, :2],
                torch.tensor(self._colors),
                torch.tensor(amount),
                torch.tensor(glow),
            ),
            Lights(
                torch.tensor(place, dtype=f64),
                torch.tensor(power),
                softness,
                torch.tensor(ambient),
                min(shadow_casters, len(place)),
            ),
        )


class Spot:
    """A place on the floor, or on top of something, with its own axes."""

    def __init__(self, builder: Builder, x: float, y: float, z: float, yaw: float) -> None:
        self.builder = builder
        self.random = builder.random
        self.x, self.y, self.z, self.yaw = x, y, z, yaw
        self._cos, self._sin = math.cos(yaw), math.sin(yaw)

    def point(self, x: float, y: float, z: float) -> Vector:
        """Return the world coordinates of a local point."""
        return (
            self.x + self._cos * x - self._sin * y,
            self.y + self._sin * x + self._cos * y,
            self.z + z,
        )

    def shift(self, x: float, y: float, z: float, turn: float = 0.0) -> 'Spot':
        """Return the spot at a local point, turned by `turn` [rad]."""
        return Spot(self.builder, *self.point(x, y, z), self.yaw + turn)

    def put(
        self, shape: Shape, at: Vector, size: Vector, material: int, tilt: Vector = (0, 0, 0)
    ) -> None:
        """Add a solid: center and full extents [m] in local axes, `tilt` about x, y, z [rad]."""
        roll, pitch, yaw = tilt
        turn = rotation_about(2, self.yaw + yaw)
        if roll or pitch:
            turn = turn @ rotation_about(1, pitch) @ rotation_about(0, roll)
        self.builder.solid(shape, self.point(*at), size, material, turn)

    def box(self, at: Vector, size: Vector, material: int, tilt: Vector = (0, 0, 0)) -> None:
        """Add a box."""
        self.put(Shape.BOX, at, size, material, tilt)

    def rod(self, at: Vector, size: Vector, material: int, tilt: Vector = (0, 0, 0)) -> None:
        """Add a cylinder, upright unless tilted."""
        self.put(Shape.CYLINDER, at, size, material, tilt)

    def ball(self, at: Vector, size: Vector, material: int) -> None:
        """Add an ellipsoid."""
        self.put(Shape.SPHERE, at, size, material)


def rotation_about(axis: int, angle: float) -> torch.Tensor:
    """Return the (3, 3) float64 rotation by `angle` [rad] about axis 0, 1 or 2."""
    c, s = math.cos(angle), math.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = torch.eye(3, dtype=torch.float64)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix
