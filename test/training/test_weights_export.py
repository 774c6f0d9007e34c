from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training.export import export_weights, plot_curve


def test_the_running_average_is_written_in_half_precision(tmp_path: Path) -> None:
    average = {'a': torch.rand(3, 4), 'count': torch.tensor(7)}
    torch.save({'average': average, 'step': 42}, tmp_path / 'state.pt')
    assert export_weights(tmp_path, 'compact', tmp_path / 'out.safetensors') == 42
    weights = load_file(tmp_path / 'out.safetensors')
    assert weights['a'].dtype == torch.float16
    assert torch.allclose(weights['a'].float(), average['a'], atol=1e-3)
    assert int(weights['count']) == 7


def test_too_large_weights_are_refused_with_their_size(tmp_path: Path) -> None:
    torch.save({'average': {'a': torch.zeros(6_100_000)}, 'step': 1}, tmp_path / 'state.pt')
    with pytest.raises(ValueError, match='12200000 bytes'):
        export_weights(tmp_path, 'compact', tmp_path / 'out.safetensors')
    assert not (tmp_path / 'out.safetensors').exists()


def test_the_curve_is_drawn_from_the_log(tmp_path: Path) -> None:
    (tmp_path / 'log.csv').write_text('200,120,4800,1.5,0.3,0.4\n400,240,4800,1.2,0.25,0.33\n')
    plot_curve({'compact': tmp_path}, tmp_path / 'curve.png')
    assert (tmp_path / 'curve.png').read_bytes().startswith(b'\x89PNG')
