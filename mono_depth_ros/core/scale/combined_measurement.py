"""What several sources measured of one image, as one measurement."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from .depth_measurement import DepthMeasurement, Where


@dataclass(frozen=True, eq=False)
class CombinedMeasurement(DepthMeasurement):
    """Of each pixel what the source says that is most certain there.

    Attributes:
        parts: The measurements of the sources.
        part: (h, w) uint8, index of the one that each pixel is of.
    """

    parts: tuple[DepthMeasurement, ...] = ()
    part: torch.Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.uint8))

    def variance(self, inverse_depth: torch.Tensor, where: Where = None) -> torch.Tensor:
        """Return the variance [1/m^2] by the source of each pixel; see `DepthMeasurement`."""
        part = self._part_at(where).view(inverse_depth.shape)
        found = self.parts[0].variance(inverse_depth)
        for k, of_source in enumerate(self.parts[1:], 1):
            found = torch.where(part == k, of_source.variance(inverse_depth), found)
        return found

    def matched(self, where: Where = None) -> torch.Tensor:
        """Return (N,) bool: which pixels were matched; see `DepthMeasurement`."""
        matched = torch.tensor([part.is_matched for part in self.parts], device=self.part.device)
        return matched[self._part_at(where).int()]

    def _part_at(self, where: Where) -> torch.Tensor:
        return self.part.flatten()[slice(None) if where is None else where]


def combined(measurements: Sequence[DepthMeasurement], size: tuple[int, int]) -> DepthMeasurement:
    """Return all measurements of an image as one: a single one as it is, several at a size.

    Where several sources measured a pixel, the one with the least deviation as a share of depth
    counts: they may see two surfaces, of which the mean is none.

    Args:
        measurements: Of one image, on one device, at any resolution; at least one.
        size: (height, width) of the pixels [px].
    """
    first, *others = measurements
    if not others:
        return first
    inverse_depth = placed(first.inverse_depth, size).clone()
    deviation = _relative_variance(first, inverse_depth).nan_to_num_(torch.inf)
    part = torch.zeros(size, dtype=torch.uint8, device=inverse_depth.device)
    for k, measurement in enumerate(others, 1):
        value = placed(measurement.inverse_depth, size)
        its_own = _relative_variance(measurement, value)
        is_better = its_own < deviation  # NaN is not
        inverse_depth = torch.where(is_better, value, inverse_depth)
        deviation = torch.where(is_better, its_own, deviation)
        part.masked_fill_(is_better, k)
    origin = ' and '.join(measurement.origin for measurement in measurements)
    return CombinedMeasurement(inverse_depth, 0.0, origin, parts=tuple(measurements), part=part)


def _relative_variance(measurement: DepthMeasurement, inverse_depth: torch.Tensor) -> torch.Tensor:
    return measurement.variance(inverse_depth) / inverse_depth.square()


def placed(measured: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return the measurement at the pixels (H, W) that it was made of, NaN at others."""
    height, width = measured.shape
    if (height, width) == size:
        return measured
    if 2 * height >= size[0]:
        return F.interpolate(measured[None, None], size, mode='nearest-exact')[0, 0]
    v, u = measured.isfinite().nonzero().unbind(1)
    found = torch.full(size, torch.nan, device=measured.device)
    rows, columns = (v + 0.5) / height * size[0], (u + 0.5) / width * size[1]
    found[rows.long(), columns.long()] = measured[v, u]
    return found
