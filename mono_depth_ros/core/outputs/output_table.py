"""The registry of outputs: what a step can be asked for, and the function that makes each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from functools import cached_property, lru_cache
from typing import Any

import numpy.typing as npt
import torch

from ..camera.pinhole import PinholeCamera
from ..network.predicted_frame import PredictedFrame
from ..scale.uncertainty import Uncertainty
from .cloud import clearing_points, pack_cloud
from .colormap import paint_depth, paint_relative
from .output_settings import OutputSettings


class Output(Flag):
    """What a step may be asked for."""

    DEPTH = auto()
    UNCERTAINTY = auto()
    POINTS = auto()
    POINTS_CLEARING = auto()
    COLOR = auto()
    COLORMAP = auto()
    RELATIVE_INVERSE_DEPTH = auto()


CLOUDS = Output.POINTS | Output.POINTS_CLEARING
"""Outputs that need a camera and known depth, or else are not made at all."""


def clip_range(inverse_depth: torch.Tensor, nearest: float, farthest: float) -> torch.Tensor:
    """Return depth [m] of inverse depth [1/m]; NaN outside the range [m]."""
    depth = inverse_depth.reciprocal()
    return torch.where((depth >= nearest) & (depth <= farthest), depth, torch.nan)


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
        reason_unknown: Why `inverse_depth` is NaN everywhere: no scale; '' if there is one.
        uncertainty: Of `inverse_depth`.
    """

    prediction: PredictedFrame
    inverse_depth: torch.Tensor
    reason_unknown: str
    settings: OutputSettings
    uncertainty: Uncertainty

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
        return 0.0 if self.reason_unknown else float(self.depth.isfinite().float().mean())

    @property
    def health(self) -> tuple[str, float]:
        """Why no pixel's depth is known, '' if one is; and the share of those that are."""
        unknown = self.reason_unknown
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
        """Return the camera and its rays (2, H, W); None where no cloud can be made."""
        camera = self.prediction.camera
        if camera is None or self.known_share == 0:
            return None
        return camera, _rays(camera, self.inverse_depth.device)


def make_outputs(wanted: Output, frame: DepthFrame) -> dict[str, npt.NDArray[Any]]:
    """Return the wanted outputs as arrays by lower-case name; those that cannot be are missing."""
    made = {output: make(frame) for output, make in OUTPUTS.items() if output in wanted}
    return {
        output.name.lower(): tensor.contiguous().cpu().numpy()
        for output, tensor in made.items()
        if tensor is not None and output.name is not None
    }


def make_depth(frame: DepthFrame) -> torch.Tensor:
    """Return depth (H, W) [m], out of range as `depth_invalid` says."""
    if frame.settings.depth_invalid == 'nan':
        return frame.depth
    return mark_out_of_range(frame.depth, frame.inverse_depth, *frame.settings.depth_range)


def make_points(frame: DepthFrame) -> torch.Tensor | None:
    """Return the cloud, see `pack_cloud`."""
    view, cloud = frame.rays(), frame.settings.cloud
    color = frame.prediction.color if cloud.color else None
    deviation = frame.deviation if cloud.uncertainty else None
    return view and pack_cloud(frame.depth, view[1], color, cloud, deviation)


def make_points_clearing(frame: DepthFrame) -> torch.Tensor | None:
    """Return the ends of free rays, see `clearing_points`."""
    view = frame.rays()
    if view is None:
        return None
    camera, rays = view
    clearing, depth_range = frame.settings.clearing, frame.settings.depth_range
    far_below = clearing.far_inverse_depth if frame.prediction.is_relative else -math.inf
    return clearing_points(frame.inverse_depth, rays, camera, clearing, depth_range, far_below)


def make_colormap(frame: DepthFrame) -> torch.Tensor:
    """Return (H, W, 3) uint8 BGR of depth, or of relative inverse depth where depth is unknown."""
    if frame.reason_unknown:
        return paint_relative(frame.prediction.values)
    return paint_depth(frame.depth, frame.settings.colormap)


OUTPUTS: dict[Output, Callable[[DepthFrame], torch.Tensor | None]] = {
    Output.DEPTH: make_depth,
    Output.UNCERTAINTY: lambda frame: frame.deviation,
    Output.POINTS: make_points,
    Output.POINTS_CLEARING: make_points_clearing,
    Output.COLOR: lambda frame: frame.prediction.color,
    Output.COLORMAP: make_colormap,
    Output.RELATIVE_INVERSE_DEPTH: lambda frame: (
        frame.prediction.values if frame.prediction.is_relative else None
    ),
}
"""A new output is a member of `Output`, a function, a row here and a field of `Result`."""
_rays = lru_cache(maxsize=1)(PinholeCamera.rays)
