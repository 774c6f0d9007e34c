"""The whole path against what the reference implementation computes, for every stored case.

Weights are a pure function of their names, so no download is needed; see golden/README.md.
"""

import importlib.util
import json
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from predictions import predicted

from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.types import PredictionKind

State = dict[str, torch.Tensor]

TOLERANCE = 2e-5
CASES = (
    'relative_vits_126',
    'relative_vits_518',
    'relative_v1_vits_126',
    'metric_vits_126',
    'relative_vitb_126',
    'relative_v1_vitb_126',
    'metric_vitb_126',
)
LARGE_CASES = ('relative_vitl_126', 'relative_vitg_70')
SIZE = (120, 160)


@pytest.fixture(scope='module')
def golden_dir(shared_dir: Path) -> Path:
    return shared_dir / 'golden'


@pytest.fixture(scope='module')
def weights(golden_dir: Path) -> Callable[[str], State]:
    """Return what gives an encoder's weights; the latest are kept, since they take seconds."""
    spec = importlib.util.spec_from_file_location('filler', golden_dir / 'filler.py')
    assert spec is not None
    assert spec.loader is not None
    filler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(filler)

    @lru_cache(maxsize=1)
    def fill(encoder: str) -> State:
        shapes = json.loads((golden_dir / f'shapes_{encoder}.json').read_text())
        return {
            name: torch.from_numpy(filler.fill(name, tuple(shape)))
            for name, shape in shapes.items()
        }

    return fill


@pytest.fixture(scope='module')
def picture(golden_dir: Path) -> torch.Tensor:
    bgr = cv2.imread(str(golden_dir / 'input.png'))
    assert bgr.shape == (*SIZE, 3)
    return torch.from_numpy(bgr[..., ::-1].copy())


def estimator(case: str, weights: Callable[[str], State]) -> TorchEstimator:
    """Return the network of a case with the weights that its entries' names stand for."""
    named = re.fullmatch(r'(relative_v1|relative|metric)_(vit[a-z])_(\d+)', case)
    assert named is not None
    variant, encoder, input_size = named.groups()
    with torch.device('meta'):
        network = DepthAnything(
            PRESETS[encoder],
            v1=variant == 'relative_v1',
            max_depth=20.0 if variant == 'metric' else None,
        )
    network.load_state_dict(weights(encoder), strict=True, assign=True)
    return TorchEstimator(network, torch.device('cpu'), input_size=int(input_size))


def check_case(
    case: str, golden_dir: Path, weights: Callable[[str], State], picture: torch.Tensor
) -> None:
    ours = estimator(case, weights)
    metric = case.startswith('metric')
    kind = PredictionKind.DEPTH if metric else PredictionKind.RELATIVE_INVERSE_DEPTH
    assert ours.kind is kind
    with np.load(golden_dir / f'{case}.npz') as stored:
        expected = stored['depth' if metric else 'inverse_depth']
    assert expected.shape == SIZE
    assert expected.min() > 0
    result = predicted(ours, picture, SIZE).numpy()
    assert result.dtype == np.float32
    assert (np.abs(result - expected) / expected).max() < TOLERANCE
    if metric:
        assert 0 < result.min() < result.max() < 20


def test_variants_differ(weights: Callable[[str], State], picture: torch.Tensor) -> None:
    """Same weights, other features or another head: parity above cannot be a coincidence."""
    v2 = predicted(estimator('relative_vits_126', weights), picture, SIZE)
    v1 = predicted(estimator('relative_v1_vits_126', weights), picture, SIZE)
    assert ((v1 - v2).abs() / v2).mean() > 1000 * TOLERANCE


@pytest.mark.parametrize('case', CASES)
def test_parity(
    case: str, golden_dir: Path, weights: Callable[[str], State], picture: torch.Tensor
) -> None:
    check_case(case, golden_dir, weights, picture)


@pytest.mark.large
@pytest.mark.parametrize('case', LARGE_CASES)
def test_parity_of_the_large_ones(
    case: str, golden_dir: Path, weights: Callable[[str], State], picture: torch.Tensor
) -> None:
    check_case(case, golden_dir, weights, picture)


def test_every_stored_case_is_compared(golden_dir: Path) -> None:
    assert {path.stem for path in golden_dir.glob('*.npz')} == {*CASES, *LARGE_CASES}


@pytest.mark.parametrize('encoder', ['vits', 'vitb', 'vitl', 'vitg'])
def test_entries_are_those_of_the_official_checkpoints(golden_dir: Path, encoder: str) -> None:
    with torch.device('meta'):
        state = DepthAnything(PRESETS[encoder]).state_dict()
    shapes = json.loads((golden_dir / f'shapes_{encoder}.json').read_text())
    assert {name: list(value.shape) for name, value in state.items()} == shapes
