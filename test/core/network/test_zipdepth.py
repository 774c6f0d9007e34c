"""ZipDepth against what the public implementation computes with the same parameters.

`zipdepth_parity.json` holds the names and shapes of a published checkpoint's entries, and every
eighth pixel of what that implementation (commit a302e54) makes of the picture below: with its
branches apart, and fused. It was run outside of this project.
"""

import json
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mono_depth_ros.core.errors import CheckpointError
from mono_depth_ros.core.network.checkpoints.zipdepth_layout import from_zipdepth
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.network.zipdepth import ZipDepth

State = dict[str, torch.Tensor]

STORED = json.loads((Path(__file__).parent / 'zipdepth_parity.json').read_text())
MEAN, STD = (
    torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
)
TOLERANCE = 2e-5
FILE = Path('zipdepth_base.pth')


def published() -> State:
    """Return a checkpoint whose parameters are a pure function of their names."""
    entries = {'mean': MEAN, 'std': STD}
    for name, shape in STORED['shapes'].items():
        random = np.random.RandomState(zlib.crc32(name.encode()))
        noise = random.standard_normal(shape).astype(np.float32)
        if name.endswith('running_var'):
            value = 0.5 + np.abs(noise)
        elif len(shape) == 1:
            value = float(name.endswith('weight')) + 0.1 * noise
        else:
            value = noise / np.sqrt(np.prod(shape[1:]))
        entries[name] = torch.from_numpy(value.astype(np.float32))
    entries['decoder.head_half.bias'] += 20  # keeps the last ReLU away from zero
    return entries


def picture() -> np.ndarray:
    """Return (120, 160, 3) uint8 RGB."""
    v, u = np.mgrid[:120, :160]
    return np.stack((u, 2 * v, (u // 16 + v // 16) % 2 * 160 + v // 2), -1).astype(np.uint8)


@pytest.fixture(scope='module')
def inverse_depth() -> np.ndarray:
    """Return what our network makes of the picture, every eighth pixel."""
    resized = torch.from_numpy(cv2.resize(picture(), (512, 384), interpolation=cv2.INTER_LINEAR))
    network = ZipDepth().eval()
    network.load_state_dict(from_zipdepth(FILE, published()))
    with torch.inference_mode():
        values = network((resized.permute(2, 0, 1)[None] / 255 - MEAN) / STD)
        whole = F.interpolate(values[None], (120, 160), mode='bilinear', align_corners=True)
    return whole[0, 0, 4::8, 4::8].numpy()


@pytest.mark.parametrize('form', ['unfused', 'fused'])
def test_parity(form: str, inverse_depth: np.ndarray) -> None:
    expected = np.array(STORED[form])
    assert expected.shape == (15, 20)
    assert 5 < expected.min() < expected.max() < 20
    assert expected.std() > 0.5
    assert np.abs(inverse_depth / expected - 1).max() < TOLERANCE


def test_size() -> None:
    count = sum(p.numel() for p in ZipDepth().parameters())
    assert 6.1e6 < count < 6.2e6


def test_what_training_adds_is_left_out() -> None:
    state = from_zipdepth(FILE, published())
    more = published() | {'encoder.stem_half.bn.num_batches_tracked': torch.tensor(7)}
    assert all(
        torch.equal(value, state[name]) for name, value in from_zipdepth(FILE, more).items()
    )


@pytest.mark.parametrize(
    ('name', 'value', 'why'),
    [
        ('decoder.convex_up.where_conv.0.weight', torch.zeros(16, 32, 1, 1), 'NPU form'),
        ('mean', torch.full((1, 3, 1, 1), 0.5), 'normalizes colors by mean 0.5000'),
        ('encoder.down3.branch_1x1.1.running_var', None, 'lacks encoder.down3'),
    ],
)
def test_other_checkpoints_are_refused(name: str, value: torch.Tensor | None, why: str) -> None:
    entries = published()
    if value is None:
        del entries[name]
    else:
        entries[name] = value
    with pytest.raises(CheckpointError, match=why):
        from_zipdepth(FILE, entries)


def test_a_published_file_runs(tmp_path: Path, inverse_depth: np.ndarray) -> None:
    """From the file, as training saves it, and a picture, to the numbers of the reference."""
    path = tmp_path / 'own.pth'
    entries = {f'_orig_mod.{name}': value for name, value in published().items()}
    torch.save({'model_state_dict': entries, 'epoch': 3}, path)
    with pytest.warns(RuntimeWarning, match='are these weights trained'):
        estimator = load_estimator(EstimatorSettings('zipdepth', checkpoint=str(path)))
    assert estimator.network_size(480, 640) == (384, 512)
    assert estimator.network_size(1080, 1920) == (384, 672)
    rgb = torch.from_numpy(picture())
    values = estimator.predict([rgb, rgb], (120, 160), [None, None])
    assert np.abs(values[1].values[4::8, 4::8].numpy() / inverse_depth - 1).max() < TOLERANCE


def test_weights_of_another_encoder_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'own.pth'
    torch.save(published(), path)
    with pytest.raises(CheckpointError, match='holds encoder zipdepth, but encoder tiny was'):
        load_estimator(EstimatorSettings('tiny', checkpoint=str(path), device='cpu'))
