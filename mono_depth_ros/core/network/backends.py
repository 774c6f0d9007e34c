"""What runs a network of ours on a CPU: PyTorch, or its exported copy in another runtime."""

import warnings
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch

from ..errors import CheckpointError, DeviceError
from .cards.session import Session, open_session
from .checkpoints import table
from .exported_file import exported_file
from .families import Network
from .self_test import self_test_image

if TYPE_CHECKING:
    from .estimator import TorchEstimator

_PACKAGES = {'torch': (), 'onnx': ('onnxruntime', 'onnx'), 'openvino': ('openvino', 'onnx')}
_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.05}
"""Largest difference from PyTorch in fp32, as a share of the mean."""


class RuntimeNetwork:
    """The exported copy of a network in a runtime, called like the network."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Return (B, H, W) float32 from (B, 3, H, W); see `DepthAnything`."""
        return self._session.run({'image': image.float()}, ['depth'])[0]


def find_backend(name: str, encoder: str, device: torch.device, precision: torch.dtype) -> str:
    """Return the backend of the parameter.

    `auto` on a CPU in fp32 is the first of `table.RUNTIMES` that is installed with what exports
    networks for it, else PyTorch.

    Raises:
        DeviceError: The named one does not run on the device, or in the precision.
    """
    is_plain = device.type == 'cpu' and precision == torch.float32
    if name == 'auto' and is_plain:
        return next(filter(is_installed, table.RUNTIMES.get(encoder, ())), 'torch')
    if name in ('auto', 'torch'):
        return 'torch'
    if device.type != 'cpu':
        what = f'backend is {name}, which runs our networks on a CPU, and device is {device}'
        remedy = 'set device to cpu, or backend to torch; `mono_depth export` for other providers'
        raise DeviceError(what, remedy)
    if name == 'onnx' and precision != torch.float32:
        what = f'precision is {str(precision).removeprefix("torch.")}, and backend is onnx'
        raise DeviceError(what, 'set precision to fp32, or backend to torch or openvino')
    return name


def is_installed(backend: str) -> bool:
    """Return whether the packages that a backend needs for an encoder are here."""
    return all(find_spec(package) is not None for package in _PACKAGES[backend])


def use_backend(
    estimator: 'TorchEstimator',
    backend: str,
    precision: torch.dtype,
    file_name: str,
    is_chosen: bool = True,
) -> None:
    """Have an estimator run in a runtime, if that works as PyTorch does; else warn.

    Args:
        estimator: On the CPU, in single precision; stays so if the runtime is not used.
        backend: See `find_backend`; with torch nothing changes.
        precision: In which the runtime computes.
        file_name: Of the exported network.
        is_chosen: Whether the user named the backend. If `auto` did, a runtime that is installed
            and broken is no error.

    Raises:
        DeviceError: The runtime, or what exports the network for it, is missing, or the processor
            does not compute in the precision.
    """
    tolerated = (CheckpointError, OSError) if is_chosen else Exception
    if backend == 'torch':
        return
    network, expected = estimator.network, self_test_image(estimator).values
    assert isinstance(network, Network)
    with TemporaryDirectory() as spare:
        for is_renewed in (False, True):  # the file that was kept may be damaged
            try:
                path = exported_file(network, file_name, Path(spare), is_renewed)
                estimator.network = RuntimeNetwork(_session(path, backend, precision))
                _require_equal(self_test_image(estimator).values, expected, precision)
            except tolerated as error:
                estimator.network, reason = network, error
            else:
                estimator.backend, estimator.precision = backend, precision
                return
    message = f'backend {backend} is not used, PyTorch runs in fp32 instead: {reason}'
    warnings.warn(message, RuntimeWarning, stacklevel=3)


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
