import json
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mono_depth_ros.core.errors import CheckpointError
from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything

State = dict[str, torch.Tensor]

MASK = 'pretrained.mask_token'
BIAS = 'depth_head.scratch.output_conv2.2.bias'


@pytest.fixture(scope='module')
def tiny() -> State:
    torch.manual_seed(0)
    return DepthAnything(PRESETS['tiny']).state_dict()


def hollow(encoder: str) -> State:
    """Return the entries of any preset with all their shapes and hardly a byte."""
    with torch.device('meta'):
        state = DepthAnything(PRESETS[encoder]).state_dict()
    return {name: torch.full((1,), 0.5).expand(value.shape) for name, value in state.items()}


def saved(folder: Path, content: object, name: str = 'file.pth') -> Path:
    path = folder / name
    torch.save(content, path)
    return path


def refusal(path: Path, encoder: str = 'tiny') -> str:
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
def test_pth_is_read_exactly(tmp_path: Path, tiny: State, legacy: bool) -> None:
    path = tmp_path / 'file.pth'
    torch.save(tiny, path, _use_new_zipfile_serialization=not legacy)
    state = load_state(path, 'tiny')
    assert_equal(state, tiny)
    DepthAnything(PRESETS['tiny'], max_depth=20.0).load_state_dict(state, strict=True)


def test_safetensors_in_half_precision_becomes_float32(tmp_path: Path, tiny: State) -> None:
    half = {name: value.half() for name, value in tiny.items()}
    save_file(half, tmp_path / 'file.safetensors')
    assert_equal(load_state(tmp_path / 'file.safetensors', 'tiny'), half)


def test_bytes_decide_not_the_suffix(tmp_path: Path, tiny: State) -> None:
    save_file(tiny, tmp_path / 'really_safetensors.pth')
    assert_equal(load_state(tmp_path / 'really_safetensors.pth', 'tiny'), tiny)


@pytest.mark.parametrize('wrapper', ['model', 'state_dict'])
def test_wrapper_of_training_is_taken_off(tmp_path: Path, tiny: State, wrapper: str) -> None:
    distributed = {f'module.{name}': value for name, value in tiny.items()}
    best = {'d1': 0.9, 'abs_rel': 0.05}
    path = saved(tmp_path, {wrapper: distributed, 'epoch': 3, 'previous_best': best})
    assert_equal(load_state(path, 'tiny'), tiny)


def test_unused_token_may_be_missing(tmp_path: Path, tiny: State) -> None:
    state = load_state(saved(tmp_path, {k: v for k, v in tiny.items() if k != MASK}), 'tiny')
    assert_equal(state, tiny | {MASK: torch.zeros(1, PRESETS['tiny'].dim)})


@pytest.mark.parametrize('held', list(PRESETS))
@pytest.mark.parametrize('asked', ['vits', 'tiny'])
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


def test_other_head_is_named(tmp_path: Path, tiny: State) -> None:
    bins = {k: v for k, v in tiny.items() if k != BIAS} | {'depth_head.bins.weight': torch.ones(3)}
    assert refusal(saved(tmp_path, bins)) == (
        f'holds encoder tiny with another head: it lacks {BIAS}; '
        'has unknown depth_head.bins.weight'
    )


def test_missing_unknown_and_misshapen_entries_are_listed(tmp_path: Path, tiny: State) -> None:
    norm = 'pretrained.norm.weight'
    blocks = [name for name in tiny if name.startswith('pretrained.blocks.0.attn')]
    state = {name: value for name, value in tiny.items() if name not in blocks}
    state |= {'pretrained.extra': torch.ones(1), norm: torch.ones(7)}
    assert refusal(saved(tmp_path, state)) == (
        f'is no checkpoint of encoder tiny: it lacks {", ".join(blocks[:3])} and 1 more; '
        f'has unknown pretrained.extra; '
        f'has other shapes in {norm} (7,) instead of ({PRESETS["tiny"].dim},)'
    )


@pytest.mark.parametrize(
    ('names', 'what'),
    [
        (['backbone.embeddings.cls_token', 'head.conv1.weight'], 'the transformers library'),
        (['core.core.pretrained.cls_token', 'conv2.weight'], 'ZoeDepth'),
        (['cls_token', 'blocks.0.norm1.weight'], 'a bare DINOv2 encoder'),
    ],
)
def test_layout_of_others_is_named(tmp_path: Path, names: list[str], what: str) -> None:
    assert what in refusal(saved(tmp_path, dict.fromkeys(names, torch.ones(2))))


@pytest.mark.parametrize('value', [torch.nan, torch.inf])
def test_number_that_is_not_finite_is_refused(tmp_path: Path, tiny: State, value: float) -> None:
    path = saved(tmp_path, tiny | {BIAS: torch.tensor([value])})
    assert refusal(path) == f'holds numbers in {BIAS} that are not finite'


def test_integers_are_refused(tmp_path: Path, tiny: State) -> None:
    path = saved(tmp_path, tiny | {BIAS: torch.ones(1, dtype=torch.int8)})
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
def test_truncated_file_is_refused(tmp_path: Path, tiny: State, kind: str, keep: float) -> None:
    path = tmp_path / 'file.pth'
    if kind == 'safetensors':
        save_file(tiny, path)
    else:
        torch.save(tiny, path, _use_new_zipfile_serialization=kind == 'zip')
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
def test_code_in_a_checkpoint_does_not_run(tmp_path: Path, tiny: State, legacy: bool) -> None:
    path, trace = tmp_path / 'file.pth', tmp_path / 'trace'
    content = tiny | {'zz': Intruder(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    message = refusal(path)
    assert 'wants to run code' in message
    assert 'open' in message
    assert not trace.exists()


def test_content_that_is_no_table_of_tensors_is_refused(tmp_path: Path) -> None:
    assert refusal(saved(tmp_path, [1, 2])) == 'holds a list, not a table of tensors'
    assert refusal(saved(tmp_path, {})) == 'holds an empty table, not a table of tensors'
    assert refusal(saved(tmp_path, {'epoch': 3})) == "holds a int as 'epoch', not a tensor"
