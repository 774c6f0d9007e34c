"""The plane of the ground below a camera, as TF or its mount tells it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..camera.rigid_transform import RigidTransform
from ..errors import CalibrationError, TransformError
from ..scale.scale_settings import AlignmentSettings
from ..scale.tilt import Tilt, Vector

_MIN_HEIGHT_M = 0.01


@dataclass(frozen=True)
class GroundPlane:
    """Where the ground is: heights are counted from it, upwards.

    Attributes:
        down: Unit vector in the optical frame (x right, y down, z forward).
        height_m: Height of the camera above the ground.
        origin: What told it: tf, mount, depth or pose.
    """

    down: Vector
    height_m: float
    origin: str

    @classmethod
    def of_base(cls, base: RigidTransform, base_frame: str) -> 'GroundPlane':
        """Return the plane through the origin of a base frame, whose z axis points up.

        Args:
            base: Pose of the base frame in the optical frame.
            base_frame: Its name, for the error.

        Raises:
            TransformError: The camera is not above that plane.
        """
        down = -base.rotation[:, 2]
        height_m = float(down @ base.position)
        if not height_m > _MIN_HEIGHT_M:
            raise TransformError(
                f'by TF the camera is {height_m:.3g} m above {base_frame!r}',
                'base_frame must be a frame on the floor below the camera, z up',
            )
        x, y, z = down.tolist()
        return cls((x, y, z), height_m, 'tf')

    @classmethod
    def of_mount(cls, alignment: AlignmentSettings, tilt: Tilt | None = None) -> 'GroundPlane':
        """Return the plane by `alignment.camera_height`, and a tilt or else `camera_pitch`.

        Raises:
            CalibrationError: The height is not set.
        """
        if not alignment.camera_height > 0:
            raise CalibrationError(
                'alignment.camera_height is 0.0 m, which means not set',
                'set alignment.camera_height and alignment.camera_pitch, or have TF connect '
                'base_frame to the frame of the images',
            )
        tilt = tilt or Tilt(alignment.camera_pitch)
        return cls(tilt.down, alignment.camera_height, 'mount')

    def __str__(self) -> str:
        tilt = self.tilt
        return (
            f'by {self.origin}: {self.height_m:.3f} m below the camera, pitch '
            f'{tilt.pitch_rad:.3f} rad, roll {tilt.roll_rad:.3f} rad'
        )

    @property
    def tilt(self) -> Tilt:
        """Tilt of the camera against it."""
        return Tilt.of_down(self.down)

    @property
    def horizontal(self) -> tuple[Vector, Vector]:
        """Unit vectors in the optical frame along the plane: ahead of the camera, and left."""
        x, y, z = self.down
        # Ahead is the optical axis, or the top of the image where that looks down.
        axis = (0.0, 0.0, 1.0) if abs(z) < 0.9 else (0.0, -1.0, 0.0)
        along = axis[0] * x + axis[1] * y + axis[2] * z
        flat = [part - along * part_down for part, part_down in zip(axis, self.down, strict=True)]
        length = math.hypot(*flat)
        a, b, c = (part / length for part in flat)
        return (a, b, c), (b * z - c * y, c * x - a * z, a * y - b * x)


@dataclass(frozen=True)
class GroundFinder:
    """Asks where the ground is below a camera, and where the camera stands, if an output needs it.

    Attributes:
        plane: Returns the ground plane by TF or the mount, or raises why it is not known.
        pose: Returns the pose of the camera where the world stands still, None if it is not known.
    """

    plane: Callable[[], GroundPlane]
    pose: Callable[[], RigidTransform | None] = lambda: None


def across(direction: Vector, rays: torch.Tensor) -> torch.Tensor:
    """Return (H, W): (x, y, 1) of rays (2, H, W), each times a direction."""
    x, y, z = direction
    return (rays[0] * x).add_(rays[1], alpha=y).add_(z)
