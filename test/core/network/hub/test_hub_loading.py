"""Loading a model of transformers: what is refused, and what the settings do."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_models import IMAGENET, depth_anything, dpt, glpn, processor, save
from safetensors.torch import load_file, save_file

from mono_depth_ros.core.errors import CheckpointError, DeviceError, LicenseError, SettingsError
from mono_depth_ros.core.network.cards.card_reader import read_network
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.hub.hub_estimator import HubEstimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings

DINO = processor(
    'DPT',
    size={'height': 56, 'width': 56},
    keep_aspect_ratio=True,
    ensure_multiple_of=14,
    **IMAGENET,
)


@pytest.fixture(scope='module')
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(depth_anything(), tmp_path_factory.mktemp('saved') / 'model', DINO)


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """Return a copy of a relative Depth Anything of random weights."""
    copy = tmp_path / 'model'
    copy.mkdir()
    for file in saved.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


def load(folder: Path, **settings: Any) -> HubEstimator:
    network = EstimatorSettings(network=f'hf:{folder}', **({'device': 'cpu'} | settings))
    with pytest.warns(RuntimeWarning, match='are these weights trained'):
        found = load_estimator(network)
    assert isinstance(found, HubEstimator)
    return found


def refused(folder: Path, error: type[Exception], match: str, **settings: Any) -> None:
    with pytest.raises(error, match=match):
        load_estimator(EstimatorSettings(network=f'hf:{folder}', device='cpu', **settings))


def test_settings(folder: Path) -> None:
    found = load(folder, input_size=70)
    assert found.network_size(240, 320) == (70, 98)
    assert (found.device.type, found.precision) == ('cpu', torch.float32)
    half = load(folder, precision='bf16')
    assert half.precision is torch.bfloat16
    assert {p.dtype for p in half.model.parameters()} == {torch.bfloat16}
    picture = torch.randint(0, 256, (56, 56, 3)).byte()
    (exact,), (rough,) = (n.predict([picture], (56, 56), [None]) for n in (load(folder), half))
    error = (rough.values - exact.values).abs().mean() / exact.values.abs().mean()
    assert 0 < error < 0.05
    refused(folder, SettingsError, 'provider is cpu, and hf:.* runs in PyTorch', provider='cpu')


def test_half_weights_are_run_in_full(folder: Path) -> None:
    weights = {
        name: value.half() for name, value in load_file(folder / 'model.safetensors').items()
    }
    save_file(weights, folder / 'model.safetensors', {'format': 'pt'})
    assert {p.dtype for p in load(folder).model.parameters()} == {torch.float32}


def test_license(folder: Path) -> None:
    (folder / 'README.md').write_text('---\nlicense: cc-by-nc-4.0\n---\n')
    refused(folder, LicenseError, 'licensed cc-by-nc-4.0')
    load(folder, accept_noncommercial=True)
    (folder / 'README.md').unlink()
    refused(folder, LicenseError, 'states no license')


def test_pickles_are_not_loaded(folder: Path) -> None:
    card = read_network(f'hf:{folder}')
    card.require_model()
    weights = load_file(folder / 'model.safetensors')
    (folder / 'model.safetensors').unlink()
    refused(folder, CheckpointError, 'lacks model.safetensors')
    torch.save(weights, folder / 'pytorch_model.bin')
    refused(folder, CheckpointError, 'a Python pickle, which may run code and was not loaded')
    with pytest.raises(CheckpointError, match='Python pickle'):
        card.require_model()


def test_shards(folder: Path) -> None:
    weights = load_file(folder / 'model.safetensors')
    (folder / 'model.safetensors').unlink()
    names = sorted(weights)
    parts = {'one.safetensors': names[::2], 'two.safetensors': names[1::2]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, folder / file, {'format': 'pt'})
    index = {name: file for file, part in parts.items() for name in part}
    path = folder / 'model.safetensors.index.json'
    path.write_text(json.dumps({'metadata': {}, 'weight_map': index}))
    load(folder)
    (folder / 'two.safetensors').unlink()
    refused(folder, CheckpointError, 'lacks two.safetensors')
    path.write_text(json.dumps({'weight_map': {'x': '../../etc/weights.safetensors'}}))
    refused(folder, CheckpointError, 'index of safetensors')


@pytest.mark.parametrize('content', [b'', b'no safetensors at all', b'\xff' * 100])
def test_damaged_weights(folder: Path, content: bytes) -> None:
    (folder / 'model.safetensors').write_bytes(content)
    refused(folder, CheckpointError, str(folder))


def test_truncated_weights(folder: Path) -> None:
    whole = (folder / 'model.safetensors').read_bytes()
    (folder / 'model.safetensors').write_bytes(whole[: len(whole) // 2])
    refused(folder, CheckpointError, str(folder))


def test_weights_of_another_model(folder: Path) -> None:
    weights = load_file(folder / 'model.safetensors')
    head = {name for name in weights if name.startswith('head.')}
    save_file(
        {n: v for n, v in weights.items() if n not in head},
        folder / 'model.safetensors',
        {'format': 'pt'},
    )
    refused(folder, CheckpointError, f'lack {len(head)} entries of DepthAnything')
    config = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps(config | {'fusion_hidden_size': 12}))
    refused(folder, CheckpointError, 'no model for depth.*config.json and weights are of one mod')


def test_what_a_fusion_never_uses_may_lack(folder: Path) -> None:
    whole = load(folder)
    weights = load_file(folder / 'model.safetensors')
    kept = {n: v for n, v in weights.items() if 'fusion_stage.layers.0.residual_layer1' not in n}
    assert len(kept) < len(weights)
    save_file(kept, folder / 'model.safetensors', {'format': 'pt'})
    picture = torch.randint(0, 256, (56, 56, 3)).byte()
    (one,), (other,) = (n.predict([picture], (56, 56), [None]) for n in (whole, load(folder)))
    assert torch.equal(one.values, other.values)


def test_constant_output(folder: Path) -> None:
    weights = load_file(folder / 'model.safetensors')
    weights |= {n: torch.zeros_like(v) for n, v in weights.items() if n.startswith('head.')}
    save_file(weights, folder / 'model.safetensors', {'format': 'pt'})
    refused(folder, CheckpointError, 'no depth')


def test_shapes_that_the_model_does_not_take(tmp_path: Path) -> None:
    content = processor('DPT', keep_aspect_ratio=True, ensure_multiple_of=32)
    save(dpt(), tmp_path / 'model', content)
    card = tmp_path / 'card.yaml'
    card.write_text('model: hf:model\noutput: {kind: depth}\nmeters: {rule: metric}\n')
    with pytest.raises(CheckpointError, match=r'fails on an input of \d+x\d+ px'):
        load_estimator(EstimatorSettings(network=str(card), device='cpu'))


def test_opposite_sign(tmp_path: Path) -> None:
    """A model whose output falls with the red of the floor, which rises towards the camera."""
    folder = save(glpn(), tmp_path / 'model', processor('GLPN'))
    found = load(folder)

    class Red(torch.nn.Module):
        def forward(self, pixel_values: torch.Tensor) -> Any:
            from transformers.modeling_outputs import DepthEstimatorOutput

            return DepthEstimatorOutput(predicted_depth=pixel_values[:, 0])

    from mono_depth_ros.core.network.cards.judgment import judge

    found.model = Red()
    with pytest.raises(CheckpointError, match='probably inverse_depth') as caught:
        judge(found)
    assert f'model: hf:{folder}\noutput: {{kind: relative_inverse_depth}}' in str(caught.value)


def test_without_the_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'transformers', None)
    refused(folder, DeviceError, r"needs transformers.*pip install 'transformers>=5,<6'")
    assert EstimatorSettings(network=f'hf:{folder}').kind.value == 'relative_inverse_depth'
