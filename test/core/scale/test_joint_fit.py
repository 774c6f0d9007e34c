"""Which of several sources a common fit leaves out, and what it says of them."""

import numpy as np

from mono_depth_ros.core.scale.correspondences import Correspondences
from mono_depth_ros.core.scale.fitting import Fit, fit_least_squares
from mono_depth_ros.core.scale.joint_fit import fit_jointly


def on_line(scale: float, count: int) -> Correspondences:
    """Return points of which inverse depth is `scale` times the prediction."""
    random = np.random.default_rng(count)
    prediction = random.uniform(0.2, 1.0, count)
    position = random.uniform(0, 1, (count, 2))
    return Correspondences(prediction, scale * prediction, position, 0.001, np.ones(count))


def test_a_floor_that_the_fit_follows_is_left_out_for_what_it_does_to_the_others() -> None:
    points = {'scan': on_line(1.0, 300), 'ground': on_line(2.0, 600)}

    def follows_the_floor(chosen: Correspondences, random: np.random.Generator) -> Fit:
        alone = len(chosen) == 300
        return fit_least_squares(points['scan' if alone else 'ground'], random)

    left_out: dict[str, str] = {}
    found = fit_jointly(points, follows_the_floor, np.random.default_rng(0), left_out)
    assert found.sources == ('scan',)
    assert left_out == {'ground': 'with it 0% of the points of scan agree with the fit'}
