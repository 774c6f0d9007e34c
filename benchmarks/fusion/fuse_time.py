"""CPU time of one fusion at 640x480 on one thread."""

import os
from collections.abc import Callable

import numpy as np
import torch

from mono_depth_ros.core.scale.fusion import MetricDepth, fuse
from mono_depth_ros.simulation.views import render_sample

from ..alignment.table import table
from ..measuring import in_turns
from .methods import RANGE
from .patterns import PATTERNS
from .scenes import Scene

ROUNDS = 100
BUDGET_MS = 6.0
TIMED = ('dense', '64 beams', '16 beams', '500 points')
ERROR = 0.1  # of the aligned inverse depth, smooth


def measure() -> dict[str, np.ndarray]:
    """Return milliseconds of CPU by pattern."""
    view = render_sample(91000, 640, 480)
    scene = Scene(view.rgb, view.depth.reciprocal(), {})
    wave = torch.linspace(-1, 1, 640).sin() * ERROR
    aligned = scene.truth * (1 + wave)

    def candidate(name: str) -> Callable[[], MetricDepth]:
        measured = PATTERNS[name].measure(scene, 0)[0]
        return lambda: fuse(aligned, view.rgb, measured, RANGE)

    with torch.inference_mode():
        candidates = {name: candidate(name) for name in TIMED}
        times = in_turns(candidates, ROUNDS, torch.device('cpu'))
    return {name: 1e3 * t.cpu for name, t in times.items()}


def report(times: dict[str, np.ndarray]) -> str:
    """Return the table."""
    rows = [[name, f'{np.median(t):.2f}', f'{t.min():.2f}'] for name, t in times.items()]
    return (
        f'\n## Time\n\n`fuse` at 640x480, ms of CPU, one thread, {ROUNDS} rounds in turns, load '
        f'{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores. Budget: {BUDGET_MS:g} ms.\n\n'
        + table(['pattern', 'median', 'least'], rows)
    )
