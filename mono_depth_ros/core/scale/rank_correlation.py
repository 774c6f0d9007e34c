"""How well two rows of numbers grow together, whatever the curve."""

import math

import numpy as np

from .correspondences import FloatArray


def ranks(values: FloatArray) -> FloatArray:
    """Return (N,) in 0..1: how many values are smaller; equal ones share the middle of theirs."""
    _, own, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count + 1) / 2
    found: FloatArray = middle[own] / max(1, len(values) - 1)
    return found


def correlation(a: FloatArray, b: FloatArray) -> float:
    """Return that of (N,) and (N,), -1..1; 0 where one of them does not vary."""
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0 else 0.0


def rank_correlation(a: FloatArray, b: FloatArray) -> float:
    """Return Spearman's correlation of (N,) and (N,), 0 where one of them does not vary."""
    return correlation(ranks(a), ranks(b))
