import numpy as np
import pytest
import torch

from mono_depth_ros.core.scale.diffusion import Grid, grid_size

SMALL = (8, 8)
"""A grid that is solved directly."""


def dense_solution(
    log_prediction: torch.Tensor,
    color: torch.Tensor,
    precision: torch.Tensor,
    moment: torch.Tensor,
) -> torch.Tensor:
    """Return the minimum of `Grid.diffuse`, cell by cell, by the numbers that were chosen."""
    height, width = precision.shape
    matrix = torch.diag(precision.double().flatten())
    for v in range(height):
        for u in range(width):
            for y, x in ((v, u + 1), (v + 1, u)):
                if y == height or x == width:
                    continue
                step = float(log_prediction[y, x] - log_prediction[v, u]) / 0.05
                contrast = float((color[y, x] - color[v, u]).abs().max()) / 8
                conductance = 500 * (np.exp(-(step**2) - contrast) + 0.001)
                i, j = v * width + u, y * width + x
                matrix[i, i] += conductance
                matrix[j, j] += conductance
                matrix[i, j] -= conductance
                matrix[j, i] -= conductance
    return torch.linalg.solve(matrix, moment.double().flatten()).view(height, width).float()


def random_case(size: tuple[int, int], seed: int) -> tuple[torch.Tensor, ...]:
    """Return prediction, color, precision and moment of a smooth picture with one edge of each."""
    generator = torch.Generator().manual_seed(seed)
    prediction = 0.02 * torch.randn(size, generator=generator)
    prediction[:, size[1] // 2 :] += 0.3
    color = 2 * torch.randn((*size, 3), generator=generator) + 128
    color[size[0] // 2 :] += 40
    known = torch.rand(size, generator=generator) < 0.3
    precision = 2000 * known * torch.rand(size, generator=generator)
    return prediction, color, precision, precision * 0.1 * torch.randn(size, generator=generator)


@pytest.mark.parametrize('seed', range(3))
def test_a_small_grid_is_solved_exactly(seed: int) -> None:
    prediction, color, precision, moment = random_case(SMALL, seed)
    found = Grid(prediction, color).diffuse(precision, moment)
    truth = dense_solution(prediction, color, precision, moment)
    torch.testing.assert_close(found, truth, rtol=0, atol=2e-4)


@pytest.mark.parametrize('seed', range(3))
def test_a_larger_grid_comes_near_the_solution(seed: int) -> None:
    prediction, color, precision, moment = random_case((32, 32), seed)
    found = Grid(prediction, color).diffuse(precision, moment)
    truth = dense_solution(prediction, color, precision, moment)
    assert float((found - truth).square().mean().sqrt()) < 0.16 * float(truth.std())


def test_one_value_is_everywhere() -> None:
    precision = torch.zeros(64, 80)
    precision[20, 30] = 100.0
    found = Grid(torch.zeros(64, 80), torch.zeros(64, 80, 3)).diffuse(precision, 0.2 * precision)
    torch.testing.assert_close(found, torch.full((64, 80), 0.2), rtol=0, atol=1e-3)


@pytest.mark.parametrize('edge', ['prediction', 'image'])
def test_values_hardly_cross_an_edge(edge: str) -> None:
    prediction, color = torch.zeros(16, 16), torch.full((16, 16, 3), 100.0)
    if edge == 'prediction':
        prediction[:, 8:] = 0.5
    else:
        color[:, 8:] += 80
    precision = torch.zeros(16, 16)
    precision[8, 1] = precision[8, 14] = 1000.0
    moment = torch.zeros(16, 16)
    moment[8, 1], moment[8, 14] = -100.0, 100.0
    found = Grid(prediction, color).diffuse(precision, moment)
    assert float(found[:, :8].max()) < -0.07
    assert float(found[:, 8:].min()) > 0.07


def test_without_an_edge_they_blend() -> None:
    precision, moment = torch.zeros(16, 16), torch.zeros(16, 16)
    precision[:, 0] = precision[:, 15] = 1e6
    moment[:, 0], moment[:, 15] = -1e5, 1e5
    found = Grid(torch.zeros(16, 16), torch.zeros(16, 16, 3)).diffuse(precision, moment)
    line = torch.linspace(-0.1, 0.1, 16).expand(16, 16)
    torch.testing.assert_close(found, line, rtol=0, atol=0.01)


@pytest.mark.parametrize(
    ('image', 'grid'),
    [
        ((480, 640), (64, 80)),
        ((180, 320), (48, 80)),
        ((37, 100), (32, 80)),
        ((33, 500), (16, 80)),
        ((500, 33), (1216, 80)),
    ],
)
def test_a_grid_has_cells_that_are_nearly_square(
    image: tuple[int, int], grid: tuple[int, int]
) -> None:
    assert grid_size(image, 80) == grid
