from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mono_depth_ros.core.windows import over_window, over_window_by_doubling

RADII = [(0, 1), (1, 3), (3, 1), (2, 2), (20, 30)]
CHOICES = [
    (torch.maximum, np.max, 0.0),
    (torch.minimum, np.min, 0.0),
    (torch.minimum, np.min, 9.0),
]


def image(dtype: torch.dtype) -> torch.Tensor:
    """Return (17, 23) random values, 0 to 9."""
    return (9 * torch.rand(17, 23, generator=torch.Generator().manual_seed(0))).to(dtype)


@pytest.mark.parametrize('dtype', [torch.float32, torch.uint8])
@pytest.mark.parametrize('radii', RADII)
@pytest.mark.parametrize(('choose', 'expected', 'outside'), CHOICES)
def test_each_window_has_its_greatest_or_least_value(
    choose: Callable[..., torch.Tensor],
    expected: Callable[..., Any],
    outside: float,
    radii: tuple[int, int],
    dtype: torch.dtype,
) -> None:
    values = image(dtype)
    v, u = radii
    padded = np.pad(values.numpy(), ((v, v), (u, u)), constant_values=outside)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * v + 1, 2 * u + 1))
    wanted = expected(windows, axis=(2, 3))
    np.testing.assert_array_equal(over_window(values, choose, radii, outside), wanted)
    doubled = over_window_by_doubling(values, choose, radii, outside)
    np.testing.assert_array_equal(doubled, wanted)


def test_beyond_the_border_may_be_infinite() -> None:
    values = image(torch.float32)
    found = over_window(values, torch.minimum, (2, 2), torch.inf)
    assert torch.equal(found, over_window_by_doubling(values, torch.minimum, (2, 2), torch.inf))
    assert float(found[0, 0]) == float(values[:3, :3].min())
