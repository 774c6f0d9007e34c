"""Time of one fit at 640x480 on one core."""

import numpy as np
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.scale.correspondences import select_correspondences
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.disparity_measurement import measure_disparity
from mono_depth_ros.core.scale.fitting import METHODS
from mono_depth_ros.core.scale.ground_source import measure_ground
from mono_depth_ros.core.scale.local_correction import fit_local_correction
from mono_depth_ros.core.scale.tilt import Tilt

from ..measuring import in_turns
from .table import table

ROUNDS = 200
BUDGET_MS = 4
FOCAL_PX, BASELINE_M = 500.0, 0.1
NEAR_FAR = (0.1, 80.0)


def report() -> str:
    """Return the table of times."""
    disparity, prediction, image = _frame()
    random = np.random.default_rng(0)
    dense = measure_disparity(disparity, FOCAL_PX, BASELINE_M)
    few = torch.rand(disparity.shape, generator=torch.Generator().manual_seed(1)) < 0.03
    sparse = DepthMeasurement(dense.inverse_depth.masked_fill(~few, torch.nan), dense.noise)
    points = select_correspondences(prediction, dense, NEAR_FAR, random, image)
    alignment = METHODS['robust'](points, random).alignment
    camera = PinholeCamera.from_fov(640, 480, 65.0)
    candidates = {
        'observe disparity': lambda: measure_disparity(
            disparity, FOCAL_PX, BASELINE_M, min_disparity=0, max_disparity=63
        ),
        'select, dense': lambda: select_correspondences(prediction, dense, NEAR_FAR, random),
        'select, dense, with image': lambda: select_correspondences(
            prediction, dense, NEAR_FAR, random, image
        ),
        'select, 3 % known': lambda: select_correspondences(prediction, sparse, NEAR_FAR, random),
        **{
            f'fit {name}': (lambda method=method: method(points, random))
            for name, method in METHODS.items()
        },
        '**select with image + fit robust**': lambda: METHODS['robust'](
            select_correspondences(prediction, dense, NEAR_FAR, random, image), random
        ),
        'local correction': lambda: fit_local_correction(points, alignment),
        'observe ground': lambda: measure_ground(camera, 1.0, Tilt(0.2)),
    }
    times = in_turns(candidates, ROUNDS, torch.device('cpu'))
    rows = [
        [name, *(f'{1e3 * f(seconds):.2f}' for seconds in (t.wall, t.cpu) for f in _STATISTICS)]
        for name, t in times.items()
    ]
    head = ['640x480, ms', 'wall median', 'wall p90', 'CPU median', 'CPU p90']
    return (
        f'\n## Time\n\n{ROUNDS} rounds in turns; {len(points)} points. Budget of select + fit: '
        f'{BUDGET_MS} ms.\n\n' + table(head, rows)
    )


_STATISTICS = (np.median, lambda values: np.quantile(values, 0.9))


def _frame() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return disparity, a prediction and a picture of a floor with boxes, with holes and noise."""
    generator = torch.Generator().manual_seed(0)
    v, u = torch.meshgrid(torch.arange(480), torch.arange(640), indexing='ij')
    truth = 6 + (v - 200).clamp(min=0) * 0.12 + 8 * ((u // 80 + v // 120) % 3 == 0)
    noise = torch.randn(truth.shape, generator=generator)
    disparity = (16 * (truth + 0.3 * noise)).round() / 16
    disparity[torch.rand(truth.shape, generator=generator) < 0.15] = -1
    disparity[:, :64] = -1
    prediction = (0.2 * truth + 1).float()
    image = torch.randint(0, 256, (480, 640, 3), generator=generator).to(torch.uint8)
    return disparity, prediction, image
