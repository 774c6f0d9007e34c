"""Evaluation against plain NumPy, written from the papers' formulas."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from mono_depth_ros.core.errors import EvaluationError, SettingsError
from mono_depth_ros.core.evaluation.depth_evaluation import (
    AlignmentKind,
    EvaluationResult,
    EvaluationSettings,
    evaluate,
    evaluate_best_fit,
    resized_to,
)
from mono_depth_ros.core.files.depth_files import read_map
from mono_depth_ros.core.types import PredictionKind

NONE, SCALE, SCALE_SHIFT = AlignmentKind
DEPTH, INVERSE, RELATIVE, RELATIVE_DEPTH = PredictionKind


def papers(z: np.ndarray, z_true: np.ndarray) -> dict[str, float]:
    """Return the measures of Eigen, Puhrsch and Fergus 2014 (and log10 of Saxena et al. 2009).

    SILog is the square root of their scale-invariant error in full, as the KITTI benchmark has it.
    """
    n = len(z)
    y, y_true = np.log(z), np.log(z_true)
    d = y - y_true
    ratio = np.maximum(z / z_true, z_true / z)
    return {
        'abs_rel': np.sum(np.abs(z - z_true) / z_true) / n,
        'sq_rel': np.sum((z - z_true) ** 2 / z_true) / n,
        'rmse': np.sqrt(np.sum((z - z_true) ** 2) / n),
        'rmse_log': np.sqrt(np.sum(d**2) / n),
        'log10': np.sum(np.abs(np.log10(z) - np.log10(z_true))) / n,
        'delta1': np.sum(ratio < 1.25) / n,
        'delta2': np.sum(ratio < 1.25**2) / n,
        'delta3': np.sum(ratio < 1.25**3) / n,
        'silog': 100 * np.sqrt(np.sum(d**2) / n - (np.sum(d) / n) ** 2),
    }


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a true depth with holes and a prediction of it that is off by scale, shift, noise."""
    random = np.random.default_rng(seed)
    v, u = np.mgrid[0:60, 0:80]
    truth = 1.5 + 4 * np.abs(np.sin(u / 30)) + v / 20
    truth[random.random(truth.shape) < 0.2] = np.nan
    inverse = (1 / np.nan_to_num(truth, nan=3.0) - 0.02) / 1.3
    depth = 1 / inverse * np.exp(random.normal(0, 0.08, truth.shape))
    depth[random.random(truth.shape) < 0.1] = np.nan
    return depth, truth


def evaluated(
    prediction: np.ndarray,
    truth: np.ndarray,
    kind: AlignmentKind,
    quantity: PredictionKind = DEPTH,
    **settings: float | str,
) -> EvaluationResult:
    return evaluate(
        torch.from_numpy(prediction),
        quantity,
        torch.from_numpy(truth),
        kind,
        EvaluationSettings(**settings),
    )


def agrees(result: EvaluationResult, z: np.ndarray, z_true: np.ndarray) -> None:
    for name, value in papers(z, z_true).items():
        assert getattr(result.metrics, name) == pytest.approx(value, rel=1e-9), name
    assert result.metrics.n == len(z)


def test_without_alignment() -> None:
    depth, truth = scene()
    both = np.isfinite(depth) & np.isfinite(truth)
    result = evaluated(depth, truth, NONE)
    agrees(result, depth[both], truth[both])
    assert result.coverage == both.sum() / np.isfinite(truth).sum()


def test_median_scale() -> None:
    depth, truth = scene()
    both = np.isfinite(depth) & np.isfinite(truth)
    factor = np.median(truth[both]) / np.median(depth[both])
    result = evaluated(depth, truth, SCALE)
    agrees(result, factor * depth[both], truth[both])
    assert result.alignment.scale == pytest.approx(1 / factor)
    assert result.alignment.shift == 0


@pytest.mark.parametrize('quantity', [DEPTH, INVERSE, RELATIVE])
def test_scale_and_shift_of_inverse_depth(quantity: PredictionKind) -> None:
    depth, truth = scene()
    both = np.isfinite(depth) & np.isfinite(truth)
    prediction = depth if quantity is DEPTH else 1 / depth
    if quantity is RELATIVE:
        prediction = 40 * prediction - 3
    p = (1 / prediction if quantity is DEPTH else prediction)[both]
    design = np.stack((p, np.ones_like(p)), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, 1 / truth[both], rcond=None)
    fitted = np.maximum(scale * p + shift, 1 / np.nanmax(truth))
    result = evaluated(prediction, truth, SCALE_SHIFT, quantity)
    agrees(result, 1 / fitted, truth[both])
    assert result.alignment.scale == pytest.approx(scale)
    assert result.alignment.shift == pytest.approx(shift)


def test_caps_choose_pixels_and_clip_predictions() -> None:
    depth, truth = scene()
    depth *= 0.7
    counts = (truth > 2.0) & (truth < 5.0) & np.isfinite(depth)
    result = evaluated(depth, truth, NONE, min_depth=2.0, max_depth=5.0)
    agrees(result, depth[counts].clip(2.0, 5.0), truth[counts])
    assert (depth[counts] > 5).any()
    assert (depth[counts] < 2).any()


def test_median_is_taken_before_clipping_over_pixels_that_count() -> None:
    depth, truth = scene()
    counts = (truth > 0.001) & (truth < 4.0) & np.isfinite(depth)
    factor = np.median(truth[counts]) / np.median(depth[counts])
    result = evaluated(depth, truth, SCALE, max_depth=4.0)
    agrees(result, (factor * depth[counts]).clip(0.001, 4.0), truth[counts])


@pytest.mark.parametrize(
    ('crop', 'size', 'rows', 'columns'),
    [
        ('garg', (370, 1224), (151, 366), (43, 1180)),
        ('garg', (375, 1242), (153, 371), (44, 1197)),
        ('eigen_kitti', (375, 1242), (124, 342), (44, 1197)),
        ('eigen_nyu', (480, 640), (45, 471), (41, 601)),
        ('eigen_nyu', (240, 320), (22, 235), (20, 300)),
        ('none', (3, 4), (0, 3), (0, 4)),
    ],
)
def test_crops(
    crop: str, size: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    counted = EvaluationSettings(crop=crop).counted(torch.ones(size)).numpy()
    expected = np.zeros(size, bool)
    expected[slice(*rows), slice(*columns)] = True
    np.testing.assert_array_equal(counted, expected)


def test_inverse_depth_is_evaluated_in_meters() -> None:
    truth = np.array([[1.0, 2.0, 4.0, 8.0]])
    result = evaluated(1 / truth, truth, NONE, INVERSE)
    assert result.metrics.rmse == pytest.approx(0)
    # Not positive is infinitely far, and counts as the farthest truth there is.
    result = evaluated(np.array([[1.0, 0.5, 0.25, -0.1]]), truth, NONE, INVERSE)
    assert result.metrics.rmse == pytest.approx(0)
    result = evaluated(np.array([[1.0, 0.5, 0.0, 0.125]]), truth, NONE, INVERSE)
    assert result.metrics.rmse == pytest.approx(2)


def test_metric_depth_beyond_the_truth_is_not_clipped_without_a_cap() -> None:
    truth = np.array([[1.0, 2.0]])
    assert evaluated(np.array([[1.0, 50.0]]), truth, NONE).metrics.abs_rel == 12
    assert evaluated(np.array([[1.0, 50.0]]), truth, NONE, max_depth=10.0).metrics.abs_rel == 2


def test_edges_are_evaluated_on_the_aligned_depth() -> None:
    truth = np.full((4, 6), 2.0)
    truth[:, 3:] = 3.0
    relative = 100 / truth + 5  # edges of it alone are weaker than those of depth
    result = evaluated(relative, truth, SCALE_SHIFT, RELATIVE)
    assert result.edge_f == pytest.approx(1)
    assert result.metrics.abs_rel == pytest.approx(0, abs=1e-9)


def test_fit_that_passes_zero_ends_at_the_farthest_truth() -> None:
    truth = torch.tensor([[1.0, 1.0, 1.0, 10.0, 9.0]])
    prediction = torch.tensor([[5.0, 5.0, 5.0, 0.0, -20.0]])
    depth = evaluate_best_fit(prediction, truth).depth
    assert float(depth.max()) == pytest.approx(10.0)
    assert bool((depth > 0).all())


def test_relative_depth_is_fitted_in_depth() -> None:
    truth = np.array([[1.0, 2.0, 4.0, 8.0, np.nan]])
    result = evaluated((truth - 2.5) / 3, truth, SCALE_SHIFT, RELATIVE_DEPTH)
    assert result.metrics.abs_rel == pytest.approx(0, abs=1e-9)
    assert (result.alignment.scale, result.alignment.shift) == pytest.approx((3, 2.5))
    assert result.alignment.quantity is DEPTH
    scaled = evaluated(truth / 3, truth, SCALE, RELATIVE_DEPTH)
    assert scaled.metrics.abs_rel == pytest.approx(0, abs=1e-9)
    behind = evaluated(np.array([[-1.0, 2.0, 4.0, 8.0, 1.0]]), truth, SCALE, RELATIVE_DEPTH)
    assert behind.coverage == 0.75


def test_which_alignment_serves_which_quantity() -> None:
    assert [kind for kind in AlignmentKind if kind.serves(DEPTH)] == list(AlignmentKind)
    assert [kind for kind in AlignmentKind if kind.serves(RELATIVE)] == [SCALE, SCALE_SHIFT]
    assert [k for k in AlignmentKind if k.serves(RELATIVE_DEPTH)] == [SCALE, SCALE_SHIFT]


def test_what_cannot_be_evaluated() -> None:
    depth, truth = scene()
    with pytest.raises(EvaluationError, match=r'no pixel of the truth.*max_depth 1\.0 m'):
        evaluated(depth, truth, NONE, max_depth=1.0)
    for unknown in (np.nan, 0.0, -1.0):
        with pytest.raises(EvaluationError, match='unknown wherever'):
            evaluated(np.full_like(truth, unknown), truth, NONE)
    with pytest.raises(EvaluationError, match='scale: the median depth is inf'):
        evaluated(np.full_like(truth, -1.0), truth, SCALE, RELATIVE)
    with pytest.raises(SettingsError, match='crop'):
        EvaluationSettings(crop='eigen')


def test_a_prediction_of_another_size_is_resized() -> None:
    prediction = torch.arange(12.0).reshape(3, 4)
    prediction[0, 0] = math.nan
    larger = resized_to(prediction, (6, 8))
    assert larger.shape == (6, 8)
    assert larger[5].tolist() == [8, 8.25, 8.75, 9.25, 9.75, 10.25, 10.75, 11]
    assert bool(larger[:2, :2].isnan().all())
    assert bool(larger[2:, 3:].isfinite().all())
    assert resized_to(prediction, (3, 4)) is prediction
    assert resized_to(torch.ones(480, 650), (480, 640)).shape == (480, 640)
    with pytest.raises(EvaluationError, match='another aspect ratio'):
        resized_to(torch.ones(480, 660), (480, 640))
    with pytest.raises(EvaluationError, match=r'400x300 px and the truth 800x900 px'):
        resized_to(torch.ones(300, 400), (900, 800))


def test_real_network_on_nyu(shared_dir: Path) -> None:
    folder = shared_dir / 'data/rgbd/nyu_fastdepth'
    depth, truth = read_map(folder / 'pred.npy'), read_map(folder / 'depth.npy')
    result = evaluated(depth, truth, NONE)
    stated = f'{result.metrics.abs_rel:.4f} {result.metrics.rmse:.3f} {result.metrics.delta1:.3f}'
    assert stated == '0.1405 0.618 0.777'
    counts = (truth > 0.001) & (depth > 0)
    agrees(result, depth[counts].astype(float), truth[counts].astype(float))
    granted = [evaluated(depth, truth, kind).metrics.abs_rel for kind in AlignmentKind]
    assert granted[2] < granted[0]
