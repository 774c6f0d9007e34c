"""Devices and precisions by the values of their parameters."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .errors import DeviceError
from .types import PRECISIONS

_TYPES = dict(zip(PRECISIONS, (torch.float32, torch.float16, torch.bfloat16), strict=True))


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
