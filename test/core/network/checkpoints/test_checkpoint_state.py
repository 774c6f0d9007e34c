import argparse
import json
import pathlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from damage import damaged
from safetensors.torch import save_file
from small_vit import SMALL

from mono_depth_ros.core.errors import CheckpointError
from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything

State = dict[str, torch.Tensor]

MASK = 'pretrained.mask_token'
BIAS = 'depth_head.scratch.output_conv2.2.bias'


@pytest.fixture
def small(small_vits: None) -> State:
    torch.manual_seed(0)
    return DepthAnything(SMALL).state_dict()


def hollow(encoder: str) -> State:
    """Return the entries of any preset with all their shapes and hardly a byte."""
    with torch.device('meta'):
        state = DepthAnything(PRESETS[encoder]).state_dict()
    return {name: torch.full((1,), 0.5).expand(value.shape) for name, value in state.items()}


def saved(folder: Path, content: object, name: str = 'file.pth') -> Path:
    path = folder / name
    torch.save(content, path)
    return path


def refusal(path: Path, encoder: str = 'vits') -> str:
    """Return why a file is refused; every message must name the file."""
    with pytest.raises(CheckpointError) as refused:
        load_state(path, encoder)
    assert str(refused.value).startswith(f'{path} ')
    return str(refused.value).removeprefix(f'{path} ')


def assert_equal(state: State, expected: State) -> None:
    assert list(state) == list(expected)
    for name, value in expected.items():
        assert state[name].dtype == torch.float32
        assert torch.equal(state[name], value.float()), name


@pytest.mark.parametrize('legacy', [False, True])
def test_pth_is_read_exactly(tmp_path: Path, small: State, legacy: bool) -> None:
    path = tmp_path / 'file.pth'
    torch.save(small, path, _use_new_zipfile_serialization=not legacy)
    state = load_state(path, 'vits')
    assert_equal(state, small)
    DepthAnything(SMALL, max_depth=20.0).load_state_dict(state, strict=True)


def test_safetensors_in_half_precision_becomes_float32(tmp_path: Path, small: State) -> None:
    half = {name: value.half() for name, value in small.items()}
    save_file(half, tmp_path / 'file.safetensors')
    assert_equal(load_state(tmp_path / 'file.safetensors', 'vits'), half)


def test_bytes_decide_not_the_suffix(tmp_path: Path, small: State) -> None:
    save_file(small, tmp_path / 'really_safetensors.pth')
    assert_equal(load_state(tmp_path / 'really_safetensors.pth', 'vits'), small)


@pytest.mark.parametrize(
    'wrapper',
    ['model', 'state_dict', 'model_state_dict', 'net', 'params', 'generator_ema', 'weights'],
)
def test_wrapper_of_training_is_taken_off(tmp_path: Path, small: State, wrapper: str) -> None:
    distributed = {f'module.{name}': value for name, value in small.items()}
    best = {'d1': 0.9, 'abs_rel': 0.05}
    path = saved(tmp_path, {wrapper: distributed, 'epoch': 3, 'previous_best': best})
    assert_equal(load_state(path, 'vits'), small)


@pytest.mark.parametrize(
    'prefix',
    ['_orig_mod.', 'model.', 'module.', 'module._orig_mod.model.', 'model.module.', 'a.b.net.'],
)
@pytest.mark.parametrize('wrappers', [(), ('checkpoint', 'model_state_dict')])
def test_prefixes_in_any_order(
    tmp_path: Path, small: State, prefix: str, wrappers: tuple[str, ...]
) -> None:
    content: object = {f'{prefix}{name}': value for name, value in small.items()}
    for wrapper in wrappers:
        content = {wrapper: content, 'model': {}, 'optimizer': {'state': {0: torch.ones(3)}}}
    assert_equal(load_state(saved(tmp_path, content), 'vits'), small)


def test_parts_compiled_alone_and_losses_beside_the_network(tmp_path: Path, small: State) -> None:
    compiled = {name.replace('.blocks.', '.blocks._orig_mod.'): v for name, v in small.items()}
    content = {f'model.{name}': value for name, value in compiled.items()}
    content |= {'loss.weight': torch.ones(3), 'epoch': 7, 'name': 'mine', 'lr': 1e-4}
    assert_equal(load_state(saved(tmp_path, content), 'vits'), small)


def test_two_networks_are_not_chosen_from(tmp_path: Path, small: State) -> None:
    message = refusal(saved(tmp_path, {'model': small, 'ema': small}))
    assert message.startswith('holds several networks: model, ema; save one alone')


@pytest.mark.parametrize(
    'beside',
    [argparse.Namespace(lr=1.0), np.float64(0.5), pathlib.PurePosixPath('a'), np.ones(3)],
)
def test_how_to_save_the_weights_alone(tmp_path: Path, small: State, beside: object) -> None:
    message = refusal(saved(tmp_path, {'model': small, 'args': beside}))
    assert 'save its weights alone: torch.save(torch.load(FILE, weights_only=False)' in message


@pytest.mark.parametrize(
    ('value', 'what'),
    [
        (torch.ones(1).to_sparse(), 'a tensor of torch.sparse_coo'),
        (torch.ones(1, device='meta'), 'a meta tensor'),
        (torch.ones(1, dtype=torch.complex64), 'torch.complex64'),
    ],
)
def test_tensors_that_are_no_numbers(
    tmp_path: Path, small: State, value: torch.Tensor, what: str
) -> None:
    message = refusal(saved(tmp_path, small | {BIAS: value}))
    assert what in message


def test_an_archive_that_grows(tmp_path: Path) -> None:
    path = tmp_path / 'file.pth'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('archive/data.pkl', b'')
        archive.writestr('archive/data/0', bytes(10_000_000))
    assert refusal(path).startswith('states 10000000 bytes of tensors and has ')


@pytest.mark.parametrize('kind', ['zip', 'legacy', 'safetensors'])
def test_whatever_byte_is_damaged(tmp_path: Path, kind: str) -> None:
    path = tmp_path / 'file.pth'
    small = {'pretrained.cls_token': torch.ones(1, 1, 192), BIAS: torch.ones(1)}
    if kind == 'safetensors':
        save_file(small, path)
    else:
        torch.save(small, path, _use_new_zipfile_serialization=kind == 'zip')
    for content in damaged(path.read_bytes(), places=15):
        path.write_bytes(content)
        refusal(path)


def test_unused_token_may_be_missing(tmp_path: Path, small: State) -> None:
    state = load_state(saved(tmp_path, {k: v for k, v in small.items() if k != MASK}), 'vits')
    assert_equal(state, small | {MASK: torch.zeros(1, SMALL.dim)})


@pytest.mark.parametrize('held', list(PRESETS))
@pytest.mark.parametrize('asked', ['vits', 'tiny', 'zipdepth'])
def test_other_encoder_is_named(tmp_path: Path, held: str, asked: str) -> None:
    path = saved(tmp_path, hollow(held))
    if held == asked:
        assert load_state(path, asked)[BIAS].tolist() == [0.5]
    else:
        assert refusal(path, asked) == f'holds encoder {held}, but encoder {asked} was asked for'


@pytest.mark.parametrize('encoder', ['vits', 'vitb', 'vitl', 'vitg'])
def test_entries_of_the_official_files_are_ours(
    tmp_path: Path, shared_dir: Path, encoder: str
) -> None:
    official = json.loads((shared_dir / f'golden/shapes_{encoder}.json').read_text())
    entries = {name: torch.ones(1).expand(shape) for name, shape in official.items()}
    other = 'vitb' if encoder == 'vits' else 'vits'
    path = saved(tmp_path, entries)
    assert refusal(path, other).startswith(f'holds encoder {encoder}, but')
    if encoder in ('vits', 'vitb'):
        assert set(load_state(path, encoder)) == set(official)


def test_other_head_is_named(tmp_path: Path, small: State) -> None:
    bins = {k: v for k, v in small.items() if k != BIAS} | {
        'depth_head.bins.weight': torch.ones(3)
    }
    assert refusal(saved(tmp_path, bins)) == (
        f'holds encoder vits with another head: it lacks {BIAS}; '
        'has unknown depth_head.bins.weight'
    )


def test_missing_unknown_and_misshapen_entries_are_listed(tmp_path: Path, small: State) -> None:
    norm = 'pretrained.norm.weight'
    blocks = [name for name in small if name.startswith('pretrained.blocks.0.attn')]
    state = {name: value for name, value in small.items() if name not in blocks}
    state |= {'pretrained.extra': torch.ones(1), norm: torch.ones(7)}
    assert refusal(saved(tmp_path, state)) == (
        f'is no checkpoint of encoder vits: it lacks {", ".join(blocks[:3])} and 1 more; '
        f'has unknown pretrained.extra; '
        f'has other shapes in {norm} (7,) instead of ({SMALL.dim},)'
    )


@pytest.mark.parametrize(
    ('names', 'what'),
    [
        (['core.core.pretrained.cls_token', 'conv2.weight'], 'ZoeDepth'),
        (['cls_token', 'blocks.0.norm1.weight'], 'a bare DINOv2 encoder'),
    ],
)
def test_layout_of_others_is_named(tmp_path: Path, names: list[str], what: str) -> None:
    assert what in refusal(saved(tmp_path, dict.fromkeys(names, torch.ones(2))))


@pytest.mark.parametrize('value', [torch.nan, torch.inf])
def test_number_that_is_not_finite_is_refused(tmp_path: Path, small: State, value: float) -> None:
    path = saved(tmp_path, small | {BIAS: torch.tensor([value])})
    assert refusal(path) == f'holds numbers in {BIAS} that are not finite'


def test_integers_are_refused(tmp_path: Path, small: State) -> None:
    path = saved(tmp_path, small | {BIAS: torch.ones(1, dtype=torch.int8)})
    assert refusal(path) == f'holds {BIAS} as torch.int8, not as a float'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'is empty (0 bytes); download it again'),
        (b'\n<!DOCTYPE html><html>Sign in</html>', 'is a web page, as a server sends'),
        (b'{"error": "Not Found"}', 'is a JSON text'),
        (b'version https://git-lfs.github.com/spec/v1\noid sha256:0', 'is a Git LFS pointer'),
        (b'\x08\x08\x12\x07pytorch', 'is an ONNX model'),
        (b'\x00' * 999, 'is neither a PyTorch nor a safetensors file; it starts with'),
        (b'\x80\x04\x95\x10\x00\x00\x00\x00', 'is a bare Python pickle, which may run code'),
    ],
)
def test_file_of_another_kind_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / 'file.pth'
    path.write_bytes(content)
    assert refusal(path).startswith(message)


def test_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / 'nothing.pth') == 'cannot be read: No such file or directory'


@pytest.mark.parametrize('keep', [0.02, 0.5, 0.999])
@pytest.mark.parametrize('kind', ['zip', 'legacy', 'safetensors'])
def test_truncated_file_is_refused(tmp_path: Path, small: State, kind: str, keep: float) -> None:
    path = tmp_path / 'file.pth'
    if kind == 'safetensors':
        save_file(small, path)
    else:
        torch.save(small, path, _use_new_zipfile_serialization=kind == 'zip')
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    message = refusal(path)
    assert 'truncated' in message or 'damaged' in message
    assert len(message.splitlines()) == 1


@pytest.mark.filterwarnings('ignore:.torch.jit.script. is deprecated:DeprecationWarning')
def test_zip_of_other_things_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'file.pth'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('readme.txt', 'weights are elsewhere')
    assert refusal(path) == 'is a zip archive without a PyTorch checkpoint inside'
    torch.jit.script(torch.nn.Identity()).save(path)
    assert refusal(path) == 'is a TorchScript program, which is not loaded'


class Intruder:
    """Creates the file `trace` if somebody unpickles it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.trace), 'w')


@pytest.mark.parametrize('legacy', [False, True])
def test_code_in_a_checkpoint_does_not_run(tmp_path: Path, small: State, legacy: bool) -> None:
    path, trace = tmp_path / 'file.pth', tmp_path / 'trace'
    content = small | {'zz': Intruder(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    message = refusal(path)
    assert 'wants to run code' in message
    assert 'open' in message
    assert not trace.exists()


def test_content_that_is_no_table_of_tensors_is_refused(tmp_path: Path) -> None:
    assert refusal(saved(tmp_path, [1, 2])) == 'holds a list, not a table of tensors'
    assert refusal(saved(tmp_path, {})) == 'holds an empty table, not a table of tensors'
    assert refusal(saved(tmp_path, {'epoch': 3})) == (
        "holds no tensor, but a int as 'epoch', not a table of tensors"
    )
