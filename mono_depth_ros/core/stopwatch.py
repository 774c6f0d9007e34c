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
        self._began, self._ended = self._moment(), self._moment()
        self._is_read = True

    def start(self) -> None:
        """Start an interval."""
        self._is_read = True
        self._began = self._record(self._began)

    def stop(self) -> None:
        """End the interval."""
        self._ended = self._record(self._ended)
        self._is_read = False

    def take(self) -> float | None:
        """Return the seconds between the latest `start` and `stop`; None if taken already.

        Waits for the device, so it is best asked after its results were downloaded.
        """
        if self._is_read:
            return None
        self._is_read = True
        if self._device.type == 'cpu':
            return float(self._ended - self._began)
        self._ended.synchronize()
        return float(self._began.elapsed_time(self._ended)) / 1e3

    def _moment(self) -> Any:
        """Return an empty timestamp: an event of the device, or seconds on a CPU."""
        if self._device.type == 'cuda':
            return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        if self._device.type == 'mps':
            return torch.mps.event.Event(enable_timing=True)
        return 0.0

    def _record(self, moment: Any) -> Any:
        if self._device.type == 'cpu':
            return time.perf_counter()
        if self._device.type == 'cuda':
            # The default stream would be that of the first GPU.
            moment.record(torch.cuda.current_stream(self._device))
        else:
            moment.record()
        return moment
