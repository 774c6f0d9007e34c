"""Time that a device spends on work, measured without blocking the caller."""

import time
from typing import Any

import torch


class Stopwatch:
    """Measures one interval at a time with the clock of the device.

    A GPU is asynchronous: it still works when the call that queued the work has returned.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._began: Any = None
        self._ended: Any = None

    def start(self) -> None:
        """Start an interval."""
        self._began, self._ended = self._now(), None

    def stop(self) -> None:
        """End the interval."""
        self._ended = self._now()

    def take(self) -> float | None:
        """Return the seconds between the latest `start` and `stop`; None if taken already.

        Waits for the device, so it is best asked after its results were downloaded.
        """
        began, ended, self._ended = self._began, self._ended, None
        if ended is None:
            return None
        if self._device.type == 'cpu':
            return float(ended - began)
        ended.synchronize()
        return float(began.elapsed_time(ended)) / 1e3

    def _now(self) -> Any:
        """Return the time of a CPU [s], or an event that the device reaches after its work."""
        if self._device.type == 'cpu':
            return time.perf_counter()
        if self._device.type == 'mps':
            event = torch.mps.event.Event(enable_timing=True)
            event.record()
            return event
        # The default stream would be that of the first GPU.
        stream = torch.cuda.current_stream(self._device)
        return stream.record_event(torch.cuda.Event(enable_timing=True))  # type: ignore[no-untyped-call]
