"""When a fit is made: before its image is published, or after, while another one does as well."""

from collections.abc import Callable, Mapping

import torch

from ..cpu_pixels import is_known, places
from ..network.predicted_frame import PredictedFrame
from ..types import AffineScale
from .alignment_filter import AlignmentFilter
from .depth_measurement import DepthMeasurement

_SAMPLES = 500
_CERTAIN = 0.02
"""Of the median pixel's depth, see `AlignmentState`. A fit that is less certain, as to one row of
a laser, has something to learn of every image: `Which fits wait` in
benchmarks/results/fusion.md."""
_WORSE, _WORSE_SLACK = 3.0, 0.02
"""How much farther off a fit may be from another image than from its own: what it is off, the
fusion corrects, but for 1 % of the error or so. Far more is left after a jump to another place.
Chosen on drives 70 to 73, and judged on others."""


class FitQueue:
    """Makes fits, at once or when nobody waits for the image any more.

    A fit takes as long as all the rest of what a measurement costs. Where the one in force
    explains what was measured of the next image, too, it serves that one, and the new fit serves
    those that follow.

    Args:
        alignment_filter: What fits.
        may_wait: Whether anybody calls `catch_up`; else all fits are made at once.
    """

    def __init__(self, alignment_filter: AlignmentFilter, *, may_wait: bool) -> None:
        self._filter = alignment_filter
        self._may_wait = may_wait
        self._deviations: dict[str, float] = {}
        self._waiting: Callable[[], None] | None = None

    def fit(
        self,
        stamp_ns: int,
        prediction: PredictedFrame,
        measured: Mapping[str, DepthMeasurement],
        depth_range: tuple[float, float],
    ) -> None:
        """Fit to measurements now; see `AlignmentFilter.observe`."""
        values, color = prediction.values, prediction.color
        self._filter.observe(stamp_ns, values, measured, depth_range, color)
        is_used = not self._filter.refusal and not self._filter.left_out
        is_compared = self._may_wait and is_used
        found = self._deviations_of(stamp_ns, prediction, measured) if is_compared else {}
        self._deviations = found

    def is_explained(
        self, stamp_ns: int, prediction: PredictedFrame, measured: Mapping[str, DepthMeasurement]
    ) -> bool:
        """Return whether the fit in force does for an image.

        It is certain; it used the same sources, all of them, and deviates from none of them by
        much more than it did then.
        """
        state = self._filter.state
        if not self._may_wait or measured.keys() != self._deviations.keys():
            return False
        if state is None or state.uncertainty > _CERTAIN:
            return False
        now = self._deviations_of(stamp_ns, prediction, measured)
        return now.keys() == measured.keys() and all(
            now[name] <= _WORSE * before + _WORSE_SLACK
            for name, before in self._deviations.items()
        )

    def put(self, fit: Callable[[], None]) -> None:
        """Have a fit wait for `catch_up`."""
        self._waiting = fit

    def catch_up(self) -> None:
        """Make the fit that waits, if one does."""
        fit, self._waiting = self._waiting, None
        if fit is not None:
            fit()

    def clear(self) -> None:
        """Forget what waits, and how well was fitted."""
        self._waiting, self._deviations = None, {}

    def _deviations_of(
        self, stamp_ns: int, prediction: PredictedFrame, measured: Mapping[str, DepthMeasurement]
    ) -> dict[str, float]:
        alignment, _ = self._filter.current(stamp_ns)
        if alignment is None:
            return {}
        values = prediction.values
        return {name: deviation(alignment, values, m) for name, m in measured.items()}


def deviation(
    alignment: AffineScale, prediction: torch.Tensor, measurement: DepthMeasurement
) -> float:
    """Return the median deviation of some measured pixels from a fit, relative to inverse depth.

    NaN if nothing was measured.

    Args:
        alignment: The fit.
        prediction: (H, W) float32.
        measurement: Of the same image, at any resolution, on the same device.
    """
    found = measurement.inverse_depth
    known = places(is_known(found).flatten())
    pixels = known[:: max(1, len(known) // _SAMPLES)]
    q = found.flatten()[pixels]
    v = pixels.div(found.shape[1], rounding_mode='floor')
    u = pixels - v * found.shape[1]
    rows, columns = (
        (place * length).div(of, rounding_mode='floor')
        for place, length, of in zip((v, u), prediction.shape, found.shape, strict=True)
    )
    aligned = alignment.inverse_depth(prediction[rows, columns])
    return float(((aligned - q) / q).abs().nanmedian())
