"""What a take looks like: the panel, and the cloud of the frame in the middle of it."""

from pathlib import Path

import torch

from ...core.files.file_writers import write_ply
from ...core.outputs.cloud import CloudSettings, pack_cloud
from ...core.outputs.colormap import ColormapSettings
from ...offline.cloud_picture import Points, write_cloud_picture
from .collector import Sample
from .panel import Row, write_panel
from .source import NAMES
from .take import Depth, Take

_PANEL, _CLOUD, _CLOUD_PICTURE = 'panel.png', 'cloud.ply', 'cloud.png'

FILES = tuple(f'{name}_{kind}' for name in NAMES for kind in (_PANEL, _CLOUD, _CLOUD_PICTURE))
"""All that may be written."""


def draw(taken: Take, folder: Path) -> None:
    """Write panel, cloud and picture of the cloud, the latter unless there is no point.

    Raises:
        OSError: The folder cannot be written.
    """
    name = taken.source.name
    rows = [
        Row(shot.color, shot.colormap, shot.estimate.depth, shot.estimate.prediction, truth)
        for shot, truth in zip(taken.shown, taken.truths, strict=True)
    ]
    title = (
        f'{taken.source.title}: {len(rows)} of {taken.frames} frames, encoder tiny, '
        f'alignment {taken.source.shown.name}'
    )
    write_panel(folder / f'{name}_{_PANEL}', title, rows, ColormapSettings())
    i = len(taken.shown) // 2
    write_ply(folder / f'{name}_{_CLOUD}', taken.shown[i].points)
    clouds = _clouds(taken.shown[i], taken.truths[i])
    if clouds:
        camera = taken.shown[i].estimate.camera
        write_cloud_picture(folder / f'{name}_{_CLOUD_PICTURE}', clouds, camera)


def _clouds(sample: Sample, truth: Depth | None) -> dict[str, Points]:
    """Return the published cloud and that of the truth, as far as they have any points."""
    clouds = {'published': sample.points}
    if truth is not None:
        rays, rgb = sample.estimate.camera.rays(), torch.from_numpy(sample.color.copy())
        points = pack_cloud(torch.from_numpy(truth), rays, rgb, CloudSettings())
        clouds['truth'] = points.numpy()
    return {name: points for name, points in clouds.items() if len(points)}
