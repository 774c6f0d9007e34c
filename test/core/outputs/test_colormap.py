import matplotlib as mpl
import numpy as np
import pytest
import torch

from mono_depth_ros.core.outputs.colormap import ColormapSettings, paint_depth, paint_relative

NAN = float('nan')
SETTINGS = ColormapSettings(near=0.5, far=8.0)


def painted(*depth: float, settings: ColormapSettings = SETTINGS) -> list[list[int]]:
    return paint_depth(torch.tensor([depth]), settings)[0].tolist()


def turbo(level: float) -> np.ndarray:
    """Return matplotlib's turbo as BGR, 0 = coldest."""
    rgb = np.array(mpl.colormaps['turbo'](level)[:3])
    return rgb[::-1] * 255


@pytest.mark.parametrize(
    ('depth', 'level'),
    [
        (0.5, 1.0),
        (8.0, 1 / 255),  # the coldest color but one: the first place is for "not known"
        (2.0, 0.5),  # halfway on a logarithmic scale
        (1.0, 0.75),
        (4.0, 0.25),
        (0.1, 1.0),
        (0.0, 1.0),
        (100.0, 1 / 255),
        (float('inf'), 1 / 255),
    ],
)
def test_color_of_a_depth(depth: float, level: float) -> None:
    assert np.abs(np.array(painted(depth)[0]) - turbo(level)).max() < 5


def test_warm_is_near() -> None:
    (near, middle, far) = painted(0.6, 2.0, 7.5)
    assert near[2] > 100 > near[0], 'red'
    assert middle[1] > 200, 'green'
    assert far[0] > far[2], 'blue'


def test_unknown_is_black_and_nothing_else_is() -> None:
    assert painted(NAN) == [[0, 0, 0]]
    depth = torch.logspace(-3, 4, 5000)[None]
    assert (paint_depth(depth, SETTINGS) > 0).any(dim=-1).all()


def test_color_depends_on_nothing_else_in_the_picture() -> None:
    alone = painted(1.7)[0]
    assert painted(0.5, 1.7, 80.0, NAN)[1] == alone
    assert painted(1.7, settings=ColormapSettings(near=0.5, far=20.0))[0] != alone


def test_shape_and_type() -> None:
    picture = paint_depth(torch.rand(5, 7) + 1, SETTINGS)
    assert picture.shape == (5, 7, 3)
    assert picture.dtype == torch.uint8
    assert picture.is_contiguous()


def test_relative_inverse_depth_is_warm_where_it_is_large() -> None:
    prediction = torch.tensor([[0.0, 1.5, 1e6, NAN]])
    far, middle, near, unknown = paint_relative(prediction)[0].numpy().astype(float)
    assert np.abs(far - turbo(1 / 255)).max() < 5
    assert np.abs(middle - turbo(0.5)).max() < 5
    assert np.abs(near - turbo(1.0)).max() < 5
    assert unknown.tolist() == [0, 0, 0]
