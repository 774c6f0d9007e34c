"""A model that is ready to run, whatever runs it."""

import os
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Protocol

import torch

_TYPES = {
    'float': torch.float32,
    'float16': torch.float16,
    'double': torch.float64,
    'uint8': torch.uint8,
    'int32': torch.int32,
    'int64': torch.int64,
}


class TensorInfo(NamedTuple):
    """An input or output: its shape, None where it depends on what goes in, and its type.

    The type is named as in ONNX: `float`, `float16`, `uint8` and so on.
    """

    shape: tuple[int | None, ...]
    type_name: str

    @property
    def dtype(self) -> torch.dtype | None:
        """Type of the numbers; None for one that no card can describe."""
        return _TYPES.get(self.type_name)

    def __str__(self) -> str:
        sides = ', '.join('any' if n is None else str(n) for n in self.shape)
        return f'({sides}) {self.type_name}'


class Session(Protocol):
    """A model, ready to run.

    Attributes:
        backend: What runs it, one of `BACKENDS`.
        provider: What it runs on, a key of `PROVIDERS`.
        inputs: By their names; so are the `outputs`.
    """

    backend: str
    provider: str
    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]

    def run(
        self, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str]
    ) -> list[torch.Tensor]:
        """Return the named outputs, on the device of the inputs.

        Raises:
            CheckpointError: The model fails on these inputs.
        """


def open_session(path: Path, provider: str = 'auto') -> Session:
    """Return a session of the parameter `provider`: `openvino` is the package of that name, if
    it is installed, and else the provider of ONNX Runtime.

    Raises:
        CheckpointError: The model cannot be loaded.
        DeviceError: What runs it is missing.
    """
    # Not above: either may be missing.
    if provider == 'openvino' and find_spec('openvino') is not None:
        from .openvino_session import OpenVinoSession

        return OpenVinoSession(path)
    from .onnx_session import OnnxSession

    return OnnxSession(path, provider)


def thread_count() -> int:
    """Return the threads of a model: those of torch, and no more than this process has cores.

    torch obeys OMP_NUM_THREADS and takes no second thread of a core.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return max(1, min(torch.get_num_threads(), allowed or 1))


def first_line(error: Exception) -> str:
    """Return the first line of the message of an error, without colors."""
    text = re.sub(r'\x1b\[[0-9;]*m', '', str(error)).strip()
    return (text.splitlines() or [type(error).__name__])[0][:300]


def shapes_of(inputs: Mapping[str, torch.Tensor]) -> str:
    """Return names and shapes, for messages."""
    return ', '.join(f'{name} {tuple(tensor.shape)}' for name, tensor in inputs.items())
