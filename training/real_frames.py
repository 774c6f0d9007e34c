"""The real frames that ../shared/data holds, as questions of relative depth."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

SHARED = Path(__file__).resolve().parents[2] / 'shared/data'

FOCAL_PX = {'motorcycle': 994.978, 'tum': 525.0, 'redwood': 525.0, 'icl_nuim': 481.2}
"""Focal lengths of the frames by the first word of their names [px]; `cones` has none."""


def real_frames(folder: Path = SHARED) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Yield name, RGB (H, W, 3) uint8 and depth (H, W) float32 [m], 0 or not finite = unknown.

    The depth of `cones` has no unit: its inverse is the disparity.
    """
    left, disparity = folder / 'stereo/motorcycle/left.png', folder / 'stereo/motorcycle/disp.npz'
    motorcycle = np.load(disparity)['arr_0']
    yield 'motorcycle', _rgb(left), torch.from_numpy(994.978 * 0.193001 / (motorcycle + 31.086))
    cones = _integers(folder / 'stereo/cones/disp_left.png')
    yield 'cones', _rgb(folder / 'stereo/cones/left.png'), (4 / cones).nan_to_num(posinf=0.0)
    tum = folder / 'rgbd/tum'
    yield 'tum', _rgb(tum / 'color.png'), _integers(tum / 'depth.png') / 5000
    for k in range(5):
        redwood = folder / 'rgbd/redwood'
        depth = _integers(redwood / f'depth_{k}.png') / 1000
        yield f'redwood {k}', _rgb(redwood / f'color_{k}.jpg'), depth
    for k in range(1, 6):
        icl = folder / 'rgbd/icl_nuim'
        yield (
            f'icl_nuim {k}',
            _rgb(icl / f'color_{k}.png'),
            _integers(icl / f'depth_{k}.png') / 5000,
        )


def _rgb(path: Path) -> torch.Tensor:
    bgr = cv2.imread(str(path))
    return torch.from_numpy(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def _integers(path: Path) -> torch.Tensor:
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return torch.from_numpy(values.astype(np.float32))
