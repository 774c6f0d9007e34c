"""The latest images: their predictions, and whether their stamps tell them apart."""

import torch

from ..network.predicted_frame import PredictedFrame
from ..stamped_buffer import StampedBuffer
from ..time_jumps import Stamp, StampMonitor

_MAX_BYTES = 128_000_000
_MAX_FRAMES = 64


class KeptImages:
    """Keeps the predictions of the latest images, since measurements of them arrive later."""

    def __init__(self) -> None:
        self._kept = StampedBuffer[PredictedFrame](_MAX_FRAMES, lambda it: it.nbytes, _MAX_BYTES)
        self._stamps = StampMonitor()
        self._repeated_ns: int | None = None

    @property
    def previous_ns(self) -> int:
        """See `StampMonitor`."""
        return self._stamps.previous_ns

    def take(self, stamp_ns: int, prediction: PredictedFrame) -> Stamp | None:
        """Keep the next image; return what its stamp [ns] means, None if it is kept already."""
        stamp: Stamp | None = self._stamps.take(stamp_ns)
        before = self._kept.get(stamp_ns)
        if before is not None and torch.equal(before.color, prediction.color):
            stamp = None
        else:
            self._repeated_ns = stamp_ns if stamp is Stamp.REPEATED else None
        if stamp is Stamp.JUMPED_BACK:
            self._kept.forget(stamp_ns)
        elif stamp is Stamp.RETURNED:
            self._kept.pop(self._stamps.previous_ns, None)
        self._kept.put(stamp_ns, prediction)
        return stamp

    def find(self, stamp_ns: int) -> PredictedFrame | None:
        """Return the prediction of the image of this stamp [ns], None if it is not kept."""
        return self._kept.get(stamp_ns)

    def indistinct(self, stamp_ns: int) -> str:
        """Return why a measurement of this stamp [ns] has no image, '' if it has one."""
        if stamp_ns != self._repeated_ns:
            return ''
        return (
            f'several images have the stamp {stamp_ns / 1e9:.9f} s, so that no measurement can '
            'tell them apart; have the camera driver stamp every image with its own time'
        )
