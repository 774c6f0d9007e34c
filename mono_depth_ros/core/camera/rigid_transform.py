"""Position and orientation of one frame in another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RigidTransform:
    """Takes points of a frame to the frame that it stands in: p' = rotation p + position.

    Attributes:
        position: (3,) float64 [m].
        quaternion: (4,) float64 x y z w, of length 1.
    """

    position: Array
    quaternion: Array

    @classmethod
    def of(cls, position: Sequence[float], quaternion: Sequence[float]) -> 'RigidTransform':
        """Return it from x y z [m] and x y z w, of any length but 0.

        Raises:
            ValueError: A number is not finite, or the quaternion is 0.
        """
        q = np.array(quaternion, np.float64)
        largest = np.abs(q).max()
        if not (all(map(math.isfinite, position)) and math.isfinite(largest) and largest > 0):
            raise ValueError(
                f'no pose: position {tuple(position)}, quaternion {tuple(quaternion)}'
            )
        q /= largest  # the squares of very small or large ones are 0 or infinite
        return cls(np.array(position, np.float64), q / np.linalg.norm(q))

    @classmethod
    def of_matrix(cls, position: Array, rotation: Array) -> 'RigidTransform':
        """Return it from (3,) [m] and a rotation (3, 3).

        The largest of the four parts is found first, so that none is divided by a small one
        (Shepperd, 1978).
        """
        r, trace = rotation, float(np.trace(rotation))
        squares = np.array(
            (*(1 + 2 * np.diag(r) - trace), 1 + trace)
        )  # 4 x^2, 4 y^2, 4 z^2, 4 w^2
        sums = np.array(  # 4 times the products of two parts
            [
                [squares[0], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
                [r[0, 1] + r[1, 0], squares[1], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
                [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], squares[2], r[1, 0] - r[0, 1]],
                [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], squares[3]],
            ]
        )
        return cls.of(position.tolist(), sums[int(squares.argmax())].tolist())

    @classmethod
    def identity(cls) -> 'RigidTransform':
        """Return that of a frame in itself."""
        return cls(np.zeros(3), np.array((0.0, 0.0, 0.0, 1.0)))

    @cached_property
    def rotation(self) -> Array:
        """(3, 3) float64."""
        x, y, z, w = self.quaternion
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )

    def apply(self, points: Array) -> Array:
        """Return points (N, 3) [m] of the frame in the one that it stands in."""
        placed: Array = points @ self.rotation.T + self.position
        return placed

    def inverse(self) -> 'RigidTransform':
        """Return the place of the other frame in this one."""
        return RigidTransform(-self.position @ self.rotation, self.quaternion * (-1, -1, -1, 1))

    def __matmul__(self, inner: 'RigidTransform') -> 'RigidTransform':
        """Return what applies `inner` first and this one then."""
        (a, b, c, d), (x, y, z, w) = self.quaternion, inner.quaternion
        product = np.array(
            (
                d * x + a * w + b * z - c * y,
                d * y + b * w + c * x - a * z,
                d * z + c * w + a * y - b * x,
                d * w - a * x - b * y - c * z,
            )
        )
        return RigidTransform(
            self.rotation @ inner.position + self.position, product / np.linalg.norm(product)
        )

    def interpolated(self, other: 'RigidTransform', share: float) -> 'RigidTransform':
        """Return the place between this one, at share 0, and the other, at share 1.

        Position moves along a line and orientation turns evenly (slerp: Shoemake, 1985), by the
        shorter way.
        """
        position = self.position + share * (other.position - self.position)
        cosine = float(self.quaternion @ other.quaternion)
        end = other.quaternion if cosine >= 0 else -other.quaternion
        angle = math.acos(min(abs(cosine), 1.0))
        if math.sin(angle) < 1e-9:
            return RigidTransform(position, self.quaternion)
        start_weight, end_weight = math.sin((1 - share) * angle), math.sin(share * angle)
        q = (start_weight * self.quaternion + end_weight * end) / math.sin(angle)
        return RigidTransform(position, q / np.linalg.norm(q))
