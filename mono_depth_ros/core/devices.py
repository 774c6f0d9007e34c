"""What the network runs on: device, precision, threads, time and memory."""

import ctypes
import os
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy.typing as npt
import torch

from .errors import DeviceError
from .types import PRECISIONS

Key = TypeVar('Key')

_TYPES = dict(zip(PRECISIONS, (torch.float32, torch.float16, torch.bfloat16), strict=True))
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library


def find_device(name: str) -> torch.device:
    """Return the device of `auto`, `cpu`, `mps`, `cuda` or `cuda:N`.

    Raises:
        DeviceError: The named device does not exist on this machine.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    has_mps = torch.backends.mps.is_available()
    if name == 'auto':
        return torch.device('cuda' if count else 'mps' if has_mps else 'cpu')
    if name == 'mps' and not has_mps:
        raise DeviceError("device is 'mps', which this machine does not have; use auto or cpu")
    if name in ('cpu', 'mps'):
        return torch.device(name)
    kind, _, index = name.partition(':')
    if name == 'cuda' or (kind == 'cuda' and index.isdecimal()):
        if int(index or 0) < count:
            return torch.device(name)
        raise DeviceError(
            f'device is {name!r}, but torch {torch.__version__} sees {count} CUDA devices; '
            'use auto or cpu, or install a CUDA build of torch and its driver'
        )
    raise DeviceError(f'device is {name!r}; choose auto, cuda, cuda:N, mps or cpu')


def find_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the number type of `auto`, `fp32`, `fp16` or `bf16`; auto: fp16 on CUDA, else fp32.

    Raises:
        DeviceError: The device cannot compute in that precision.
    """
    if name == 'auto':
        return torch.float16 if device.type == 'cuda' else torch.float32
    if name not in PRECISIONS:
        raise DeviceError(f'precision is {name!r}; choose auto, {", ".join(PRECISIONS)}')
    if name == 'fp16' and device.type == 'cpu':
        raise DeviceError(
            'precision is fp16, which is slower than fp32 on a CPU', 'use auto or fp32'
        )
    return _TYPES[name]


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one CPU thread.

    Work per pixel takes a millisecond; split over threads it waits for the slowest of them, a
    hundred times as long when another process runs on that core.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def device_time(device: torch.device) -> Any:
    """Return the time of a CPU [s], or an event that the device reaches after its work.

    A GPU is asynchronous: it still works when the call that queued the work has returned.
    """
    if device.type == 'cpu':
        return time.perf_counter()
    if device.type == 'mps':
        event = torch.mps.event.Event(enable_timing=True)
        event.record()
        return event
    # The default stream would be that of the first GPU.
    stream = torch.cuda.current_stream(device)
    return stream.record_event(torch.cuda.Event(enable_timing=True))  # type: ignore[no-untyped-call]


def seconds_between(began: Any, ended: Any) -> float:
    """Return the seconds between two values of `device_time`.

    Waits for the device, so it is best asked after its results were downloaded.
    """
    if isinstance(ended, float):
        return float(ended - began)
    ended.synchronize()
    return float(began.elapsed_time(ended)) / 1e3


def uploaded(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return a writable contiguous array on a device; a GPU copies it while the CPU goes on."""
    tensor = torch.from_numpy(array)
    if device.type == 'cuda':
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@dataclass(frozen=True, eq=False)
class Download(Generic[Key]):
    """Tensors of one device on their way to the CPU.

    Attributes:
        ready: What a GPU reaches once they are there; None if they are.
    """

    ready: Any
    _arrays: Mapping[Key, npt.NDArray[Any]]
    _tensors: Sequence[torch.Tensor] = ()
    """Kept until then: a GPU gives freed memory to what comes next."""

    def arrays(self) -> dict[Key, npt.NDArray[Any]]:
        """Return the arrays; wait for them if need be."""
        if self.ready is not None:
            self.ready.synchronize()
        return dict(self._arrays)

    def arrive(self) -> Generator['Download[Key]', None, dict[Key, npt.NDArray[Any]]]:
        """Return the arrays; yield first if they are on their way, so that others may go on."""
        if self.ready is not None:
            yield self
        return self.arrays()


def queue_download(tensors: Mapping[Key, torch.Tensor]) -> Download[Key]:
    """Ask for tensors of one device as contiguous arrays.

    A GPU copies them once they are computed, beside whatever it is asked for later.
    """
    kept = {key: tensor.contiguous() for key, tensor in tensors.items()}
    gpu = next((tensor.device for tensor in kept.values() if tensor.is_cuda), None)
    if gpu is None:
        return Download(None, {key: tensor.cpu().numpy() for key, tensor in kept.items()})
    stream = _download_stream(gpu)
    stream.wait_stream(torch.cuda.current_stream(gpu))
    with torch.cuda.stream(stream):
        # Into pinned memory, as torch does where the CPU goes on.
        arrays = {key: it.to('cpu', non_blocking=True).numpy() for key, it in kept.items()}
    return Download(stream.record_event(), arrays, tuple(kept.values()))


@lru_cache
def _download_stream(gpu: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(gpu)  # type: ignore[no-untyped-call]


def keep_freed_memory() -> None:
    """Keep up to 256 MB of freed memory for the next frame.

    Otherwise each frame returns about 10 MB to the system and faults them in again, which takes
    half the time of all pixel work on a CPU. It affects the whole process, so programs call it
    once at their start. Without the GNU C library it does nothing.
    """
    if sys.platform != 'linux':
        return
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def resident_bytes() -> int | None:
    """Return the resident memory of the process; None if the platform does not report it."""
    try:
        pages = int(Path('/proc/self/statm').read_text().split()[1])
    except FileNotFoundError:  # not Linux
        return None
    return pages * os.sysconf('SC_PAGE_SIZE')


def device_bytes(device: torch.device) -> int | None:
    """Return the GPU memory that torch holds for the process; None on a CPU."""
    if device.type == 'cuda':
        return torch.cuda.memory_reserved(device)
    if device.type == 'mps':
        return torch.mps.driver_allocated_memory()
    return None
