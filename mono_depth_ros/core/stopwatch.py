"""Time that a device spends on work, measured without blocking the caller."""

import time
from typing import Any, Protocol

import torch


class _Mark(Protocol):
    """Timestamp in the work queue of a device."""

    def record(self) -> None: ...

    def synchronize(self) -> None: ...

    def elapsed_time(self, later: Any) -> float: ...


class Stopwatch:
    """Measures one interval at a time with the clock of the device.

    A GPU is asynchronous: it still works when the call that queued the work has returned.
    """

    def __init__(self, device: torch.device) -> None:
        self._began = _mark(device)
        self._ended = _mark(device)
        self._is_read = True

    def start(self) -> None:
        """Start an interval."""
        self._is_read = True
        self._began.record()

    def stop(self) -> None:
        """End the interval."""
        self._ended.record()
        self._is_read = False

    def take(self) -> float | None:
        """Return the seconds between the latest `start` and `stop`; None if already taken.

        Waits for the device: call it after its results were downloaded.
        """
        if self._is_read:
            return None
        self._is_read = True
        self._ended.synchronize()
        return self._began.elapsed_time(self._ended) / 1e3


class _ClockMark:
    """Timestamp on a synchronous device (CPU)."""

    def __init__(self) -> None:
        self._at_s = 0.0

    def record(self) -> None:
        self._at_s = time.perf_counter()

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, later: '_ClockMark') -> float:
        return 1e3 * (later._at_s - self._at_s)


class _CudaMark:
    """Timestamp in the CUDA stream of this thread."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def record(self) -> None:
        # The default stream would be that of the first GPU.
        self._event.record(torch.cuda.current_stream(self._device))

    def synchronize(self) -> None:
        self._event.synchronize()

    def elapsed_time(self, later: '_CudaMark') -> float:
        return float(self._event.elapsed_time(later._event))


def _mark(device: torch.device) -> _Mark:
    if device.type == 'cuda':
        return _CudaMark(device)
    if device.type == 'mps':
        return torch.mps.event.Event(enable_timing=True)
    return _ClockMark()
