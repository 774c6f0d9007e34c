"""One picture of a scene with its exact depth."""

from dataclasses import dataclass

import torch

from ..core.camera import PinholeCamera
from .pose import Pose
from .raycast import cast
from .scene import Scene
from .shading import shade

MIDDLE_GREY = 0.20
"""Linear level at which the mean log radiance of an automatically exposed image lands."""


@dataclass(frozen=True, eq=False)
class View:
    """What a perfect camera sees.

    Attributes:
        rgb: (H, W, 3) uint8, gamma 2.2.
        depth: (H, W) float32 [m] along optical +Z through the pixel centres, finite.
        exposure: The factor from radiance to linear image level.
    """

    rgb: torch.Tensor
    depth: torch.Tensor
    exposure: float


def render(
    scene: Scene,
    camera: PinholeCamera,
    pose: Pose,
    supersample: int = 1,
    exposure: float | None = None,
) -> View:
    """Return the view of a camera; `exposure` None exposes automatically.

    Args:
        scene: The world.
        camera: Intrinsics of the image.
        pose: Where the camera is; it must stand inside a room.
        supersample: Colour is the mean over this squared rays per pixel; depth is not touched.
        exposure: `View.exposure` of another view that this one should match.

    Raises:
        ValueError: The camera stands outside every room, or `supersample` is below 1.
    """
    if supersample < 1:
        raise ValueError(f'supersample is {supersample}; it must be at least 1')
    hits = cast(scene, camera, pose)
    depth = hits.depth
    if supersample > 1:
        camera = camera.resized(camera.width * supersample, camera.height * supersample)
        hits = cast(scene, camera, pose)
    radiance = shade(scene, camera, pose, hits)
    if exposure is None:
        luminance = radiance[::4, ::4].mean(-1).clamp(min=1e-4)
        exposure = MIDDLE_GREY / float(luminance.log().mean().exp())
    level = tone(radiance.mul_(exposure))
    if supersample > 1:
        small = level.view(*depth.shape[:1], supersample, depth.shape[1], supersample, 3)
        level = small.mean((1, 3))
    return View((level * 255).round_().to(torch.uint8), depth, exposure)


def tone(linear: torch.Tensor) -> torch.Tensor:
    """Return image levels 0..1: a shoulder that saturates slowly, then gamma 2.2."""
    return (1 - (-1.2 * linear).exp()).clamp_(0, 1).pow_(1 / 2.2)
