"""Pictures of the drive: a panel of a few views, and the cloud of one, by several methods."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from ...core.camera.pinhole import PinholeCamera
from ...core.evaluation.metrics import depth_metrics
from ...core.files.file_writers import write_ply
from ...core.outputs.cloud import pack_cloud
from ...core.outputs.output_settings import CloudSettings
from ...offline.cloud_renderer import Points, write_cloud_picture
from ...offline.figures import Cell, Column, Palette, depth_palette, draw_rows
from .recorder import Depth, Sample
from .trial import DENSE_LIDAR, DEPTH_CAMERA, LIDAR, NONE, STEREO, Trial

PANEL, CLOUD, CLOUD_PICTURE = PICTURES = 'drive_panel.png', 'drive_cloud.ply', 'drive_cloud.png'
SHOWN = {
    NONE: 'network alone',
    STEREO: 'stereo + network',
    DEPTH_CAMERA: 'depth camera + network',
    DENSE_LIDAR: 'LiDAR of 64 beams + network',
}
"""Methods of the pictures, and what they are called there."""
_ROWS = 4


def draw_panel(path: Path, title: str, trials: Sequence[Trial]) -> None:
    """Write a few views, evenly spread, with their truth and their depth by the methods."""
    samples = most_answered(trials[0].samples, trials)
    numbers = {round(i * (len(samples) - 1) / (_ROWS - 1)) for i in range(_ROWS)}
    shown = [samples[number] for number in sorted(numbers)]
    palette = palette_of(shown)
    columns = [Column('image'), Column('truth', palette)]
    columns += [Column(name, palette) for name in SHOWN.values()]
    rows = []
    for sample in shown:
        depths = depths_of(sample, trials)
        cells = [Cell(depth, caption(depth, sample.truth)) for depth in depths.values()]
        rows.append([Cell(sample.color), Cell(sample.truth), *cells])
    views = f'{len(rows)} of {len(trials[0].samples)} views'
    draw_rows(path, f'{title}: {views}', columns, rows)


def draw_clouds(
    folder: Path, sample: Sample, trials: Sequence[Trial], camera: PinholeCamera
) -> None:
    """Write the clouds of a view by the methods, beside that of the truth, and one as PLY."""
    depths = depths_of(sample, trials)
    clouds = {SHOWN[name]: cloud(depth, sample, camera) for name, depth in depths.items()}
    write_ply(folder / CLOUD, clouds[SHOWN[STEREO]])
    clouds['truth'] = cloud(sample.truth, sample, camera)
    known = {name: points for name, points in clouds.items() if len(points)}
    write_cloud_picture(folder / CLOUD_PICTURE, known, camera)


def telling_view(trials: Sequence[Trial]) -> Sample | None:
    """Return the view with the most edges of depth, by stereo; None if that has no depth."""
    by_stereo = next(trial for trial in trials if trial.method == STEREO)
    known = [sample for sample in by_stereo.samples if _is_known(sample)]
    candidates = most_answered(known, trials)
    return max(candidates, key=lambda sample: _edges(sample.truth), default=None)


def most_answered(samples: Sequence[Sample], trials: Sequence[Trial]) -> list[Sample]:
    """Return those whose views more of the methods in the pictures have answered than of others.

    A slow machine leaves out views.
    """
    shown = [trial for trial in trials if trial.method in (*SHOWN, LIDAR)]
    known = [{made.view for made in trial.samples if _is_known(made)} for trial in shown]
    answers = [sum(sample.view in views for views in known) for sample in samples]
    most = max(answers, default=0)
    return [s for s, count in zip(samples, answers, strict=True) if count == most]


def palette_of(samples: Sequence[Sample]) -> Palette:
    """Return colors of depth that fit the true depth of samples."""
    near = min(float(sample.truth.min()) for sample in samples)
    far = max(float(sample.truth.max()) for sample in samples)
    return depth_palette(0.9 * near, 1.1 * far)


def depths_of(sample: Sample, trials: Sequence[Trial]) -> Mapping[str, Depth]:
    """Return depth (H, W) [m] of the view of a sample by the methods that are shown."""
    unknown = np.full_like(sample.truth, np.nan)
    found = {trial.method: trial.sample_of(sample.view) for trial in trials}
    return {name: unknown if (s := found[name]) is None else s.depth for name in SHOWN}


def cloud(depth: Depth, sample: Sample, camera: PinholeCamera) -> Points:
    """Return (N, 4) points of depth (H, W) [m] in the colors of a sample; see `pack_cloud`."""
    rgb = torch.from_numpy(sample.color.copy())
    z = torch.from_numpy(depth)
    points: Points = pack_cloud(z, camera.rays(), rgb, CloudSettings()).numpy()
    return points


def caption(depth: Depth, truth: Depth) -> str:
    """Return the error of depth (H, W) [m] where it is known, and how much of it is."""
    share = np.isfinite(depth).mean()
    return f'AbsRel {error_of(depth, truth):.3f} on {share:.0%} of the pixels' if share else ''


def error_of(depth: Depth, truth: Depth) -> float:
    """Return AbsRel of depth (H, W) [m] where it is known."""
    return depth_metrics(torch.from_numpy(depth), torch.from_numpy(truth)).abs_rel


def _is_known(sample: Sample) -> bool:
    return bool(np.isfinite(sample.depth).any())


def _edges(truth: Depth) -> float:
    """Return the share of neighbors in a row of which one is a tenth farther than the other."""
    return float((np.abs(np.diff(np.log(truth), axis=1)) > np.log(1.1)).mean())
