"""Variants timed in turns, each in its own process: what else runs here falls on all alike."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import numpy as np

from .variants import Measured, Variant

_GOODBYE_S = 10.0


class VariantProcess:
    """A process that holds one variant; a context manager, which ends it."""

    def __init__(self, variant: Variant, folder: Path) -> None:
        self.variant = variant
        self._file = folder / f'{variant.backend}_{variant.precision}.npy'
        command = [sys.executable, '-m', f'{__package__}.variant_process']
        self._process = subprocess.Popen(
            [*command, json.dumps(asdict(variant)), str(self._file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.loaded = self.answer()

    def __enter__(self) -> 'VariantProcess':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        try:
            self._process.stdin.close()
            self._process.wait(_GOODBYE_S)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()

    @property
    def prediction(self) -> np.ndarray:
        """What it predicted (H, W)."""
        return np.load(self._file)

    def answer(self) -> dict[str, Any]:
        """Return its next answer; `error` says why there is none."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return dict(json.loads(line))
        return {'error': f'the process ended with status {self._process.wait(_GOODBYE_S)}'}

    def turn(self) -> dict[str, Any]:
        """Have it predict once; return the time, or an error."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write('\n')
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says that it ended
        return self.answer()


def measure_group(
    variants: Sequence[Variant], rounds: int, tell: Callable[[str], None] = lambda _: None
) -> list[Measured]:
    """Return what is found of the variants of one network and size.

    Args:
        variants: The first of them that runs in PyTorch and fp32 is the reference.
        rounds: Times that each predicts.
        tell: Called with what happens.
    """
    with TemporaryDirectory() as folder, ExitStack() as stack:
        processes = []
        for variant in variants:
            tell(f'loading {variant.parameters}')
            process = VariantProcess(variant, Path(folder))
            processes.append(stack.enter_context(process))
        found = [_loaded(process) for process in processes]
        reference = next(
            (p for p, row in zip(processes, found, strict=True) if _is_exact(row)), None
        )
        found = [_compared(row, p, reference) for row, p in zip(found, processes, strict=True)]
        for count in range(rounds):
            tell(f'{variants[0].network}: {count + 1} of {rounds} rounds')
            found = [_timed(row, p) for row, p in zip(found, processes, strict=True)]
    return found


def _loaded(process: VariantProcess) -> Measured:
    answer = process.loaded
    if 'error' in answer:
        return Measured(process.variant, error=answer['error'])
    return Measured(process.variant, is_random=answer['is_random'], seen=tuple(answer['seen']))


def _is_exact(row: Measured) -> bool:
    return (row.variant.backend, row.variant.precision, row.error) == ('torch', 'fp32', '')


def _compared(
    row: Measured, process: VariantProcess, reference: VariantProcess | None
) -> Measured:
    if reference is None or row.error:
        return row
    expected, found = reference.prediction, process.prediction
    return replace(
        row, difference=float(np.abs(found - expected).mean() / np.abs(expected).mean())
    )


def _timed(row: Measured, process: VariantProcess) -> Measured:
    if row.error:
        return row
    answer = process.turn()
    if 'error' in answer:
        return replace(row, ms=(), error=answer['error'])
    return replace(row, ms=(*row.ms, answer['ms']), peak_mb=answer['peak_mb'])
