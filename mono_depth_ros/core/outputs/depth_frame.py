"""What the outputs of one frame are made of: depth, its range, and the ground in it."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import ge, le

import torch

from ..camera.pinhole import PinholeCamera
from ..cpu_pixels import compared, is_known, unknown_outside
from ..devices import Download, queue_download
from ..errors import MonoDepthError
from ..network.predicted_frame import PredictedFrame
from ..scale.frame_scale import FrameScale
from ..scale.uncertainty import Uncertainty
from .ground_fit import fit_ground
from .ground_plane import GroundFinder, GroundPlane
from .ground_segmentation import heights_above_ground, heights_above_plane
from .output_settings import OutputSettings
from .specks import SpeckFilter

_MAX_BELOW = 0.3
"""Share of the known pixels that may lie below the ground, if they are more than those on it."""


def clip_range(inverse_depth: torch.Tensor, nearest: float, farthest: float) -> torch.Tensor:
    """Return depth [m] of inverse depth [1/m]; NaN outside the range [m]."""
    depth = inverse_depth.reciprocal()
    is_within = compared(depth, ge, nearest).logical_and_(compared(depth, le, farthest))
    return unknown_outside(depth, is_within)


def mark_out_of_range(
    depth: torch.Tensor, inverse_depth: torch.Tensor, nearest: float, farthest: float
) -> torch.Tensor:
    """Return clipped depth [m] with the infinities of REP-117 where `clip_range` made it NaN.

    +Inf is farther than the range, as is inverse depth that is not positive; -Inf is nearer.
    Depth unknown for another reason, at edges or where a network saturates, stays NaN: +Inf would
    mean that no object is within range.
    """
    unclipped = inverse_depth.reciprocal()
    is_far = (inverse_depth <= 0) | (unclipped > farthest)
    marked = depth.masked_fill(depth.isnan() & is_far, torch.inf)
    return marked.masked_fill_((inverse_depth > 0) & (unclipped < nearest), -torch.inf)


@dataclass(frozen=True, eq=False)
class DepthFrame:
    """What outputs are made of, all at the size of the outputs.

    Attributes:
        inverse_depth: (H, W) float32 [1/m], NaN unknown, flying pixels among them.
        scale: Of the image; says why `inverse_depth` is NaN everywhere if it is.
        uncertainty: Of `inverse_depth`.
        ground: Where it is, and where the camera stands.
        specks: Drops them, by what stood in the image before.
    """

    prediction: PredictedFrame
    inverse_depth: torch.Tensor
    scale: FrameScale
    settings: OutputSettings
    uncertainty: Uncertainty
    ground: GroundFinder
    specks: SpeckFilter

    @cached_property
    def depth(self) -> torch.Tensor:
        """Depth (H, W) float32 [m] within the range of the settings, NaN unknown."""
        return clip_range(self.inverse_depth, *self.settings.depth_range)

    @cached_property
    def deviation(self) -> torch.Tensor:
        """One standard deviation of depth (H, W) float32 [m], NaN where depth is unknown."""
        return self.depth * self.uncertainty.share

    @cached_property
    def known_share(self) -> float:
        """Share of pixels with known depth, 0..1."""
        if self.scale.reason_unknown:
            return 0.0
        return int(self.known_count.arrays()['known']) / self.depth.numel()

    @cached_property
    def known_count(self) -> Download[str]:
        """Number of pixels with known depth, on its way from the device."""
        return queue_download({'known': is_known(self.depth).count_nonzero()})

    @property
    def health(self) -> tuple[str, float]:
        """Why no pixel's depth is known, '' if one is; and the share of those that are."""
        unknown = self.scale.reason_unknown
        if not unknown and self.known_share == 0:
            unknown = self._reason_none_known()
        return unknown, self.known_share

    def _reason_none_known(self) -> str:
        if not bool(self.prediction.values.isfinite().any()):
            return (
                'no pixel is known: the mask excludes all of them, or the network sees nothing '
                'nearer than its maximum; check mask, max_depth and the lens'
            )
        q = self.inverse_depth[self.inverse_depth > 0]
        if not q.numel():
            return 'no pixel is known: every inverse depth is 0 or less; check scale and shift'
        depth_m, (near, far) = 1 / float(q.median()), self.settings.depth_range
        if near <= depth_m <= far:
            return (
                'no pixel is known: the edge filter or uncertainty_limit removes all of them; see '
                'edge_filter and uncertainty_limit'
            )
        found = f'no pixel is known: the computed depth lies at {depth_m:.3g} m'
        if depth_m > far:
            return (
                f'{found}, beyond max_depth {far} m; raise max_depth if that depth is right, or '
                'check scale, shift or depth_scale'
            )
        return (
            f'{found}, nearer than min_depth {near} m; check scale, shift or depth_scale, and '
            'whether something covers the lens'
        )

    def rays(self) -> tuple[PinholeCamera, torch.Tensor] | None:
        """Return the camera and its rays (2, H, W); None where no cloud can be made.

        Whether any pixel is known at all is not asked: a GPU would have to be waited for.
        """
        camera = self.prediction.camera
        if camera is None or self.scale.reason_unknown:
            return None
        return camera, _rays(camera, self.inverse_depth.device)

    @cached_property
    def base_plane(self) -> tuple[GroundPlane | None, str]:
        """The ground plane by TF or the mount; or None and why it is not known."""
        try:
            return self.ground.plane(), ''
        except MonoDepthError as error:
            return None, str(error)

    @cached_property
    def ground_plane(self) -> tuple[GroundPlane | None, str]:
        """The ground plane, fitted to the depth if `plane_from` says so; or None and why."""
        origin, reason = self.settings.ground.plane_from, ''
        if origin != 'depth':
            plane, reason = self.base_plane
            if plane is not None or origin != 'auto':
                return plane, reason
        camera = self.prediction.camera
        assert camera is not None
        try:
            return fit_ground(self.depth, camera), ''
        except MonoDepthError as error:
            return None, f'{reason}. And {error}' if reason else str(error)

    @cached_property
    def _height_above_ground(self) -> tuple[torch.Tensor | None, str]:
        """The heights, or None and why; both empty where no cloud can be made at all."""
        camera = self.prediction.camera
        if camera is None or self.known_share == 0:
            return None, ''
        plane, reason = self.ground_plane
        if plane is None:
            return None, reason
        settings = self.settings.ground
        height = heights_above_ground(self.depth, camera, plane, settings)
        known = self.known_share * height.numel()
        below = int((height < -settings.tolerance).sum())
        on_it = int((height.abs() <= settings.tolerance).sum())
        if below > max(on_it, _MAX_BELOW * known):
            return None, (
                f'{below / known:.0%} of the known pixels lie below the ground plane by '
                f'{plane.origin}, {plane.height_m:.2f} m below the camera, and '
                f'{on_it / known:.0%} on it; base_frame or alignment.camera_height is wrong, or '
                'the pitch, or the floor ends here'
            )
        return height, ''

    @property
    def height_above_ground(self) -> torch.Tensor | None:
        """(H, W) float32 [m], NaN where depth is unknown; None without a ground plane."""
        return self._height_above_ground[0]

    @cached_property
    def cloud_depth(self) -> torch.Tensor | None:
        """Depth (H, W) [m] within the height gate; None if that is set and no plane is known."""
        cloud, depth = self.settings.cloud, self.depth
        if not cloud.has_height_gate:
            return depth
        (plane, _), camera = self.base_plane, self.prediction.camera
        if plane is None or camera is None:
            return None
        height = heights_above_plane(depth, camera, plane)
        outside = (height < cloud.min_height) | (height > cloud.max_height)
        return depth.masked_fill(outside, torch.nan)

    def ground_used(self, is_gated: bool, is_segmented: bool) -> tuple[GroundPlane | None, str]:
        """Return the plane that clouds were cut by, and why clouds are missing for want of it.

        Asked for are clouds that the height gate cuts, if it is set, and ground and obstacles.
        """
        is_gated &= self.settings.cloud.has_height_gate
        if self.prediction.camera is None or self.known_share == 0:
            return None, ''
        if is_gated and self.base_plane[1]:
            return None, (
                'no cloud: cloud.min_height and cloud.max_height count from the ground plane, and '
                f'{self.base_plane[1]}'
            )
        if is_segmented:
            reason = self._height_above_ground[1]
            reason = f'no points_ground and points_nonground: {reason}' if reason else ''
            return self.ground_plane[0], reason
        return (self.base_plane[0] if is_gated else None), ''


_rays = lru_cache(maxsize=1)(PinholeCamera.rays)
