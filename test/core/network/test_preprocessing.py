"""Preprocessing against OpenCV, and against the cubic kernel worked out by hand."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.network.preprocessing import (
    network_input,
    network_size,
    resize_by_opencv,
    resize_by_torch,
)

MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])

SIZES = [
    ((120, 160), (126, 168)),
    ((480, 640), (126, 168)),
    ((37, 23), (70, 42)),
    ((1, 1), (14, 14)),
    ((1, 9), (14, 126)),
    ((301, 2), (126, 14)),
]


def noise(height: int, width: int) -> torch.Tensor:
    rng = np.random.default_rng(height * 10007 + width)
    return torch.from_numpy(rng.integers(0, 256, (height, width, 3), np.uint8))


def picture(height: int, width: int) -> torch.Tensor:
    """Return noise as sharp as a lens lets it be, over the full range of values."""
    blurred = cv2.GaussianBlur(noise(height, width).numpy(), (0, 0), 1.5)
    return torch.from_numpy(cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX))


@pytest.mark.parametrize(
    ('image', 'input_size', 'expected'),
    [
        ((480, 640), 518, (518, 686)),
        ((640, 480), 518, (686, 518)),
        ((120, 160), 126, (126, 168)),
        ((1080, 1920), 518, (518, 924)),
        ((518, 518), 518, (518, 518)),
        ((1, 1), 518, (518, 518)),
        ((3, 1000), 126, (126, 42000)),
        ((480, 640), 500, (504, 672)),
        ((480, 640), 510, (518, 686)),  # 504 would be smaller than asked for
        ((480, 640), 1, (14, 14)),
    ],
)
def test_network_size(image: tuple[int, int], input_size: int, expected: tuple[int, int]) -> None:
    assert network_size(*image, input_size) == expected


def test_network_size_keeps_the_aspect_to_half_a_patch() -> None:
    rng = np.random.default_rng(0)
    for height, width, patches in rng.integers((10, 10, 1), (2000, 2000, 60), (500, 3)).tolist():
        size = network_size(height, width, 14 * patches)
        assert min(size) == 14 * patches
        assert all(side % 14 == 0 for side in size)
        scale = 14 * patches / min(height, width)
        assert abs(max(size) - max(height, width) * scale) <= 7


@pytest.mark.parametrize(('image', 'size'), SIZES)
def test_equals_opencv_on_floats(image: tuple[int, int], size: tuple[int, int]) -> None:
    rgb = noise(*image)
    scaled = rgb.numpy().astype(np.float32) / 255
    resized = cv2.resize(scaled, size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float64)
    expected = ((resized - MEAN) / STD).transpose(2, 0, 1)[None]
    result = network_input(rgb, size)
    assert result.shape == (1, 3, *size)
    assert result.dtype == torch.float32
    np.testing.assert_allclose(result, expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize(('image', 'size'), SIZES)
def test_both_ways_of_resizing_agree(image: tuple[int, int], size: tuple[int, int]) -> None:
    rgb = picture(*image)
    difference = resize_by_opencv(rgb, size) - resize_by_torch(rgb, size)
    # In units of the network's input.
    assert (difference.abs() / (255 * STD.min())).max() < 1e-4


def test_doubling_has_the_taps_of_the_cubic_kernel() -> None:
    """Keys (1981) with a = -0.75 at distances 1/4, 3/4, 5/4 and 7/4 of a sample."""
    a = -0.75

    def kernel(x: float) -> float:
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a

    rgb = torch.zeros((1, 9, 3), dtype=torch.uint8)
    rgb[0, 4] = 200
    taps = [kernel(x) for x in (7 / 4, 5 / 4, 3 / 4, 1 / 4)]
    expected = [0.0] * 5 + [200 * tap for tap in (*taps, *reversed(taps))] + [0.0] * 5
    for resize in (resize_by_opencv, resize_by_torch):
        resized = resize(rgb, (1, 18))
        assert resized[0, :, 1].tolist() == pytest.approx(expected, abs=1e-4)


def test_no_antialiasing_when_shrinking() -> None:
    """One eighth the size takes columns 2..5 of each eight; a line in column 7 leaves no trace."""
    rgb = torch.zeros((80, 80, 3), dtype=torch.uint8)
    rgb[:, 39] = 255
    for resize in (resize_by_opencv, resize_by_torch):
        assert resize(rgb, (10, 10)).abs().max() < 1e-4


@pytest.mark.parametrize('resize', [resize_by_opencv, resize_by_torch])
def test_strides_do_not_matter(
    resize: Callable[[torch.Tensor, tuple[int, int]], torch.Tensor],
) -> None:
    wide = noise(40, 60)
    for view in (wide[:, :33], wide[::3, 1::2], wide.transpose(0, 1)):
        assert not view.is_contiguous()
        assert torch.equal(resize(view, (28, 42)), resize(view.contiguous(), (28, 42)))


def test_image_is_left_alone() -> None:
    rgb = noise(20, 30)
    before = rgb.clone()
    network_input(rgb, (28, 42))
    assert torch.equal(rgb, before)


@pytest.mark.parametrize('device', ['cuda', 'mps'])
def test_device_agrees_with_the_cpu(device: str) -> None:
    if not getattr(torch, device).is_available():
        pytest.skip(f'needs a {device} device')
    rgb = picture(120, 160)
    result = network_input(rgb.to(device), (126, 168))
    assert result.device.type == device
    assert (result.cpu() - network_input(rgb, (126, 168))).abs().max() < 1e-4
