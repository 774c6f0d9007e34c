"""How sharp edges are, and how steady the scale: what is known of both by construction."""

import pytest
import torch

from training.exam import ExamView
from training.steadiness import DriveFrame, bias_change, boundary_f1


def frames(count: int = 6) -> list[DriveFrame]:
    """Return walls that come nearer, before a sky; colors are the number of the frame."""
    found = []
    for k in range(count):
        depth = torch.linspace(2.0, 6.0 - 0.1 * k, 40).repeat(30, 1)
        depth[:5] = torch.inf
        found.append(DriveFrame(torch.full((30, 40, 3), k, dtype=torch.uint8), depth))
    return found


@pytest.mark.parametrize(('flicker', 'change'), [(0.0, 0.0), (0.05, 0.05)])
def test_the_change_of_the_bias_is_that_of_the_scale(flicker: float, change: float) -> None:
    driven = frames()

    def predictor(rgb: torch.Tensor) -> torch.Tensor:
        k = int(rgb[0, 0, 0])
        return 3 * driven[k].depth.reciprocal() * (1 + flicker * (k % 2))

    assert bias_change(predictor, driven) == pytest.approx(change, abs=0.003)


def test_a_blurred_edge_is_found_less() -> None:
    depth = torch.full((30, 40), 4.0)
    depth[:, 15:25] = 2.0
    view = ExamView(torch.zeros(30, 40, 3, dtype=torch.uint8), depth, 30.0, 'room')
    ramp = torch.nn.functional.avg_pool2d(depth.reciprocal()[None, None], 5, 1, 2)[0, 0]
    assert boundary_f1(lambda rgb: depth.reciprocal(), [view]) == pytest.approx(1.0)
    assert boundary_f1(lambda rgb: ramp, [view]) < 0.5
