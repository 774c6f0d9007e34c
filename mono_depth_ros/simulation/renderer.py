"""One picture of a scene with its exact depth."""

from dataclasses import dataclass

import torch

from ..core.camera.pinhole import PinholeCamera
from .pose import Pose
from .raycast import Hits, cast
from .scene import Scene
from .shading import shade
from .surfaces import Rays

MIDDLE_GRAY = 0.20
"""Linear level at which the mean log radiance of an automatically exposed image lands."""


@dataclass(frozen=True, eq=False)
class View:
    """What a perfect camera sees.

    Attributes:
        rgb: (H, W, 3) uint8, gamma 2.2.
        depth: (H, W) float32 [m] along optical +Z through the pixel centers, finite.
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
        supersample: Color of pixels that see several surfaces is the mean over this squared
            rays; textures are filtered anyway, and depth is always the pixel center's.
        exposure: `View.exposure` of another view that this one should match.

    Raises:
        ValueError: The camera stands outside every room, or `supersample` is below 1.
    """
    if supersample < 1:
        raise ValueError(f'supersample is {supersample}; it must be at least 1')
    hits = cast(scene, camera, pose)
    radiance = shade(scene, pose, Rays.through(camera, hits))
    if exposure is None:
        luminance = radiance[:, ::7].mean(0).clamp(min=1e-4)
        exposure = MIDDLE_GRAY / float(luminance.log().mean().exp())
    level = tone(radiance * exposure)
    if supersample > 1:
        chosen, rays = _edge_rays(scene, camera, pose, hits, supersample)
        fine = tone(shade(scene, pose, rays) * exposure)
        level[:, chosen] = fine.view(3, chosen.numel(), supersample**2).mean(2)
    rgb = (level * 255).round_().to(torch.uint8).T.reshape(*hits.depth.shape, 3)
    return View(rgb, hits.depth, exposure)


def _edge_rays(
    scene: Scene, camera: PinholeCamera, pose: Pose, hits: Hits, supersample: int
) -> tuple[torch.Tensor, Rays]:
    """Return the pixels (P,) that see more than one surface, and their P * s^2 finer rays."""
    height, width = hits.depth.shape
    s = supersample
    fine = camera.resized(width * s, height * s)
    rays = Rays.through(fine, cast(scene, fine, pose))
    other = rays.surface.view(height, s, width, s) != hits.surface[:, None, :, None]
    chosen = other.any(3).any(1).flatten().nonzero()[:, 0]
    row, column = chosen.div(width, rounding_mode='floor'), chosen % width
    corner = (row * s * width + column) * s
    step = torch.arange(s)
    within = (step[:, None] * width * s + step).flatten()
    return chosen, rays.take((corner[:, None] + within).flatten())


def tone(linear: torch.Tensor) -> torch.Tensor:
    """Return image levels 0..1: a shoulder that saturates slowly, then gamma 2.2."""
    level = (1 - (-1.2 * linear).exp_()).clamp_(1e-6, 1)
    return level.log_().mul_(1 / 2.2).exp_()
