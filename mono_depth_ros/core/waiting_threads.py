"""How the threads of torch wait for each other; apart, because it must be said before torch."""

import os


def wait_without_spinning() -> None:
    """Have OpenMP's threads sleep while they wait, unless the environment says how they wait.

    By default they spin, and where another process has one of the cores, the spinning ones take
    the time of the thread that they wait for (benchmarks/results/backends.md). Without effect
    once torch is imported; so programs call it first.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
