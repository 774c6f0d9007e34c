"""Floors covered by obstacles: which of them are refused, and how wrong depth is on the others."""

import math
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.scale import ground_source
from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter, AlignmentSettings
from mono_depth_ros.core.scale.ground_source import measure_ground
from mono_depth_ros.core.scale.tilt import Tilt
from mono_depth_ros.core.types import PredictionKind

from .table import percent, table

CAMERA = PinholeCamera(160, 120, 130.0, 125.0, 78.0, 61.0)
SIZE = (CAMERA.height, CAMERA.width)
HEIGHTS_M, PITCHES = (0.25, 0.8, 1.5), (0.05, 0.15, 0.25, 0.4)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.37, 0.45, 0.5)
TOLERANCES = (0.05, 0.1, 0.15)
SCENES = 30
ROWS_OF_THINGS = 10
NOISES = (0.0, 0.05)
FARTHEST_M = 60.0
COARSE = 4
"""Pixels between those at which the covered share is counted."""

Box = tuple[float, float, float, float, float]
"""Left, right, distance, length and height [m]; the camera stands at left 0, distance 0."""
Scene = tuple[float, float, npt.NDArray[np.float64], npt.NDArray[np.bool_]]
"""Height [m] and pitch [rad] of the camera, true inverse depth [1/m], and where floor is seen."""


def report() -> str:
    """Return the table of all tolerances, with an exact and with an inexact network."""
    random = np.random.default_rng(1)
    scenes = {share: list(_scenes(share, random)) for share in SHARES}
    head = ['covered', *(f'{t:.0%}, network {n:.0%}' for n in NOISES for t in TOLERANCES)]
    rows = [[f'{share:.0%}', *_cells(scenes[share])] for share in SHARES]
    return (
        '\n## Obstacles on the floor\n\n'
        'Columns: tolerance of the floor, and smooth error of the network. Cells: scenes that are '
        'accepted, and error of depth that 95 % of the free floor stays below, in the worst.\n\n'
        + table(head, rows)
    )


def _cells(scenes: list[Scene]) -> Iterator[str]:
    for noise in NOISES:
        for tolerance in TOLERANCES:
            random = np.random.default_rng(0)
            with patch.object(ground_source, '_TOLERANCE', tolerance):
                errors = [_error(scene, noise, random) for scene in scenes]
            known = [error for error in errors if not math.isnan(error)]
            worst = percent(max(known)) if known else ''
            yield f'{len(known)} of {len(errors)}: {worst}'


def _error(scene: Scene, noise: float, random: np.random.Generator) -> float:
    """Return the error of depth below which 95 % of the free floor is; NaN if refused."""
    height_m, pitch, inverse_depth, is_floor = scene
    waves = torch.from_numpy(random.normal(size=(1, 1, 6, 8)))
    smooth = F.interpolate(waves, SIZE, mode='bicubic')[0, 0]
    prediction = ((torch.from_numpy(inverse_depth) * (noise * smooth).exp() + 0.15) / 0.3).float()
    measured = measure_ground(CAMERA, height_m, Tilt(pitch))
    settings = AlignmentSettings(source='ground', camera_height=height_m, camera_pitch=pitch)
    aligner = AlignmentFilter(settings, PredictionKind.INVERSE_DEPTH)
    aligner.observe(0, prediction, {'ground': measured}, (0.1, 80.0))
    alignment, _ = aligner.current(0)
    if alignment is None:
        return math.nan
    free = measured.inverse_depth.isfinite().numpy() & is_floor
    found = alignment.inverse_depth(prediction).clamp(min=1e-6).numpy()
    return float(np.quantile(np.abs(inverse_depth[free] / found[free] - 1), 0.95))


def _scenes(share: float, random: np.random.Generator) -> Iterator[Scene]:
    """Yield floors whose zone is covered by that share, by boxes or by a row across the view."""
    for k in range(SCENES + ROWS_OF_THINGS if share else SCENES):
        height_m, pitch = float(random.choice(HEIGHTS_M)), float(random.choice(PITCHES))
        place = _row if k >= SCENES else _boxes
        boxes = place(height_m, pitch, share, random)
        if boxes is not None:
            yield height_m, pitch, *_render(height_m, pitch, boxes)


def _boxes(
    height_m: float, pitch: float, share: float, random: np.random.Generator
) -> list[Box] | None:
    boxes: list[Box] = []
    for _ in range(40):
        covered = _covered(height_m, pitch, boxes)
        if abs(covered - share) < 0.03:
            return boxes
        distance, width = random.uniform(1.2, 8.0), random.uniform(0.2, 2.5)
        across = random.uniform(-0.6, 0.6) * distance
        high = random.choice([random.uniform(0.05, 0.3), random.uniform(0.3, 3.0)])
        box = (across - width / 2, across + width / 2, distance, random.uniform(0.2, 1.5), high)
        scaled = [*boxes, tuple(height_m * side for side in box)]
        boxes = scaled if _covered(height_m, pitch, scaled) < share + 0.03 else boxes
    return None


def _row(
    height_m: float, pitch: float, share: float, random: np.random.Generator
) -> list[Box] | None:
    high = float(random.choice([0.4, 3.0]))
    for distance in np.linspace(1, 18, 60):
        sides = (-9.0, 9.0, float(distance), 0.5, high)
        row = [tuple(height_m * side for side in sides)]
        if _covered(height_m, pitch, row) < share + 0.02:
            return row
    return None


def _covered(height_m: float, pitch: float, boxes: list[Box]) -> float:
    zone = measure_ground(CAMERA, height_m, Tilt(pitch)).inverse_depth.isfinite().numpy()
    _, is_floor = _render(height_m, pitch, boxes, COARSE)
    return float((~is_floor)[zone[::COARSE, ::COARSE]].mean())


def _render(
    height_m: float, pitch: float, boxes: list[Box], step: int = 1
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return true inverse depth [1/m], and where the floor is what is seen."""
    x, y = (plane.double().numpy()[::step, ::step] for plane in CAMERA.rays())
    sine, cosine = math.sin(pitch), math.cos(pitch)
    ray = np.stack((x, cosine - y * sine, -sine - y * cosine), axis=-1)  # right, ahead, up
    origin = np.array((0.0, 0.0, height_m))
    with np.errstate(divide='ignore'):
        floor = np.where(ray[..., 2] < 0, -height_m / ray[..., 2], np.inf)
    depth = floor
    for left, right, distance, length, high in boxes:
        corners = np.array(((left, distance, 0.0), (right, distance + length, high)))
        with np.errstate(divide='ignore', invalid='ignore'):
            ends = (corners[:, None, None] - origin) / ray
        enter, leave = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
        depth = np.where((enter > 0) & (enter < leave) & (enter < depth), enter, depth)
    return 1 / np.minimum(depth, FARTHEST_M), depth == floor
