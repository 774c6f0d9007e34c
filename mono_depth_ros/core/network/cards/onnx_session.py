"""An ONNX file in ONNX Runtime: providers, threads, and what goes in and comes out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...cache_folder import cache_folder
from ...errors import CheckpointError, DeviceError
from .providers import PROVIDERS
from .session import TensorInfo, first_line, shapes_of, thread_count

_AUTO = ('cuda', 'cpu')
"""What `auto` tries. Not tensorrt, which builds for minutes; not openvino and coreml, which have
been measured nowhere here."""
_WHEELS = {
    'cpu': 'onnxruntime',
    'cuda': 'onnxruntime-gpu',
    'tensorrt': 'onnxruntime-gpu',
    'coreml': 'onnxruntime',
}


class OnnxSession:
    """A model, ready to run; see `Session`.

    Args:
        path: Of the ONNX file.
        provider: `auto` or a key of `PROVIDERS`.

    Raises:
        DeviceError: ONNX Runtime or the provider is missing, or does not start.
        CheckpointError: The model cannot be loaded.
    """

    backend = 'onnx'

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
                f'({self.provider}): {first_line(error)}',
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
        self, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str]
    ) -> list[torch.Tensor]:
        """Return the named outputs; see `Session`."""
        on_gpu = any(tensor.device.type == 'cuda' for tensor in inputs.values())
        try:
            return (self._run_bound if on_gpu else self._run_on_cpu)(inputs, outputs)
        except Exception as error:
            what = f'{self._path} fails on {shapes_of(inputs)}: {first_line(error)}'
            raise CheckpointError(what) from error

    def _run_on_cpu(
        self, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str]
    ) -> list[torch.Tensor]:
        arrays = {name: tensor.numpy() for name, tensor in inputs.items()}
        return [torch.from_numpy(made) for made in self._session.run(list(outputs), arrays)]

    def _run_bound(
        self, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str]
    ) -> list[torch.Tensor]:
        """Run on tensors of the GPU where they lie. Not run: no device here has CUDA."""
        binding = self._session.io_binding()
        # Until the run ends: a binding knows addresses only.
        held = {name: tensor.contiguous() for name, tensor in inputs.items()}
        for name, tensor in held.items():
            numbers = getattr(np, str(tensor.dtype).removeprefix('torch.'))
            index, shape = tensor.device.index or 0, tuple(tensor.shape)
            binding.bind_input(name, 'cuda', index, numbers, shape, tensor.data_ptr())
        for name in outputs:
            binding.bind_output(name, 'cuda')
        torch.cuda.synchronize()  # ONNX Runtime has a stream of its own
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return [torch.utils.dlpack.from_dlpack(value._ortvalue) for value in binding.get_outputs()]


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
    wheel = 'pip install openvino'
    if name != 'openvino':
        wheel = f'install {_WHEELS[name]} in place of the present wheel'
    raise DeviceError(
        f'provider is {name}, and this ONNX Runtime has {", ".join(here)}',
        f'set provider to auto, or {wheel} '
        '(onnxruntime, onnxruntime-gpu and onnxruntime-openvino exclude one another)',
    )


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
    cache = cache_folder() / 'tensorrt'
    return {'trt_engine_cache_enable': '1', 'trt_engine_cache_path': str(cache)}


def _described(info: Any) -> TensorInfo:
    shape = tuple(n if isinstance(n, int) else None for n in info.shape)
    return TensorInfo(shape, info.type.removeprefix('tensor(').removesuffix(')'))
