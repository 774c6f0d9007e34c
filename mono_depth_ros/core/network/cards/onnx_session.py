"""An ONNX file in ONNX Runtime: providers, threads, and what goes in and comes out."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ...errors import CheckpointError, DeviceError
from .providers import PROVIDERS

_AUTO = ('cuda', 'cpu')
"""What `auto` tries. Not tensorrt, which builds for minutes; not openvino and coreml, which have
been measured nowhere here."""
_WHEELS = {
    'cpu': 'onnxruntime',
    'openvino': 'onnxruntime-openvino',
    'cuda': 'onnxruntime-gpu',
    'tensorrt': 'onnxruntime-gpu',
    'coreml': 'onnxruntime',
}
_TYPES: dict[str, type[np.generic]] = {
    'tensor(float)': np.float32,
    'tensor(float16)': np.float16,
    'tensor(double)': np.float64,
    'tensor(uint8)': np.uint8,
    'tensor(int32)': np.int32,
    'tensor(int64)': np.int64,
}


class TensorInfo(NamedTuple):
    """An input or output: its shape, None where it depends on what goes in, and its type."""

    shape: tuple[int | None, ...]
    onnx_type: str

    @property
    def dtype(self) -> type[np.generic] | None:
        """Type of the numbers; None for one that no card can describe."""
        return _TYPES.get(self.onnx_type)

    def __str__(self) -> str:
        sides = ', '.join('any' if n is None else str(n) for n in self.shape)
        return f'({sides}) {self.onnx_type.removeprefix("tensor(").removesuffix(")")}'


class OnnxSession:
    """A model, ready to run.

    Attributes:
        provider: What it runs on, a key of `PROVIDERS`.
        inputs: By their names; so are the `outputs`.
    """

    def __init__(self, path: Path, provider: str = 'auto') -> None:
        runtime = _runtime()
        self._path = path
        self.provider = find_provider(provider, runtime.get_available_providers())
        asked = PROVIDERS[self.provider]
        options = runtime.SessionOptions()
        options.log_severity_level = 4  # errors come as exceptions
        options.intra_op_num_threads = thread_count()
        options.inter_op_num_threads = 1
        # Threads that wait for the next image must not keep the cores of other nodes busy.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self._session = runtime.InferenceSession(
                str(path), options, [(asked, _provider_options(self.provider))]
            )
        except Exception as error:
            raise CheckpointError(
                f'{path} cannot be loaded by ONNX Runtime {runtime.__version__} '
                f'({self.provider}): {_first_line(error)}',
                'fetch the file again, or export it for an older opset',
            ) from error
        # A provider that does not start is replaced by the CPU without an error.
        if asked not in self._session.get_providers():
            raise DeviceError(
                f'provider {self.provider} did not start: ONNX Runtime fell back to '
                f'{self._session.get_providers()[0]}',
                'install the drivers and libraries that it needs, or set provider to cpu',
            )
        self.inputs = {info.name: _described(info) for info in self._session.get_inputs()}
        self.outputs = {info.name: _described(info) for info in self._session.get_outputs()}

    def run(
        self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]
    ) -> list[npt.NDArray[Any]]:
        """Return the named outputs.

        Raises:
            CheckpointError: The model fails on these inputs.
        """
        try:
            made: list[npt.NDArray[Any]] = self._session.run(list(outputs), dict(inputs))
        except Exception as error:
            shapes = ', '.join(f'{name} {array.shape}' for name, array in inputs.items())
            raise CheckpointError(
                f'{self._path} fails on {shapes}: {_first_line(error)}'
            ) from error
        return made


def find_provider(name: str, available: Sequence[str]) -> str:
    """Return the provider of the parameter, `auto` replaced by the first of cuda and cpu.

    Raises:
        DeviceError: This build of ONNX Runtime does not have it.
    """
    if name == 'auto':
        return next((p for p in _AUTO if PROVIDERS[p] in available), 'cpu')
    if PROVIDERS[name] in available:
        return name
    here = [known for known, provider in PROVIDERS.items() if provider in available]
    raise DeviceError(
        f'provider is {name}, and this ONNX Runtime has {", ".join(here)}',
        f'set provider to auto, or install {_WHEELS[name]} in place of the present wheel '
        '(onnxruntime, onnxruntime-gpu and onnxruntime-openvino exclude one another)',
    )


def thread_count() -> int:
    """Return the threads of a model: those of torch, and no more than this process has cores.

    torch obeys OMP_NUM_THREADS and takes no second thread of a core.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return max(1, min(torch.get_num_threads(), allowed or 1))


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise DeviceError(
            f'the parameter network needs ONNX Runtime, which is not here ({error})',
            'pip install onnxruntime; onnxruntime-gpu for cuda and tensorrt, '
            'onnxruntime-openvino for openvino',
        ) from error
    return onnxruntime


def _provider_options(provider: str) -> dict[str, str]:
    if provider != 'tensorrt':
        return {}
    # Not run: no device here has TensorRT. Without a cache, each start builds for minutes.
    cache = Path('~/.cache/mono_depth/tensorrt').expanduser()
    return {'trt_engine_cache_enable': '1', 'trt_engine_cache_path': str(cache)}


def _described(info: Any) -> TensorInfo:
    return TensorInfo(tuple(n if isinstance(n, int) else None for n in info.shape), info.type)


def _first_line(error: Exception) -> str:
    text = re.sub(r'\x1b\[[0-9;]*m', '', str(error)).strip()
    return (text.splitlines() or [type(error).__name__])[0][:300]
