"""Predictions of the last images, because measurements of an image arrive after it."""

from collections import OrderedDict

from ..network.prediction import Prediction

_MAX_BYTES = 128_000_000
_MAX_FRAMES = 64


class PredictionBuffer:
    """The last predictions by stamp, within a bound on memory."""

    def __init__(self) -> None:
        self._cached: OrderedDict[int, Prediction] = OrderedDict()

    def put(self, stamp_ns: int, prediction: Prediction) -> None:
        """Keep a prediction in place of the ones kept longest."""
        self._cached[stamp_ns] = prediction
        size = prediction.values.nbytes + prediction.color.nbytes
        while len(self._cached) > max(1, min(_MAX_FRAMES, _MAX_BYTES // size)):
            self._cached.popitem(last=False)

    def find(self, stamp_ns: int) -> Prediction | None:
        """Return the prediction of exactly this stamp [ns], None if it is not there (any more)."""
        return self._cached.get(stamp_ns)

    def discard(self, stamp_ns: int) -> None:
        """Drop the prediction of this stamp [ns], if there is one."""
        self._cached.pop(stamp_ns, None)

    def clear(self, after_ns: int = -1) -> None:
        """Drop all predictions later than a stamp [ns]."""
        for stamp_ns in [ns for ns in self._cached if ns > after_ns]:
            del self._cached[stamp_ns]
