"""Every class of transformers for depth, beside the library's own processor and formulas."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hub_models import (
    IMAGENET,
    depth_anything,
    depth_pro,
    dpt,
    dpt_dinov2,
    glpn,
    processor,
    prompt_depth_anything,
    save,
    zoedepth,
)

from mono_depth_ros import MonoDepth
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.cards.card_reader import read_network
from mono_depth_ros.core.network.hub.hub_card import HubCard
from mono_depth_ros.core.network.hub.hub_estimator import HubEstimator
from mono_depth_ros.core.network.hub.hub_loading import load_model
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import PipelineSettings
from mono_depth_ros.core.types import PredictionKind

DEPTH, RELATIVE = PredictionKind.DEPTH, PredictionKind.RELATIVE_INVERSE_DEPTH
FIT = 'output: {kind: relative_inverse_depth}\nmeters: {rule: fit}\n'
DINO = {'keep_aspect_ratio': True, 'ensure_multiple_of': 14, **IMAGENET}
BYTES = {
    'image_mean': [123.675, 116.28, 103.53],
    'image_std': [58.395, 57.12, 57.375],
    'do_rescale': False,
    'do_resize': False,
    'do_pad': True,
    'size_divisor': 14,
}
WIDTH, HEIGHT = 84, 56


def picture(height: int, width: int) -> np.ndarray:
    """Return a smooth picture (H, W, 3) uint8, of which resizing loses little."""
    v, u = np.mgrid[:height, :width]
    return np.stack((60 + v, u + v // 2, 220 - u), axis=-1).astype(np.uint8)


def estimator(folder: Path, card: str = '') -> HubEstimator:
    """Return the estimator of a saved model, by a card of these lines if there are any."""
    name = f'hf:{folder}'
    if card:
        path = folder.parent / 'card.yaml'
        path.write_text(f'model: hf:{folder.name}\n{card}')
        name = str(path)
    found = read_network(name)
    assert isinstance(found, HubCard)
    return HubEstimator(found, load_model(found), torch.device('cpu'), torch.float32)


def predicted(
    network: HubEstimator, rgb: np.ndarray, camera: PinholeCamera | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return values (H, W) of an image at its own size, and where they are valid."""
    (found,) = network.predict([torch.from_numpy(rgb)], rgb.shape[:2], [camera])
    assert found.reason_unknown == ''
    assert found.valid is not None
    return found.values.numpy(), found.valid.numpy()


def published(network: HubEstimator, name: str, rgb: np.ndarray) -> np.ndarray:
    """Return what the library's processor, model and post-processing make of an image, (H, W)."""
    import transformers

    theirs = getattr(transformers, f'{name}ImageProcessorPil').from_pretrained(network.card.folder)
    with torch.inference_mode():
        outputs = network.model(**theirs(images=rgb, return_tensors='pt'))
    (made,) = theirs.post_process_depth_estimation(outputs, target_sizes=[rgb.shape[:2]])
    return made['predicted_depth'].numpy()


def raw(network: HubEstimator, name: str, rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the model's output for the input of the library's processor, resized as we do."""
    import transformers

    theirs = getattr(transformers, f'{name}ImageProcessorPil').from_pretrained(network.card.folder)
    with torch.inference_mode():
        outputs = network.model(**theirs(images=rgb, return_tensors='pt')).predicted_depth
    return F.interpolate(outputs[None], size, mode='bilinear')[0, 0].numpy()


def relative() -> torch.nn.Module:
    return depth_anything(depth_estimation_type='relative')


def metric() -> torch.nn.Module:
    return depth_anything(depth_estimation_type='metric', max_depth=20)


@pytest.mark.parametrize(
    ('model', 'family', 'preprocessing', 'card', 'kind', 'size'),
    [
        (relative, 'DPT', DINO | {'size': {'height': 56, 'width': 56}}, '', RELATIVE, (56, 84)),
        (metric, 'DPT', DINO | {'size': {'height': 56, 'width': 56}}, '', DEPTH, (56, 84)),
        (glpn, 'GLPN', {}, '', DEPTH, (64, 96)),
        (dpt, 'DPT', {}, FIT, RELATIVE, (64, 64)),
        (dpt, 'DPT', {}, 'output: {kind: depth}\nmeters: {rule: metric}\n', DEPTH, (64, 64)),
        (prompt_depth_anything, 'DPT', DINO, FIT, RELATIVE, (56, 84)),
    ],
)
def test_values_are_those_of_the_library(
    tmp_path: Path,
    model: Callable[[], torch.nn.Module],
    family: str,
    preprocessing: dict[str, Any],
    card: str,
    kind: PredictionKind,
    size: tuple[int, int],
) -> None:
    if model is prompt_depth_anything:
        preprocessing = preprocessing | {'size': {'height': 56, 'width': 56}}
    folder = save(model(), tmp_path / 'model', processor(family, **preprocessing))
    network, rgb = estimator(folder, card), picture(*size)
    assert network.kind is kind
    assert network.network_size(*size) == size
    values, valid = predicted(network, rgb)
    expected = published(network, family, rgb)
    assert expected.std() > 0.01 * expected.mean()
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5 * expected.max())
    limits = network.card.depth_range
    known = expected <= (limits[1] if limits else np.inf)
    if kind is PredictionKind.DEPTH:
        known &= expected > 0
    assert (valid == known).all()


def test_padding_is_cut_off(tmp_path: Path) -> None:
    folder = save(dpt_dinov2(), tmp_path / 'model', processor('DPT', **BYTES))
    network, rgb = estimator(folder, FIT), picture(50, 80)
    values, valid = predicted(network, rgb)
    assert valid.all()
    # The library's own post-processing would squeeze the border into the picture.
    whole = raw(network, 'DPT', rgb, (56, 84))
    np.testing.assert_allclose(values, whole[3:53, 2:82], rtol=1e-3, atol=1e-5 * whole.max())


@pytest.mark.parametrize('heads', [1, 2])
def test_zoedepth(tmp_path: Path, heads: int) -> None:
    folder = save(zoedepth(heads), tmp_path / 'model', processor('ZoeDepth'))
    network, rgb = estimator(folder), picture(64, 96)
    assert network.kind is DEPTH
    values, valid = predicted(network, rgb)
    assert valid.all()
    # A border of int(3 sqrt(n / 2)) px on each side: 16 of 64 rows, 20 of 96 columns.
    expected = raw(network, 'ZoeDepth', rgb, (64 + 32, 96 + 40))[16:80, 20:116]
    assert expected.std() > 0.01 * expected.mean()
    # The library keeps the centers of the corners when it resizes the picture.
    assert np.abs(values - expected).mean() < 0.2 * expected.std()
    (alone,) = network.predict([torch.from_numpy(rgb)], (64, 96), [None])
    noise = torch.randint(0, 256, (64, 96, 3), generator=torch.Generator().manual_seed(1))
    both = network.predict([torch.from_numpy(rgb), noise.byte()], (64, 96), [None, None])
    assert torch.equal(both[0].values, alone.values)


CAMERA = PinholeCamera(32, 32, 40.0, 40.0, 15.5, 15.5)


def depth_pro_parts(network: HubEstimator, rgb: np.ndarray) -> tuple[np.ndarray, float]:
    """Return canonical inverse depth (H, W) and field of view [deg]; its processor needs more."""
    pixels = (torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255 - 0.5) / 0.5
    with torch.inference_mode():
        outputs = network.model(pixel_values=pixels)
    fov = outputs.field_of_view
    values = F.interpolate(outputs.predicted_depth[None], (32, 32), mode='bilinear')[0, 0]
    return values.numpy(), math.nan if fov is None else float(fov)


def test_depth_pro_uses_the_camera_or_its_own_estimate(tmp_path: Path) -> None:
    folder = save(depth_pro(), tmp_path / 'model', processor('DepthPro'))
    network, rgb = estimator(folder), picture(32, 32)
    canonical, fov_deg = depth_pro_parts(network, rgb)
    assert fov_deg == pytest.approx(60.0)
    assert canonical.std() > 1e-3
    for camera, focal_px in (
        (CAMERA, CAMERA.fx),
        (CAMERA.resized(640, 640), CAMERA.fx),
        (None, 16 / math.tan(math.radians(30))),
    ):
        values, _ = predicted(network, rgb, camera)
        np.testing.assert_allclose(values, canonical * 32 / focal_px, rtol=1e-4, atol=1e-6)
    (found,) = network.predict([torch.from_numpy(rgb)], (32, 32), [CAMERA])
    assert found.kind is PredictionKind.INVERSE_DEPTH


def test_depth_pro_without_either_knows_no_depth(tmp_path: Path) -> None:
    folder = save(depth_pro(use_fov_model=False), tmp_path / 'model', processor('DepthPro'))
    network, rgb = estimator(folder), picture(32, 32)
    (found,) = network.predict([torch.from_numpy(rgb)], (32, 32), [None])
    assert 'needs the focal length' in found.reason_unscaled
    assert found.values.isfinite().all()
    assert depth_pro_parts(network, rgb)[0].shape == predicted(network, rgb, CAMERA)[0].shape


def test_focal_correction_needs_the_training_focal_length(tmp_path: Path) -> None:
    folder = save(glpn(), tmp_path / 'model', processor('GLPN'))
    rgb = picture(64, 96)
    (found,) = estimator(folder).predict([torch.from_numpy(rgb)], (64, 96), [CAMERA])
    assert 'training_focal_px' in found.reason_unknown
    meters = 'meters: {rule: metric, training_focal_px: 80}\n'
    network = estimator(folder, f'output: {{kind: depth}}\n{meters}')
    plain, _ = predicted(network, rgb)
    wide = PinholeCamera(96, 64, 40.0, 40.0, 47.5, 31.5)
    np.testing.assert_allclose(predicted(network, rgb, wide)[0], plain / 2, rtol=1e-5)


def test_from_picture_to_meters(tmp_path: Path) -> None:
    rgb = picture(HEIGHT, WIDTH)
    preprocessing = processor('DPT', **DINO | {'size': {'height': 56, 'width': 56}})
    folder = save(metric(), tmp_path / 'metric', preprocessing)
    no_filter = EdgeFilterSettings(enabled=False)
    settings = PipelineSettings(min_depth=1e-3, max_depth=100.0, edge_filter=no_filter)
    with pytest.warns(RuntimeWarning, match='are these weights trained'):
        model = MonoDepth(network=f'hf:{folder}', device='cpu', settings=settings)
    expected = published(estimator(folder), 'DPT', rgb)
    found = model(rgb).depth
    known = (expected <= 0.98 * 20) & (expected >= 1e-3)
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-3)
    assert np.isnan(found[~known]).all()

    folder = save(relative(), tmp_path / 'relative', preprocessing)
    with pytest.warns(RuntimeWarning, match='are these weights trained'):
        model = MonoDepth(
            network=f'hf:{folder}', scale=0.5, shift=0.1, device='cpu', settings=settings
        )
    expected = published(estimator(folder), 'DPT', rgb)
    np.testing.assert_allclose(model(rgb).depth, 1 / (0.5 * expected + 0.1), rtol=1e-3)
