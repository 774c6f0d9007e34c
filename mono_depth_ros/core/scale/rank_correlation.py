"""How well two rows of numbers grow together, whatever the curve."""

import math

import numpy as np
import numpy.typing as npt

from .correspondences import FloatArray


def ranks(values: FloatArray) -> FloatArray:
    """Return (N,) in 0..1: how many values are smaller; equal ones share the middle of theirs."""
    order = np.argsort(values)
    ordered = values[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # of equal ones
    count = np.diff(np.r_[begins, len(values)])
    found = np.empty(len(values))
    found[order] = np.repeat(begins + (count - 1) / 2, count) / max(1, len(values) - 1)
    return found


def correlation(a: FloatArray, b: FloatArray) -> float:
    """Return that of (N,) and (N,), -1..1; 0 where one of them does not vary."""
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0 else 0.0


def correlations(a: FloatArray, b: FloatArray, chosen: npt.NDArray[np.bool_]) -> FloatArray:
    """Return (K,): that of (N,) or (K, N) with (N,) at what is chosen (K, N) each time.

    0 where one of them does not vary, or nothing is chosen.
    """
    count = np.maximum(chosen.sum(axis=1, keepdims=True), 1)
    a, b = (np.where(chosen, values, 0) for values in (a, b))
    a, b = (np.where(chosen, x - x.sum(axis=1, keepdims=True) / count, 0) for x in (a, b))
    norm = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    found: FloatArray = (a * b).sum(axis=1) / np.where(norm > 0, norm, 1)
    return found


def rank_correlation(a: FloatArray, b: FloatArray) -> float:
    """Return Spearman's correlation of (N,) and (N,), 0 where one of them does not vary."""
    return correlation(ranks(a), ranks(b))
