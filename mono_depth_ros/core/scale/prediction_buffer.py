"""Predictions of the last frames, since measurements of a frame come later than the frame."""

from collections import OrderedDict
from dataclasses import dataclass

import torch

from ..camera.pinhole import PinholeCamera

_MAX_BYTES = 128_000_000
_MAX_FRAMES = 64


@dataclass(frozen=True, eq=False)
class CachedPrediction:
    """What is left of a frame.

    Attributes:
        prediction: (H, W) float32; relative inverse depth, or inverse depth of a metric network.
        image: (H, W, 3) uint8 RGB of the same size, rectified.
        camera: Of both, None if not known.
    """

    prediction: torch.Tensor
    image: torch.Tensor
    camera: PinholeCamera | None


class PredictionBuffer:
    """The last frames by stamp, as many as fit into a bounded memory."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, CachedPrediction] = OrderedDict()

    def keep(self, stamp_ns: int, seen: CachedPrediction) -> None:
        """Remember a frame in place of the ones kept longest."""
        self._seen[stamp_ns] = seen
        size = seen.prediction.nbytes + seen.image.nbytes
        while len(self._seen) > max(1, min(_MAX_FRAMES, _MAX_BYTES // size)):
            self._seen.popitem(last=False)

    def find(self, stamp_ns: int) -> CachedPrediction | None:
        """Return the frame of exactly this stamp [ns], None if it is gone or never was."""
        return self._seen.get(stamp_ns)

    def clear(self) -> None:
        """Forget all."""
        self._seen.clear()
