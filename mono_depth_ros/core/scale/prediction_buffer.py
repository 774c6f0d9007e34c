"""Predictions of the last images, because measurements of an image arrive after it."""

from collections import OrderedDict
from dataclasses import dataclass

import torch

from ..camera.pinhole import PinholeCamera

_MAX_BYTES = 128_000_000
_MAX_FRAMES = 64


@dataclass(frozen=True, eq=False)
class CachedPrediction:
    """What a measurement is fitted to.

    Attributes:
        prediction: (H, W) float32; relative inverse depth, or inverse depth of a metric network.
        image: (H, W, 3) uint8 RGB of the same size, rectified.
        camera: Of both, None if unknown.
    """

    prediction: torch.Tensor
    image: torch.Tensor
    camera: PinholeCamera | None


class PredictionBuffer:
    """The last predictions by stamp, within a bound on memory."""

    def __init__(self) -> None:
        self._cached: OrderedDict[int, CachedPrediction] = OrderedDict()

    def put(self, stamp_ns: int, cached: CachedPrediction) -> None:
        """Keep a prediction in place of the ones kept longest."""
        self._cached[stamp_ns] = cached
        size = cached.prediction.nbytes + cached.image.nbytes
        while len(self._cached) > max(1, min(_MAX_FRAMES, _MAX_BYTES // size)):
            self._cached.popitem(last=False)

    def find(self, stamp_ns: int) -> CachedPrediction | None:
        """Return the prediction of exactly this stamp [ns], None if it is not there (any more)."""
        return self._cached.get(stamp_ns)

    def clear(self) -> None:
        """Drop all predictions."""
        self._cached.clear()
