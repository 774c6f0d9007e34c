from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.evaluation.baselines import constant_baseline, row_gradient_baseline
from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit


def read_depth(path: Path, unit: float) -> torch.Tensor:
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    raw = raw[..., 0] if raw.ndim == 3 else raw
    return torch.from_numpy(raw.astype(np.float64) / unit)


def scores(truth: torch.Tensor) -> Iterator[str]:
    for baseline in (constant_baseline, row_gradient_baseline):
        result = evaluate_best_fit(baseline(*truth.shape), truth).metrics
        yield f'{result.abs_rel:.3f} / {result.delta1:.3f}'


@pytest.mark.parametrize(
    ('name', 'unit', 'constant', 'row_gradient'),
    [
        ('tum/depth.png', 5000, '0.124 / 0.837', '0.116 / 0.836'),
        ('redwood/depth_0.png', 1000, '0.234 / 0.519', '0.172 / 0.660'),
        ('icl_nuim/depth_1.png', 5000, '0.187 / 0.872', '0.186 / 0.807'),
        ('icl_nuim/depth_2.png', 5000, '0.328 / 0.335', '0.312 / 0.356'),
    ],
)
def test_baselines_score_as_recorded_on_depth_cameras(
    shared_dir: Path, name: str, unit: float, constant: str, row_gradient: str
) -> None:
    truth = read_depth(shared_dir / 'data/rgbd' / name, unit)
    assert tuple(scores(truth)) == (constant, row_gradient)


def test_baselines_score_as_recorded_on_cones(shared_dir: Path) -> None:
    disparity = read_depth(shared_dir / 'data/stereo/cones/disp_left.png', 4)
    assert tuple(scores(disparity.reciprocal())) == ('0.306 / 0.313', '0.112 / 0.870')


def test_baselines_on_motorcycle(shared_dir: Path) -> None:
    """The recorded row differs (0.218 / 0.548, 0.136 / 0.791); these follow from SOURCE.txt."""
    disparity = np.load(shared_dir / 'data/stereo/motorcycle/disp.npz')['arr_0']
    truth = torch.from_numpy(0.193001 * 994.978 / (disparity.astype(np.float64) + 31.086))
    assert tuple(scores(truth)) == ('0.229 / 0.493', '0.141 / 0.768')
