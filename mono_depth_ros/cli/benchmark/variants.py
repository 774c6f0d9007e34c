"""What is measured: networks, sizes of their input, backends and precisions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.network.backends import is_installed
from ...core.network.cards.providers import BACKENDS
from ...core.network.checkpoints.table import ENCODERS


@dataclass(frozen=True)
class Variant:
    """One way to run one network.

    Attributes:
        network: An encoder, or the path of a card.
        input_size: Shorter side of its input [px], 0 for its own.
        backend: One of `BACKENDS`.
        precision: Parameter of that name.
        device: Parameter of that name.
    """

    network: str
    input_size: int
    backend: str
    precision: str
    device: str = 'auto'

    @property
    def is_card(self) -> bool:
        """Whether the network is one of a card."""
        return self.network not in ENCODERS

    @property
    def parameters(self) -> str:
        """The parameters of the node that select it."""
        named = {'network' if self.is_card else 'encoder': self.network}
        if self.is_card:
            named |= {'provider': 'openvino'} if self.backend == 'openvino' else {}
        else:
            named |= {'backend': self.backend}
        named |= {'input_size': str(self.input_size)} if self.input_size else {}
        named |= {'precision': self.precision} if self.precision != 'auto' else {}
        return ', '.join(f'{name}: {value}' for name, value in named.items())


@dataclass(frozen=True)
class Measured:
    """What was found of a variant.

    Attributes:
        variant: Which.
        ms: (N,) from the image on the device to the prediction on the CPU [ms]; empty if it
            failed.
        peak_mb: Largest resident memory of its process [MB].
        difference: Mean difference from PyTorch in fp32, as a share of the mean; None where there
            is none to compare with.
        is_random: Whether its weights are random, because those published are not here.
        seen: (height, width) at which the network sees the image [px].
        error: Why it failed, '' if it did not.
    """

    variant: Variant
    ms: tuple[float, ...] = ()
    peak_mb: float = 0.0
    difference: float | None = None
    is_random: bool = False
    seen: tuple[int, int] = (0, 0)
    error: str = ''

    @property
    def median_ms(self) -> float:
        """Median of its times [ms]."""
        return float(np.median(self.ms))

    @property
    def p99_ms(self) -> float:
        """99 % quantile of its times [ms]."""
        return float(np.quantile(self.ms, 0.99))


def groups(
    networks: Sequence[str],
    sizes: Sequence[int],
    backends: Sequence[str],
    precisions: Sequence[str],
    device: str,
) -> Iterator[list[Variant]]:
    """Yield the variants of each network and size, PyTorch in fp32 first: the reference."""
    for network in networks:
        is_card = network not in ENCODERS
        for size in sizes:
            ways = [(b, 'auto') for b in backends if b != 'torch'] if is_card else []
            if not is_card:
                ways = [('torch', p) for p in sorted(precisions, key=lambda p: p != 'fp32')]
                ways += [(b, p) for b in backends if b != 'torch' for p in precisions]
                ways = [way for way in ways if way[0] in backends]
            yield [Variant(network, size, *way, device) for way in ways]


def backends_here() -> list[str]:
    """Return the backends whose packages are installed."""
    return [name for name in BACKENDS if is_installed(name)]


def recommended(found: Sequence[Measured], rate_hz: float) -> Measured | None:
    """Return the largest network that keeps a rate [Hz] in 99 % of frames, None if none does.

    Each network and size is represented by its fastest variant; the largest is the slowest of
    these.
    """
    fastest: dict[tuple[str, int], Measured] = {}
    for row in found:
        key = row.variant.network, row.variant.input_size
        if not row.error and (key not in fastest or row.median_ms < fastest[key].median_ms):
            fastest[key] = row
    able = [row for row in fastest.values() if row.p99_ms <= 1000 / rate_hz]
    return max(able, key=lambda row: row.median_ms, default=None)
