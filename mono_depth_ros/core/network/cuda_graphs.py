"""A network on a CUDA device whose kernels are recorded once per shape and then replayed."""

import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING

import torch

from .families import Network
from .self_test import self_test_image

if TYPE_CHECKING:
    from .estimator import TorchEstimator

_WARM_UPS = 3  # in which cuDNN and cuBLAS choose their kernels and take their memory
_MAX_SHAPES = 8  # each holds the memory of all its layers
_TOLERANCE = 0.01  # of the mean; the same kernels give the same up to the order of sums


class GraphedNetwork:
    """A network, called as the network itself is; see `torch.cuda.CUDAGraph`.

    To launch the hundreds of kernels of a small network takes a core of the CPU longer than the
    GPU needs to run them. What cannot be recorded is run as it is, after one warning.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._recordings: OrderedDict[torch.Size, _Recording] = OrderedDict()
        self._is_recordable = True

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Return what the network returns of (B, 3, H, W)."""
        recording = self._recording(image) if self._is_recordable else None
        made: torch.Tensor = self._network(image) if recording is None else recording.replay(image)
        return made

    def _recording(self, image: torch.Tensor) -> '_Recording | None':
        """Return that of an image's shape, made now if need be; None if it cannot be made."""
        found = self._recordings.get(image.shape)
        if found is None:
            try:
                found = _Recording(self._network, image)
            except RuntimeError as error:
                self._is_recordable = False
                reason = (str(error).splitlines() or ['RuntimeError'])[0]
                warnings.warn(
                    f'no CUDA graph of the network: {reason}; every kernel is launched by itself',
                    RuntimeWarning,
                    stacklevel=2,
                )
                return None
            self._recordings[image.shape] = found
            if len(self._recordings) > _MAX_SHAPES:
                self._recordings.popitem(last=False)
        self._recordings.move_to_end(image.shape)
        return found


def use_graph(estimator: 'TorchEstimator') -> None:
    """Have an estimator on a CUDA device replay its network, if that gives what the network does.

    Written for a GPU and not run on one.
    """
    network = estimator.network
    if estimator.device.type != 'cuda' or not isinstance(network, Network):
        return
    expected = self_test_image(estimator).values
    estimator.network = GraphedNetwork(network)
    difference = (self_test_image(estimator).values - expected).abs().mean()
    difference = difference / expected.abs().mean()
    if not float(difference) <= _TOLERANCE:
        estimator.network = network
        warnings.warn(
            f'the CUDA graph of the network differs from it by {float(difference):.2g} of the '
            'mean and is not used',
            RuntimeWarning,
            stacklevel=3,
        )


class _Recording:
    """The kernels for one shape, and the memory that they read and write."""

    def __init__(self, network: Network, image: torch.Tensor) -> None:
        self._graph = torch.cuda.CUDAGraph()
        self._given = image.clone()
        with torch.cuda.device(image.device):
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            here = torch.cuda.current_stream()
            aside.wait_stream(here)
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UPS):
                    network(self._given)
            here.wait_stream(aside)
            # Other threads may use the device meanwhile.
            with torch.cuda.graph(self._graph, capture_error_mode='thread_local'):
                self._made: torch.Tensor = network(self._given)

    def replay(self, image: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of an image, in memory of its own."""
        self._given.copy_(image)
        self._graph.replay()
        return self._made.clone()
