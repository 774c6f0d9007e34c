"""`Depth`: what one image shows, as `MonoDepth` returns it."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from .core.camera.pinhole import PinholeCamera
from .core.errors import CalibrationError
from .core.files.file_writers import write_ply
from .core.outputs.cloud import pack_color
from .core.types import AffineScale

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
T = TypeVar('T')


@dataclass(frozen=True, eq=False)
class Depth:
    """What one image shows, at its size (or that of `output_scale`).

    Attributes:
        depth: (H, W) float32 along the optical axis [m], NaN unknown; all NaN if not metric.
        relative_inverse_depth: (H, W) float32 without unit, larger = nearer; None for a metric
            network.
        reason_unknown: Why there are no meters and what to do about it, '' if there are.
        alignment: The scale and shift of inverse depth that were applied, if any were.
        rgb: (H, W, 3) uint8, the same pixels; rectified if that was asked for.
        camera: Intrinsics of all of them, None if not known.
        points: (N, 3) float32 [m], x right, y down, z forward; None without camera or meters.
        colors: (N, 3) uint8 RGB of the points; None without points or with `cloud.color` off.
        uncertainty: (H, W) float32, one standard deviation of depth [m], NaN unknown.
        left_out: Why something that was given, or the floor, was not used, by `alignment.source`.
    """

    depth: Floats
    relative_inverse_depth: Floats | None
    reason_unknown: str
    alignment: AffineScale | None
    rgb: Pixels
    camera: PinholeCamera | None
    points: Floats | None
    colors: Pixels | None
    uncertainty: Floats
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_metric(self) -> bool:
        """Whether depth is known."""
        return not self.reason_unknown

    @property
    def metres(self) -> Floats:
        """Deprecated alias of `depth`."""
        return self._deprecated('metres', 'depth', self.depth)

    @property
    def unknown(self) -> str:
        """Deprecated alias of `reason_unknown`."""
        return self._deprecated('unknown', 'reason_unknown', self.reason_unknown)

    @staticmethod
    def _deprecated(name: str, replacement: str, value: T) -> T:
        message = f'Depth.{name} is now Depth.{replacement} and goes with the next release'
        warnings.warn(message, DeprecationWarning, stacklevel=3)
        return value

    def write_ply(self, path: str | Path) -> None:
        """Write the points, with their colors, as binary PLY.

        Raises:
            CalibrationError: There are no points.
            OSError: The file cannot be written.
        """
        if self.points is None:
            why = self.reason_unknown or 'no camera is known: give camera or fov_deg'
            if self.is_metric and self.camera is not None:
                why = 'cloud.min_height and cloud.max_height need alignment.camera_height'
            raise CalibrationError(f'there are no points: {why}')
        columns = [self.points.reshape(-1, 3)]
        if self.colors is not None:
            packed = pack_color(torch.from_numpy(self.colors.reshape(-1, 3)))
            columns.append(packed.numpy()[:, None])
        write_ply(Path(path), np.concatenate(columns, axis=1))
