from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.compact_depth import CompactDepth
from training import export
from training.candidates import compact_network
from training.export import export_weights, plot_curve


def write_state(folder: Path) -> CompactDepth:
    torch.manual_seed(0)
    network = compact_network()
    torch.save({'average': network.state_dict(), 'step': 42}, folder / 'state.pt')
    return network


def test_the_running_average_is_written_as_the_package_reads_it(tmp_path: Path) -> None:
    network, target = write_state(tmp_path), tmp_path / 'out.safetensors'
    assert export_weights(tmp_path, 'from_scratch', target) == 42
    assert {value.dtype for value in load_file(target).values()} == {torch.float16}
    state = load_state(target, 'tiny')
    assert torch.allclose(state['head.weight'], network.head.weight, atol=1e-3)


def test_too_large_weights_are_refused_with_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state(tmp_path)
    monkeypatch.setattr(export, 'LIMIT_BYTES', 6_000_000)
    with pytest.raises(ValueError, match='bytes; at most 6000000 are shipped'):
        export_weights(tmp_path, 'from_scratch', tmp_path / 'out.safetensors')
    assert not (tmp_path / 'out.safetensors').exists()


def test_the_curve_is_drawn_from_the_log(tmp_path: Path) -> None:
    (tmp_path / 'log.csv').write_text('200,120,4800,1.5,0.3,0.4\n400,240,4800,1.2,0.25,0.33\n')
    plot_curve({'compact': tmp_path}, tmp_path / 'curve.png')
    assert (tmp_path / 'curve.png').read_bytes().startswith(b'\x89PNG')
