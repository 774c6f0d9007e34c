"""Specks: what stands above the ground in few points, or in one image only."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..camera.pinhole import PinholeCamera
from ..camera.rigid_transform import RigidTransform
from ..cpu_pixels import places
from .ground_plane import GroundPlane
from .ground_segmentation import ground_view
from .output_settings import GroundSettings

_CELL_M = 0.05
"""Of Nav2's usual local costmap."""
_SIDE = 512
"""Cells along a side of the square around the camera; those at its border hold what is farther."""

_NEAR_M = 0.5
"""So far what stood in the image before may have moved, or be off: a twelfth of six meters."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class SpeckFilter:
    """Drops specks from what is above the ground; it remembers what stood in the image before."""

    def __init__(self) -> None:
        self._before: _Standing | None = None

    def without_specks(
        self,
        depth: torch.Tensor,
        is_above: torch.Tensor,
        camera: PinholeCamera,
        plane: GroundPlane,
        pose: RigidTransform | None,
        settings: GroundSettings,
    ) -> torch.Tensor:
        """Return depth (H, W) [m] of what is above the ground, NaN elsewhere and at specks.

        Specks are the pixels in whose 5 cm cell of the ground plane fewer than `min_cell_points`
        stand, at whatever height. Then, specks are clusters of at most `max_new_cells` cells with
        no more than two empty ones between them, if nothing stood within `_NEAR_M` in the image
        before, between whose left and right border they lie: what is new and small comes one
        image late, unless it moves farther from image to image. Where `pose` does not tell how
        the camera moved, all of these stay. docs/nav2.md has the measurements.

        Args:
            depth: (H, W) float32 [m], NaN unknown.
            is_above: (H, W) bool.
            camera: Of that size.
            plane: Of the ground.
            pose: Of the camera where the world stands still, None if it is not known.
            settings: Say what specks are; 0 keeps them.
        """
        above = torch.where(is_above, depth, torch.nan)
        if settings.min_cell_points <= 1 and not settings.max_new_cells:
            self._before = None
            return above
        pixels = places(is_above.flatten())
        cell = _cells(depth.flatten().index_select(0, pixels), pixels, camera, plane)
        count = cell.bincount(minlength=_SIDE * _SIDE)
        is_speck = count < settings.min_cell_points
        if settings.max_new_cells:
            filled = ((count > 0) & ~is_speck).view(_SIDE, _SIDE).cpu().numpy()
            now = None if pose is None else _Standing.of(filled, camera, plane, pose)
            new = self._new_clusters(filled, now, settings.max_new_cells)
            is_speck |= torch.from_numpy(new.ravel()).to(cell.device)
        above.view(-1)[pixels[is_speck.index_select(0, cell)]] = torch.nan
        return above

    def _new_clusters(self, filled: Flags, now: '_Standing | None', most: int) -> Flags:
        """Return which cells belong to small clusters that are new; remember the cells."""
        before, self._before = self._before, now
        if before is None or now is None:
            return np.zeros_like(filled)
        known = _widened(before.places_in(now), round(_NEAR_M / _CELL_M)) > 0
        known[filled] |= ~now.is_seen_by(before)
        known[[0, -1]] = known[:, [0, -1]] = True  # of whatever is farther
        # Far away a surface does not fill every cell.
        clusters, label = cv2.connectedComponents(_widened(filled, 1))
        is_new = np.bincount(label[filled], minlength=clusters) <= most
        is_new[label[known & filled]] = False
        new: Flags = is_new[label] & filled
        return new


@dataclass(frozen=True, eq=False)
class _Standing:
    """What stood above the ground in an image.

    Attributes:
        points: (N, 3) [m], the middles of the filled cells, in the frame of the image.
        camera: Its intrinsics.
        plane: The ground below it.
        pose: Of the camera where the world stands still.
    """

    points: Floats
    camera: PinholeCamera
    plane: GroundPlane
    pose: RigidTransform

    @classmethod
    def of(
        cls, filled: Flags, camera: PinholeCamera, plane: GroundPlane, pose: RigidTransform
    ) -> '_Standing':
        """Return that of cells (side, side)."""
        along = (np.argwhere(filled) + 0.5 - _SIDE / 2) * _CELL_M
        axes = np.array(plane.horizontal)
        points = along @ axes + plane.height_m * np.array(plane.down)
        return cls(points, camera, plane, pose)

    def places_in(self, other: '_Standing') -> Flags:
        """Return which cells of another image's (side, side) they are."""
        along = self._points_for(other) @ np.array(other.plane.horizontal).T
        cells = np.floor(along / _CELL_M + _SIDE / 2).astype(np.int64)
        inside = ((cells >= 0) & (cells < _SIDE)).all(axis=1)
        filled = np.zeros((_SIDE, _SIDE), np.bool_)
        filled[tuple(cells[inside].T)] = True
        return filled

    def is_seen_by(self, other: '_Standing') -> Flags:
        """Return (N,): which lie between the left and the right border of another image."""
        x, _, z = self._points_for(other).T
        u = other.camera.fx * x + other.camera.cx * z
        seen: Flags = (z > 0) & (u >= 0) & (u < other.camera.width * z)
        return seen

    def _points_for(self, other: '_Standing') -> Floats:
        return (other.pose.inverse() @ self.pose).apply(self.points)


def _widened(filled: Flags, by: int) -> npt.NDArray[np.uint8]:
    """Return cells (side, side) with so many around them, 1 or 0."""
    around = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return np.asarray(cv2.dilate(filled.astype(np.uint8), around))


def _cells(
    depth: torch.Tensor, pixels: torch.Tensor, camera: PinholeCamera, plane: GroundPlane
) -> torch.Tensor:
    """Return (N,) int32: the cell of each of some pixels (N,) int64 of depth (N,) [m]."""
    view = ground_view(camera, plane.down, depth.device)
    z = depth / _CELL_M
    # index_select is several times as fast as a mask.
    ahead, left = (
        axis.flatten().index_select(0, pixels).mul_(z).add_(_SIDE / 2).clamp_(0, _SIDE - 1)
        for axis in view.along
    )
    return ahead.floor_().mul_(_SIDE).add_(left.floor_()).to(torch.int32)
