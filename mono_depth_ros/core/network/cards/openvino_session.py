"""An ONNX file in the package OpenVINO, on the CPU."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from ...errors import CheckpointError, DeviceError
from .session import TensorInfo, first_line, shapes_of, thread_count

_TYPES = {'f32': 'float', 'f16': 'float16', 'f64': 'double', 'u8': 'uint8'} | {
    'i32': 'int32',
    'i64': 'int64',
}


class OpenVinoSession:
    """A model, ready to run; see `Session`.

    Args:
        path: Of the ONNX file.
        precision: float32 or bfloat16, in which products are computed.

    Raises:
        DeviceError: The package is missing, or the processor does not compute in the precision.
        CheckpointError: The model cannot be loaded.
    """

    backend = 'openvino'
    provider = 'openvino'

    def __init__(self, path: Path, precision: torch.dtype = torch.float32) -> None:
        try:
            import openvino
        except ImportError as error:
            what = f'backend openvino needs the package OpenVINO, which is not here ({error})'
            raise DeviceError(what, 'pip install openvino') from error
        self._path = path
        core = openvino.Core()
        _require_precision(core, precision)
        options = {
            'INFERENCE_PRECISION_HINT': 'f32' if precision == torch.float32 else 'bf16',
            'INFERENCE_NUM_THREADS': thread_count(),
            'NUM_STREAMS': 1,
            'PERFORMANCE_HINT': 'LATENCY',
            # Pinned threads of two processes meet on one core while another is free.
            'ENABLE_CPU_PINNING': False,
        }
        try:
            model = core.read_model(path)
            request = core.compile_model(model, 'CPU', options).create_infer_request()
        except Exception as error:
            raise CheckpointError(
                f'{path} cannot be loaded by OpenVINO {openvino.__version__}: {first_line(error)}',
                'fetch the file again, or export it for an older opset',
            ) from error
        self._request = request
        self._lock = Lock()
        # Not of the compiled model, whose outputs have names of what was before them, too.
        self.inputs = {port.get_any_name(): _described(port) for port in model.inputs}
        self.outputs = {port.get_any_name(): _described(port) for port in model.outputs}

    def run(
        self, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str]
    ) -> list[torch.Tensor]:
        """Return the named outputs; see `Session`."""
        arrays = {name: tensor.contiguous().numpy() for name, tensor in inputs.items()}
        try:
            with self._lock:  # one request at a time, as its memory is
                self._request.infer(arrays, share_inputs=True)
                tensors = [self._request.get_tensor(name) for name in outputs]
                # A copy: the next outputs come into the same memory.
                made = [torch.from_numpy(tensor.data.copy()) for tensor in tensors]
        except Exception as error:
            what = f'{self._path} fails on {shapes_of(inputs)}: {first_line(error)}'
            raise CheckpointError(what) from error
        return made


def _require_precision(core: Any, precision: torch.dtype) -> None:
    able = core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
    if precision == torch.bfloat16 and 'BF16' not in able:
        raise DeviceError(
            f'precision is bf16, and OpenVINO computes in {", ".join(able)} on this processor',
            'set precision to fp32',
        )


def _described(port: Any) -> TensorInfo:
    shape = tuple(n.get_length() if n.is_static else None for n in port.get_partial_shape())
    name = port.get_element_type().get_type_name()
    return TensorInfo(shape, _TYPES.get(name, name))
