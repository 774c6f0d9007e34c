"""A stereo pair of cameras with the noise of real sensors, and the truth beside it."""

from dataclasses import dataclass

import torch

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import CalibrationError
from .pose import Pose
from .renderer import render
from .scene import Scene


@dataclass(frozen=True)
class SensorNoise:
    """How far an image is from a perfect one, in levels 0..1.

    Attributes:
        read: Standard deviation in the dark.
        shot: Standard deviation that a white pixel has on top; it grows with the root of level.
        gain: Relative standard deviation of each camera's gain.
        gamma: Standard deviation of each camera's extra gamma.
    """

    read: float = 0.006
    shot: float = 0.015
    gain: float = 0.02
    gamma: float = 0.02

    def apply(self, rgb: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the image (H, W, 3) uint8 as a real sensor would give it."""
        gain, gamma = (1 + s * _normal(generator) for s in (self.gain, self.gamma))
        level = (gain * (rgb.float() / 255) ** max(gamma, 0.5)).clamp(0, 1)
        deviation = (self.read**2 + self.shot**2 * level).sqrt()
        noisy = level + deviation * torch.randn(level.shape, generator=generator)
        return (255 * noisy).round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True, eq=False)
class StereoFrame:
    """What the rig delivers at one moment.

    Attributes:
        left: (H, W, 3) uint8 RGB.
        right: (H, W, 3) uint8 RGB.
        depth: (H, W) float32 [m], truth of the left image.
        disparity: (H, W) float32 [px], truth of the left image.
    """

    left: torch.Tensor
    right: torch.Tensor
    depth: torch.Tensor
    disparity: torch.Tensor


@dataclass(frozen=True)
class StereoRig:
    """Two equal, rectified cameras, the right one `baseline_m` along the left one's x axis."""

    camera: PinholeCamera
    baseline_m: float

    def __post_init__(self) -> None:
        if not 0 < self.baseline_m < 10:
            raise CalibrationError(
                f'baseline_m is {self.baseline_m} m; it must lie between 0 and 10 m'
            )

    def capture(
        self,
        scene: Scene,
        pose: Pose,
        seed: int = 0,
        noise: SensorNoise | None = None,
        supersample: int = 1,
    ) -> StereoFrame:
        """Return the pair seen from the left camera's pose.

        Args:
            scene: The world.
            pose: Of the left camera; the right one must stand inside a room too.
            seed: Of the noise.
            noise: None is `SensorNoise()`.
            supersample: As in `render`.
        """
        left = render(scene, self.camera, pose, supersample)
        right = render(scene, self.camera, pose.moved(self.baseline_m), supersample, left.exposure)
        sensor = noise or SensorNoise()
        generator = torch.Generator().manual_seed(seed)
        return StereoFrame(
            sensor.apply(left.rgb, generator),
            sensor.apply(right.rgb, generator),
            left.depth,
            self.camera.fx * self.baseline_m / left.depth,
        )


def _normal(generator: torch.Generator) -> float:
    return float(torch.randn((), generator=generator))
