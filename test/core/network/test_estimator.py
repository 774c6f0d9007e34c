"""The estimator with small networks of random weights, and its way from a file."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from predictions import predicted
from safetensors.torch import load_file, save_file
from small_vit import SMALL

from mono_depth_ros.core.errors import CheckpointError, DeviceError, ImageError, SettingsError
from mono_depth_ros.core.network.checkpoints import store
from mono_depth_ros.core.network.checkpoints.table import CheckpointSpec
from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.core.network.depth_anything import DepthAnything
from mono_depth_ros.core.network.estimator import (
    EstimatorSettings,
    TorchEstimator,
    load_estimator,
)
from mono_depth_ros.core.network.prediction import Prediction
from mono_depth_ros.core.network.preprocessing import network_input
from mono_depth_ros.core.network.self_test import require_trained
from mono_depth_ros.core.types import PredictionKind
from mono_depth_ros.simulation.views import render_sample

CPU = torch.device('cpu')


def network(max_depth: float | None = 20.0) -> DepthAnything:
    torch.manual_seed(0)
    made = DepthAnything(SMALL, max_depth=max_depth)
    # Keeps a relative output above zero.
    made.depth_head.scratch.output_conv2[2].bias.data += 1
    return made


def picture(height: int, width: int) -> torch.Tensor:
    rng = np.random.default_rng(height * 10007 + width)
    return torch.from_numpy(rng.integers(0, 256, (height, width, 3), np.uint8))


@pytest.fixture(scope='module')
def metric() -> TorchEstimator:
    return TorchEstimator(network(), CPU)


@pytest.fixture
def checkpoint(tmp_path: Path, small_vits: None) -> Path:
    path = tmp_path / 'weights.safetensors'
    save_file(network(None).state_dict(), path)
    return path


def test_kind_follows_the_head(metric: TorchEstimator) -> None:
    relative = TorchEstimator(network(None), CPU)
    assert (metric.kind, metric.max_depth) == (PredictionKind.DEPTH, 20.0)
    assert (relative.kind, relative.max_depth) == (PredictionKind.RELATIVE_INVERSE_DEPTH, None)
    assert metric.device == CPU


def test_prediction_is_resized_with_aligned_corners(metric: TorchEstimator) -> None:
    rgb = picture(120, 160)
    with torch.inference_mode():
        raw = network().eval()(network_input(rgb, (126, 168)))[0].numpy()
    result = predicted(metric, rgb, (51, 77)).numpy()
    assert result.dtype == np.float32
    for v, u in ((0, 0), (0, 76), (50, 0), (50, 76), (20, 33)):
        y, x = v * 125 / 50, u * 167 / 76
        top, left = min(int(y), 124), min(int(x), 166)
        dy, dx = y - top, x - left
        rows = raw[top : top + 2, left : left + 2] @ (1 - dx, dx)
        assert result[v, u] == pytest.approx(rows @ (1 - dy, dy), rel=1e-4)


@pytest.mark.parametrize('size', [(1, 1), (1, 16), (5, 2), (13, 17), (127, 125)])
def test_any_size_of_image_and_result(metric: TorchEstimator, size: tuple[int, int]) -> None:
    wanted = (7, 300) if size == (1, 1) else size
    depth = predicted(metric, picture(*size), wanted)
    assert depth.shape == wanted
    assert ((depth > 0) & (depth < 20)).all()


@pytest.mark.parametrize(('height', 'width'), [(1, 17), (33, 2)])
def test_absurdly_narrow_image(metric: TorchEstimator, height: int, width: int) -> None:
    with pytest.raises(ImageError, match=f'{width}x{height} px; its sides differ more than 16'):
        predicted(metric, picture(height, width), (height, width))


def test_strides_do_not_matter(metric: TorchEstimator) -> None:
    wide = picture(90, 120)
    for view in (wide[::2, 1::3], wide[:, :50], wide.transpose(0, 1), wide.flip(-1)[5:]):
        size = tuple(view.shape[:2])
        assert torch.equal(predicted(metric, view, size), predicted(metric, view.clone(), size))


def test_order_of_colors_matters(metric: TorchEstimator) -> None:
    rgb = picture(60, 80)
    bgr = rgb.flip(-1)
    assert not torch.allclose(predicted(metric, rgb, (60, 80)), predicted(metric, bgr, (60, 80)))


def test_input_size_is_the_presets_own_unless_said(metric: TorchEstimator) -> None:
    assert metric.input_size == 126
    small = TorchEstimator(network(), CPU, input_size=70)
    assert small.input_size == 70
    rgb = picture(60, 80)
    with torch.inference_mode():
        raw = network().eval()(network_input(rgb, (70, 98)))[:, None]
    expected = F.interpolate(raw, (60, 80), mode='bilinear', align_corners=True)[0, 0]
    torch.testing.assert_close(predicted(small, rgb, (60, 80)), expected, rtol=1e-4, atol=1e-4)


def test_bfloat16_stays_close(metric: TorchEstimator) -> None:
    half = TorchEstimator(network(), CPU, torch.bfloat16)
    rgb = picture(60, 80)
    result, expected = predicted(half, rgb, (60, 80)), predicted(metric, rgb, (60, 80))
    assert result.dtype == torch.float32
    relative = ((result - expected).abs() / expected).max()
    assert 0 < relative < 0.03


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize(
    ('precision', 'tolerance'), [(torch.float32, 1e-3), (torch.float16, 0.01)]
)
def test_cuda_agrees_with_the_cpu(
    metric: TorchEstimator, precision: torch.dtype, tolerance: float
) -> None:
    cuda = TorchEstimator(network(), torch.device('cuda'), precision)
    rgb = picture(120, 160)
    result = predicted(cuda, rgb.to('cuda'), (120, 160)).cpu()
    expected = predicted(metric, rgb, (120, 160))
    assert ((result - expected).abs() / expected).max() < tolerance


def test_threads_are_as_before(metric: TorchEstimator) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        predicted(metric, picture(20, 30), (20, 30))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_loaded_from_a_file(checkpoint: Path) -> None:
    file = str(checkpoint)
    settings = EstimatorSettings('vits', 'relative', file, device='cpu', input_size=70)
    loaded = load_estimator(settings)
    assert loaded.kind is PredictionKind.RELATIVE_INVERSE_DEPTH
    assert (loaded.precision, loaded.input_size) == (torch.float32, 70)
    direct = TorchEstimator(network(None), CPU, input_size=70)
    rgb = picture(60, 80)
    prediction = predicted(loaded, rgb, (60, 80))
    assert prediction.min() > 0
    assert torch.equal(prediction, predicted(direct, rgb, (60, 80)))


@pytest.mark.parametrize(('stated', 'expected'), [(0.0, 20.0), (10.0, 10.0), (150.0, 150.0)])
def test_a_metric_checkpoint_of_another_maximum(
    checkpoint: Path, stated: float, expected: float
) -> None:
    settings = EstimatorSettings(
        'vits',
        'metric_indoor',
        str(checkpoint),
        device='cpu',
        input_size=70,
        checkpoint_max_depth=stated,
    )
    assert (settings.kind, settings.network_max_depth) == (PredictionKind.DEPTH, expected)
    loaded = load_estimator(settings)
    assert (loaded.kind, loaded.max_depth) == (PredictionKind.DEPTH, expected)
    rgb = picture(60, 80)
    direct = TorchEstimator(network(20.0), CPU, input_size=70)
    found, at_20_m = predicted(loaded, rgb, (60, 80)), predicted(direct, rgb, (60, 80))
    torch.testing.assert_close(found, at_20_m * expected / 20)


@pytest.mark.parametrize(
    ('values', 'complaint'),
    [
        ({'variant': 'metric_indoor'}, 'checkpoint_max_depth is 150.0 m without a checkpoint'),
        (
            {'variant': 'relative', 'checkpoint': 'x'},
            'with variant relative does not',
        ),
        ({'encoder': 'tiny', 'checkpoint': 'x'}, 'variant metric_indoor does not'),
        ({'variant': 'relative_v1', 'checkpoint': 'x'}, 'variant relative_v1 does not'),
    ],
)
def test_a_maximum_of_no_metric_checkpoint_is_refused(
    values: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        assert EstimatorSettings(**values, checkpoint_max_depth=150.0).network_max_depth


def test_a_published_file_keeps_its_maximum(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CheckpointSpec('vits', 'metric_indoor', 'x.pth', '', '', '', 0, 'Apache-2.0')
    monkeypatch.setattr(store, 'find_digest', lambda _: spec)
    values = {'encoder': 'vits', 'variant': 'metric_indoor', 'checkpoint': str(checkpoint)}
    with pytest.raises(SettingsError, match=r'is a published file, trained to 20\.0 m; set it'):
        load_estimator(EstimatorSettings(**values, device='cpu', checkpoint_max_depth=150.0))


def test_embedded_weights_know_near_from_far() -> None:
    estimator = load_estimator(EstimatorSettings('tiny', 'relative', device='cpu'))
    for seed in (10_000_000, 10_000_001, 10_000_002):
        view = render_sample(seed)
        prediction = predicted(estimator, view.rgb, tuple(view.depth.shape))
        pair = torch.stack((prediction.flatten(), 1 / view.depth.flatten()))
        assert torch.corrcoef(pair)[0, 1] > 0.6


@pytest.mark.parametrize(
    ('change', 'error', 'complaint'),
    [
        ({'device': 'cuda:7'}, DeviceError, r"device is 'cuda:7', .* use auto or cpu"),
        ({'precision': 'fp16'}, DeviceError, r'slower than fp32 on a CPU'),
        ({'variant': 'relative_v1'}, SettingsError, r"no variant 'relative_v1' of .* 'zipdepth'"),
        ({'checkpoint': '/nowhere/x.pth'}, CheckpointError, r'/nowhere/x.pth does not exist'),
        ({'encoder': 'tiny', 'variant': 'relative'}, CheckpointError, r'holds encoder vits, but'),
    ],
)
def test_what_cannot_be_loaded(
    checkpoint: Path, change: dict[str, str], error: type[Exception], complaint: str
) -> None:
    if change.get('device') == 'cuda:7' and torch.cuda.device_count() > 7:
        pytest.skip('this machine has eight CUDA devices')
    values = {'encoder': 'vits', 'variant': 'relative', 'checkpoint': str(checkpoint)} | change
    if 'relative_v1' in values.values():
        values['encoder'] = 'zipdepth'
    with pytest.raises(error, match=complaint):
        load_estimator(EstimatorSettings(**values))


def test_precision_that_computes_wrong_results_is_refused(
    tmp_path: Path, small_vits: None
) -> None:
    """It computes about 1600.4 - 16 * 100; bfloat16 has no number between 1600 and 1608."""
    state = network(None).state_dict()
    state['depth_head.scratch.output_conv2.0.weight'].mul_(1e-4)
    for entry, value in (('0.bias', 1), ('2.weight', -100), ('2.bias', 1600.4)):
        state[f'depth_head.scratch.output_conv2.{entry}'].fill_(value)
    path = tmp_path / 'weights.safetensors'
    save_file(state, path)
    weights = 'vits', 'relative', str(path)
    settings = EstimatorSettings(*weights, device='cpu', precision='bf16')
    with pytest.raises(DeviceError, match=r'bfloat16 differs from fp32 by .*; set precision to'):
        load_estimator(settings)
    exact = EstimatorSettings(*weights, device='cpu')
    assert load_estimator(exact).precision == torch.float32


def spoilt(tmp_path: Path, spoil: Callable[[dict[str, torch.Tensor]], None]) -> EstimatorSettings:
    """Return settings that load the embedded weights, spoilt."""
    state = load_file(store.obtain('tiny').path)
    spoil(state)
    path = tmp_path / 'spoilt.safetensors'
    save_file(state, path)
    return EstimatorSettings('tiny', checkpoint=str(path))


def zero(state: dict[str, torch.Tensor]) -> None:
    for weights in state.values():
        weights.zero_()


def dead_head(state: dict[str, torch.Tensor]) -> None:
    state['head.weight'].zero_()
    state['head.bias'].fill_(-6e4)


def huge(state: dict[str, torch.Tensor]) -> None:
    for weights in state.values():
        weights.fill_(6e4)


@pytest.mark.parametrize('spoil', [zero, dead_head, huge])
def test_weights_that_give_no_depth_are_refused(
    tmp_path: Path, spoil: Callable[[dict[str, torch.Tensor]], None]
) -> None:
    with pytest.raises(CheckpointError, match='which is no depth'):
        load_estimator(spoilt(tmp_path, spoil))


@pytest.mark.parametrize('seed', [0, 3, 9, 12, 17])
def test_weights_that_seem_untrained_are_warned_of(tmp_path: Path, seed: int) -> None:
    torch.manual_seed(seed)
    save_file(CompactDepth().state_dict(), tmp_path / 'random.safetensors')
    settings = EstimatorSettings('tiny', checkpoint=str(tmp_path / 'random.safetensors'))
    with pytest.warns(RuntimeWarning, match='are these weights trained'):
        load_estimator(settings)


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('size', [0, 96, 320, 518])
def test_trained_weights_are_not_warned_of_at_any_input_size(size: int) -> None:
    estimator = load_estimator(EstimatorSettings('tiny', input_size=size))
    assert estimator.input_size == (size or 192)


def test_metric_depth_has_to_grow_upwards() -> None:
    rows = torch.arange(240.0)[:, None].expand(240, 320)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        require_trained(Prediction(10 - rows / 30, PredictionKind.DEPTH), 'x')
        require_trained(Prediction(rows, PredictionKind.INVERSE_DEPTH), 'x')
        require_trained(Prediction(rows, PredictionKind.RELATIVE_INVERSE_DEPTH), 'x')
    with pytest.warns(RuntimeWarning, match=r'correlation -1\.00'):
        require_trained(Prediction(rows, PredictionKind.DEPTH), 'x')
