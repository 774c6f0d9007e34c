import numpy as np
import pytest

from mono_depth_ros.core.scale.diffusion import Floats, Grid, grid_size

SMALL = (8, 8)
"""A grid that is solved directly."""


def dense_solution(
    log_prediction: Floats, color: Floats, precision: Floats, moment: Floats
) -> Floats:
    """Return the minimum of `Grid.diffuse`, cell by cell, by the numbers that were chosen."""
    height, width = precision.shape
    matrix = np.diag(precision.astype(np.float64).ravel())
    for v in range(height):
        for u in range(width):
            for y, x in ((v, u + 1), (v + 1, u)):
                if y == height or x == width:
                    continue
                step = (log_prediction[y, x] - log_prediction[v, u]) / 0.05
                contrast = np.abs(color[y, x] - color[v, u]).max() / 8
                conductance = 500 * (np.exp(-(step**2) - contrast) + 0.001)
                i, j = v * width + u, y * width + x
                matrix[i, i] += conductance
                matrix[j, j] += conductance
                matrix[i, j] -= conductance
                matrix[j, i] -= conductance
    return np.linalg.solve(matrix, moment.ravel()).reshape(height, width)


def random_case(size: tuple[int, int], seed: int) -> tuple[Floats, ...]:
    """Return prediction, color, precision and moment of a smooth picture with one edge of each."""
    rng = np.random.default_rng(seed)
    prediction = 0.02 * rng.standard_normal(size, np.float32)
    prediction[:, size[1] // 2 :] += 0.3
    color = 2 * rng.standard_normal((*size, 3), np.float32) + 128
    color[size[0] // 2 :] += 40
    known = rng.random(size) < 0.3
    precision = 2000 * known * rng.random(size, np.float32)
    return prediction, color, precision, precision * 0.1 * rng.standard_normal(size, np.float32)


def grid(height: int, width: int) -> Grid:
    """Return one without edges."""
    return Grid(zeros(height, width), zeros(height, width, 3))


def zeros(*size: int) -> Floats:
    return np.zeros(size, np.float32)


@pytest.mark.parametrize('seed', range(3))
def test_a_small_grid_is_solved_exactly(seed: int) -> None:
    prediction, color, precision, moment = random_case(SMALL, seed)
    found = Grid(prediction, color).diffuse(precision, moment)
    truth = dense_solution(prediction, color, precision, moment)
    np.testing.assert_allclose(found, truth, rtol=0, atol=2e-4)


@pytest.mark.parametrize('seed', range(3))
def test_a_larger_grid_comes_near_the_solution(seed: int) -> None:
    prediction, color, precision, moment = random_case((32, 32), seed)
    found = Grid(prediction, color).diffuse(precision, moment)
    truth = dense_solution(prediction, color, precision, moment)
    assert np.sqrt(np.square(found - truth).mean()) < 0.16 * truth.std()


def test_one_value_is_everywhere() -> None:
    precision = zeros(64, 80)
    precision[20, 30] = 100.0
    found = grid(64, 80).diffuse(precision, np.float32(0.2) * precision)
    np.testing.assert_allclose(found, 0.2, rtol=0, atol=1e-3)


@pytest.mark.parametrize('edge', ['prediction', 'image'])
def test_values_hardly_cross_an_edge(edge: str) -> None:
    prediction, color = zeros(16, 16), zeros(16, 16, 3) + 100
    if edge == 'prediction':
        prediction[:, 8:] = 0.5
    else:
        color[:, 8:] += 80
    precision = zeros(16, 16)
    precision[8, 1] = precision[8, 14] = 1000.0
    moment = zeros(16, 16)
    moment[8, 1], moment[8, 14] = -100.0, 100.0
    found = Grid(prediction, color).diffuse(precision, moment)
    assert float(found[:, :8].max()) < -0.07
    assert float(found[:, 8:].min()) > 0.07


@pytest.mark.parametrize('axis', [0, 1])
@pytest.mark.parametrize('place', range(8, 16))
def test_an_edge_holds_wherever_it_lies(place: int, axis: int) -> None:
    """Between blocks of 2x2 or 4x4 cells, which coarser grids are made of, or inside of one."""
    prediction, precision, moment = zeros(32, 32), zeros(32, 32), zeros(32, 32)
    prediction[:, place:] = 0.5
    precision[16, 1] = precision[16, 30] = 1000.0
    moment[16, 1], moment[16, 30] = -100.0, 100.0
    color = zeros(32, 32, 3)
    if axis == 0:
        prediction, precision, moment = prediction.T.copy(), precision.T.copy(), moment.T.copy()
    found = Grid(prediction, color).diffuse(precision, moment)
    if axis == 0:
        found = found.T
    assert float(found[:, :place].max()) < -0.04
    assert float(found[:, place:].min()) > 0.04


def test_without_an_edge_they_blend() -> None:
    precision, moment = zeros(16, 16), zeros(16, 16)
    precision[:, 0] = precision[:, 15] = 1e6
    moment[:, 0], moment[:, 15] = -1e5, 1e5
    found = grid(16, 16).diffuse(precision, moment)
    line = np.broadcast_to(np.linspace(-0.1, 0.1, 16), (16, 16))
    np.testing.assert_allclose(found, line, rtol=0, atol=0.01)


@pytest.mark.parametrize(
    ('image', 'cells'),
    [
        ((480, 640), (32, 40)),
        ((180, 320), (28, 48)),
        ((37, 100), (20, 60)),
        ((33, 500), (8, 140)),
        ((500, 33), (140, 8)),
        ((3000, 2), (1384, 4)),
    ],
)
def test_a_grid_has_cells_that_are_nearly_square(
    image: tuple[int, int], cells: tuple[int, int]
) -> None:
    assert grid_size(image, 1280) == cells


@pytest.mark.parametrize('image', [(480, 640), (180, 320), (33, 500), (960, 64), (9, 9)])
def test_what_is_solved_by_elimination_stays_small(image: tuple[int, int]) -> None:
    height, width = grid_size(image, 1280)
    assert grid(height, width).coarsest_cells <= 128


def test_distances_are_in_widths_of_the_grid() -> None:
    is_anchor = np.zeros((32, 40), np.bool_)
    is_anchor[:, 10] = True
    distance = grid(32, 40).distance(is_anchor)
    np.testing.assert_allclose(distance[5, [10, 14, 30]], [0, 0.1, 0.5], atol=0.01)
