"""The registry of outputs: what a step can be asked for, and the function that makes each."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from enum import Flag, auto
from typing import Any

import torch

from ..devices import Download, queue_download
from .cloud import clearing_points, cut_to_height, pack_cloud
from .colormap import paint_depth, paint_relative
from .depth_frame import DepthFrame, mark_out_of_range
from .output_settings import CloudSettings


class Output(Flag):
    """What a step may be asked for."""

    DEPTH = auto()
    UNCERTAINTY = auto()
    POINTS = auto()
    POINTS_CLEARING = auto()
    POINTS_GROUND = auto()
    POINTS_NONGROUND = auto()
    COLOR = auto()
    COLORMAP = auto()
    RELATIVE_INVERSE_DEPTH = auto()


SEGMENTS = Output.POINTS_GROUND | Output.POINTS_NONGROUND
"""Clouds that need the ground plane."""
CLOUDS = Output.POINTS | Output.POINTS_CLEARING | SEGMENTS
"""Outputs that need a camera and known depth, or else are not made at all."""


@dataclass(frozen=True, eq=False)
class QueuedOutputs:
    """Outputs on their way from the device, by lower-case name."""

    _download: Download[str]
    _wanted: Output
    _frame: DepthFrame

    def arrive(self) -> Generator[Download[str], None, dict[str, Any]]:
        """Return the outputs as arrays, as `Download.arrive`; those that cannot be are missing.

        With them `ground_plane`, what clouds were cut by, and `reason_withheld`, why they are
        missing for want of it.
        """
        arrays = yield from self._download.arrive()
        wanted, frame = self._wanted, self._frame
        if wanted & CLOUDS and frame.known_share == 0:
            kept = (name for name in arrays if Output[name.upper()] not in CLOUDS)
            arrays = {name: arrays[name] for name in kept}
        is_gated, is_segmented = wanted & CLOUDS & ~Output.POINTS_GROUND, wanted & SEGMENTS
        plane, reason = frame.ground_used(bool(is_gated), bool(is_segmented))
        return arrays | {'ground_plane': plane, 'reason_withheld': reason}


def queue_outputs(wanted: Output, frame: DepthFrame) -> QueuedOutputs:
    """Make the wanted outputs, and ask for what they come to."""
    made = {str(output.name): make(frame) for output, make in OUTPUTS.items() if output in wanted}
    if not frame.scale.reason_unknown:
        _ = frame.known_count  # Asked for later, it would come after a GPU's next frame.
    download = queue_download({name.lower(): it for name, it in made.items() if it is not None})
    return QueuedOutputs(download, wanted, frame)


def make_depth(frame: DepthFrame) -> torch.Tensor:
    """Return depth (H, W) [m], out of range as `depth_invalid` says."""
    if frame.settings.depth_invalid == 'nan':
        return frame.depth
    return mark_out_of_range(frame.depth, frame.inverse_depth, *frame.settings.depth_range)


def make_points(frame: DepthFrame) -> torch.Tensor | None:
    """Return the cloud, see `pack_cloud`."""
    return _packed(frame, frame.cloud_depth, frame.settings.cloud)


def make_points_ground(frame: DepthFrame) -> torch.Tensor | None:
    """Return the points of the ground, those outside the height gate among them."""
    height = frame.height_above_ground
    if height is None:
        return None
    is_ground = height.abs() <= frame.settings.ground.tolerance
    return _packed(frame, torch.where(is_ground, frame.depth, torch.nan), _dense(frame))


def make_points_nonground(frame: DepthFrame) -> torch.Tensor | None:
    """Return the points that stand on the ground or hang over it; what is lower is in no cloud.

    Consumers take a point for an obstacle by its height above the ground, so that one below it
    would tell them that the place is free.
    """
    height, depth, camera = frame.height_above_ground, frame.cloud_depth, frame.prediction.camera
    if height is None or depth is None or camera is None:
        return None
    plane, settings = frame.ground_plane[0], frame.settings.ground
    assert plane is not None, 'heights are counted from it'
    is_above = (height > settings.tolerance) & depth.isfinite()
    pose = frame.ground.pose() if settings.max_new_cells else None
    kept = frame.specks.without_specks(depth, is_above, camera, plane, pose, settings)
    return _packed(frame, kept, _dense(frame))


def make_points_clearing(frame: DepthFrame) -> torch.Tensor | None:
    """Return the ends of free rays, see `clearing_points`, below the height gate's upper limit."""
    view, cloud = frame.rays(), frame.settings.cloud
    if view is None:
        return None
    camera, rays = view
    clearing, depth_range = frame.settings.clearing, frame.settings.depth_range
    far_below = clearing.far_inverse_depth if frame.prediction.kind.is_relative else -math.inf
    ends = clearing_points(frame.inverse_depth, rays, camera, clearing, depth_range, far_below)
    if not cloud.has_height_gate:
        return ends
    plane, _ = frame.base_plane
    return None if plane is None else cut_to_height(ends, plane, cloud.max_height)


def _packed(
    frame: DepthFrame, depth: torch.Tensor | None, settings: CloudSettings
) -> torch.Tensor | None:
    view = frame.rays()
    if view is None or depth is None:
        return None
    color = frame.prediction.color if settings.color else None
    deviation = frame.deviation if settings.uncertainty else None
    return pack_cloud(depth, view[1], color, settings, deviation)


def _dense(frame: DepthFrame) -> CloudSettings:
    """Return the settings of a cloud without NaN, which consumers of these do not look for."""
    return replace(frame.settings.cloud, organized=False)


def make_colormap(frame: DepthFrame) -> torch.Tensor:
    """Return (H, W, 3) uint8 BGR of depth, or of relative inverse depth where depth is unknown."""
    if frame.scale.reason_unknown:
        relative = frame.prediction.relative_inverse_depth
        return paint_relative(frame.prediction.values if relative is None else relative)
    return paint_depth(frame.depth, frame.settings.colormap)


OUTPUTS: dict[Output, Callable[[DepthFrame], torch.Tensor | None]] = {
    Output.DEPTH: make_depth,
    Output.UNCERTAINTY: lambda frame: frame.deviation,
    Output.POINTS: make_points,
    Output.POINTS_CLEARING: make_points_clearing,
    Output.POINTS_GROUND: make_points_ground,
    Output.POINTS_NONGROUND: make_points_nonground,
    Output.COLOR: lambda frame: frame.prediction.color,
    Output.COLORMAP: make_colormap,
    Output.RELATIVE_INVERSE_DEPTH: lambda frame: frame.prediction.relative_inverse_depth,
}
"""A new output is a member of `Output`, a function, a row here and a field of `Result`."""
