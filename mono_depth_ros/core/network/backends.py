"""What runs a network of ours on a CPU: PyTorch, or its exported copy in a faster runtime."""

import warnings
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch

from ..errors import CheckpointError, DeviceError, MonoDepthError
from .cards.session import Session, open_session
from .exported_file import exported_file
from .families import Network
from .self_test import self_test_image

if TYPE_CHECKING:
    from .estimator import TorchEstimator

_PACKAGES = {'onnx': 'onnxruntime', 'openvino': 'openvino'}
FASTER_ON_CPU: dict[str, tuple[str, ...]] = {}
"""What `auto` takes for an encoder where it is installed, the fastest first. It must win 8 % over
PyTorch on a quiet machine and 20 % on a busy one: benchmarks/results/backends.md."""
_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.05}
"""Largest difference from PyTorch in fp32, as a share of the mean."""


class RuntimeNetwork:
    """The exported copy of a network in a runtime, called like the network.

    Attributes:
        multiple: Of both sides of the input [px].
        interpolation: How an image becomes the input, see `resized`.
    """

    def __init__(self, network: Network, session: Session) -> None:
        self.multiple = network.multiple
        self.interpolation = network.interpolation
        self._session = session

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Return (B, H, W) float32 from (B, 3, H, W); see `DepthAnything`."""
        return self._session.run({'image': image.float()}, ['depth'])[0]


def find_backends(
    name: str, encoder: str, device: torch.device, precision: torch.dtype
) -> tuple[str, ...]:
    """Return the runtimes to try for the parameter `backend`, best first; none is PyTorch.

    Raises:
        DeviceError: The named one does not run on the device, or in the precision.
    """
    is_exact = precision == torch.float32
    if name == 'auto':
        chosen = FASTER_ON_CPU.get(encoder, ()) if device.type == 'cpu' and is_exact else ()
        return tuple(backend for backend in chosen if find_spec(_PACKAGES[backend]) is not None)
    if name == 'torch':
        return ()
    if device.type != 'cpu':
        what = f'backend is {name}, which runs our networks on a CPU, and device is {device}'
        remedy = 'set device to cpu, or backend to torch; `mono_depth export` for other providers'
        raise DeviceError(what, remedy)
    if name == 'onnx' and not is_exact:
        what = f'precision is {str(precision).removeprefix("torch.")}, and backend is onnx'
        raise DeviceError(what, 'set precision to fp32, or backend to torch or openvino')
    return (name,)


def use_backend(
    estimator: 'TorchEstimator',
    backends: tuple[str, ...],
    precision: torch.dtype,
    file_name: str,
    may_fall_back: bool,
) -> None:
    """Have an estimator run by the first of several runtimes that works as PyTorch does.

    Args:
        estimator: On the CPU, in single precision.
        backends: See `find_backends`.
        precision: In which the runtime computes.
        file_name: Of the exported network.
        may_fall_back: Whether to warn, and stay with PyTorch, if none works.

    Raises:
        MonoDepthError: None works, and it may not fall back.
    """
    for backend in backends:
        try:
            _use(estimator, backend, precision, file_name)
        except (MonoDepthError, OSError) as error:
            if not may_fall_back:
                raise
            message = f'backend {backend} is not used: {error}'
            warnings.warn(message, RuntimeWarning, stacklevel=3)
        else:
            return


def _use(
    estimator: 'TorchEstimator', backend: str, precision: torch.dtype, file_name: str
) -> None:
    network, expected = estimator.network, self_test_image(estimator)
    assert not isinstance(network, RuntimeNetwork)
    with TemporaryDirectory() as spare:
        for is_renewed in (False, True):
            path = exported_file(network, file_name, Path(spare), is_renewed)
            try:
                estimator.network = RuntimeNetwork(network, _session(path, backend, precision))
                _require_equal(self_test_image(estimator), expected, precision)
            except CheckpointError:
                estimator.network = network
                if is_renewed:
                    raise
                continue  # the file that was kept is damaged
            break
    estimator.backend, estimator.precision = backend, precision


def _session(path: Path, backend: str, precision: torch.dtype) -> Session:
    if backend == 'onnx':
        return open_session(path, 'cpu')
    # Not above: the package may be missing.
    from .cards.openvino_session import OpenVinoSession

    return OpenVinoSession(path, precision)


def _require_equal(found: torch.Tensor, expected: torch.Tensor, precision: torch.dtype) -> None:
    difference = float((found - expected).abs().max() / expected.abs().mean())
    if not difference <= _TOLERANCE[precision]:
        raise CheckpointError(
            f'its output differs from that of PyTorch by {difference:.2g} of the mean (at most '
            f'{_TOLERANCE[precision]:g} is accepted)'
        )
