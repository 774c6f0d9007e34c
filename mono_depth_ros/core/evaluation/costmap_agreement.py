"""The costmap that a robot makes of its depth, against that of the truth."""

from typing import NamedTuple

import numpy as np
import torch

from ..outputs.cloud import clearing_points
from ..outputs.ground_segmentation import heights_above_ground
from ..outputs.output_settings import ClearingSettings, GroundSettings
from .costmap import NEAR_M, Cells, CostmapSettings, VoxelLayer, near_cells
from .metrics import require_same_shape, truth_mask
from .posed_camera import PosedCamera


class CostmapAgreement(NamedTuple):
    """Lethal cells against the truth.

    Attributes:
        precision: Share of the lethal cells within 0.1 m of a true surface, None without any.
        recall: Share of the true cells within 0.1 m of a lethal one, None without any.
    """

    precision: float | None
    recall: float | None
    lethal: int
    true: int


class CostmapComparison:
    """A costmap, marked and cleared frame by frame, and what it should show.

    True surfaces are the cells of all true points within the heights of obstacles. True cells,
    which should be lethal, are those that the true points mark, if nothing is ever cleared.

    The map holds what is marked or cleared from the cameras.
    """

    def __init__(
        self, cameras: list[PosedCamera], settings: CostmapSettings = CostmapSettings()
    ) -> None:
        places = torch.stack([camera.position[:2] for camera in cameras])
        reach = max(settings.obstacle_max_range, settings.raytrace_max_range) + 2 * NEAR_M
        x_low, y_low = (places.amin(0) - reach).tolist()
        x_high, y_high = (places.amax(0) + reach).tolist()
        self.layer = VoxelLayer(settings, (x_low, y_low), (x_high, y_high))
        self._truth = VoxelLayer(settings, (x_low, y_low), (x_high, y_high))
        self._surface = np.zeros_like(self._truth.lethal)

    def add(
        self,
        points: torch.Tensor,
        points_clearing: torch.Tensor,
        true_depth: torch.Tensor,
        camera: PosedCamera,
    ) -> None:
        """Clear and mark by a frame.

        `points` (N, 3) mark, rays to `points_clearing` (M, 3) clear; both are finite, in the
        optical frame [m]. `true_depth` (H, W) [m] is unknown where not finite or not positive.
        """
        origin = camera.position.numpy()
        self.layer.clear(camera.in_map(points_clearing).numpy(), origin)
        self.layer.mark(camera.in_map(points).numpy(), origin)
        true_points = camera.map_points(true_depth)[truth_mask(true_depth)].numpy()
        self._truth.mark(true_points, origin)
        self._surface |= self._truth.cells_of(true_points[self._truth.is_obstacle(true_points)])

    def add_depth(
        self,
        depth: torch.Tensor,
        truth: torch.Tensor,
        camera: PosedCamera,
        valid: torch.Tensor | None = None,
    ) -> None:
        """Clear and mark by a depth image, as the two clouds of the node do.

        Arguments and errors as for `obstacle_recall`.
        """
        require_same_shape(depth, truth)
        counted = truth_mask(truth, valid)
        known = truth_mask(depth, counted)
        pinhole = camera.pinhole.resized(depth.shape[1], depth.shape[0])
        rays, z = pinhole.rays(), depth.float().masked_fill(~known, torch.nan)
        ends = clearing_points(
            z.reciprocal(), rays, pinhole, ClearingSettings(), (0.0, torch.inf), -torch.inf
        )
        marking = known
        if self.layer.settings.marks == 'points_nonground':
            ground = GroundSettings()
            height = heights_above_ground(z, pinhole, camera.ground_plane, ground)
            marking = height > ground.tolerance
        points = torch.stack((rays[0] * z, rays[1] * z, z), dim=-1)[marking]
        self.add(points, ends, truth.masked_fill(~counted, torch.nan), camera)

    def agreement(self) -> CostmapAgreement:
        """Return how well the lethal cells agree with the truth by now."""
        lethal, true = self.layer.lethal, self._truth.lethal
        resolution = self.layer.settings.resolution
        return CostmapAgreement(
            _share(near_cells(self._surface, resolution), lethal),
            _share(near_cells(lethal, resolution), true),
            int(lethal.sum()),
            int(true.sum()),
        )


def costmap_agreement(
    depth: torch.Tensor,
    truth: torch.Tensor,
    camera: PosedCamera,
    valid: torch.Tensor | None = None,
    settings: CostmapSettings = CostmapSettings(),
) -> CostmapAgreement:
    """Return how well a costmap that has seen one frame agrees with the truth.

    Arguments as for `CostmapComparison.add_depth`. The map was empty before, so that clearing has
    no effect.
    """
    comparison = CostmapComparison([camera], settings)
    comparison.add_depth(depth, truth, camera, valid)
    return comparison.agreement()


def _share(right: Cells, of: Cells) -> float | None:
    return float(right[of].mean()) if of.any() else None
