import pytest
import torch

from training.loss import (
    aligned,
    depth_error,
    edge_error,
    gradient_error,
    log_error,
    training_loss,
    unsteadiness,
)

TRUTH = torch.rand(2, 24, 32, generator=torch.Generator().manual_seed(1)) + 0.2


def test_the_truth_has_no_loss_but_what_the_fit_leaves() -> None:
    assert float(training_loss(TRUTH, TRUTH)) < 1e-3
    assert float(training_loss(TRUTH.flip(2), TRUTH)) > 0.5


def test_shape_alone_is_judged_by_the_fit_and_meters_by_the_logarithm() -> None:
    scaled = 2 * TRUTH
    assert torch.allclose(aligned(scaled + 0.3, TRUTH), TRUTH, atol=1e-3)
    assert float(log_error(scaled, TRUTH)) == pytest.approx(0.69, abs=0.02)
    assert float(gradient_error(scaled, TRUTH)) < 0.01


def test_sky_has_no_depth_error_and_is_pulled_to_zero() -> None:
    truth = TRUTH.clone()
    truth[:, :8] = 0
    known = (truth > 0).float()
    wrong = truth.clone()
    wrong[:, :8] = 5.0
    assert float(depth_error(wrong, truth, known)) == pytest.approx(0, abs=1e-6)
    assert float(training_loss(wrong, truth)) > float(training_loss(truth, truth)) + 0.5


def test_a_view_of_nothing_but_sky_has_a_finite_loss() -> None:
    prediction = torch.full((1, 16, 16), 0.1, requires_grad=True)
    loss = training_loss(prediction, torch.zeros(1, 16, 16))
    loss.backward()
    assert loss.isfinite()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


def test_smeared_edges_cost_and_plain_surfaces_do_not() -> None:
    step = torch.ones(1, 16, 16)
    step[..., 8:] = 2.0
    smeared = step.clone()
    smeared[..., 6:10] = torch.linspace(1.0, 2.0, 4)
    assert float(edge_error(step, step)) == 0
    assert float(edge_error(smeared, step)) > 0.1
    flat = torch.ones(1, 16, 16)
    assert float(edge_error(flat + 0.02 * torch.rand(1, 16, 16), flat)) == 0


def pair(bias: float, wave: float = 0.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return predictions and truth of two pictures, the second half as large within the first.

    The first prediction is off by a wave over the scene, the second by that and a bias.
    """
    u = torch.arange(32) + 0.5
    errors = [wave * torch.sin(u / 5), bias + wave * torch.sin((8 + u / 2) / 5)]
    truth = TRUTH[:, :24, :32]
    error = torch.stack([row.expand(24, 32) for row in errors])
    prediction = (truth + 0.003) * error.exp() - 0.003
    return prediction, truth, torch.tensor([[0.25, 0.25, 0.5, 0.5]])


def test_an_error_that_moves_with_the_scene_is_steady() -> None:
    assert float(unsteadiness(*pair(0.0, wave=0.3))) < 0.01


def test_a_scale_that_jumps_is_not() -> None:
    # Once pixel by pixel, once in the mean.
    assert float(unsteadiness(*pair(0.1))) == pytest.approx(0.2, abs=0.001)
    assert float(unsteadiness(*pair(0.1, wave=0.3))) == pytest.approx(0.2, abs=0.02)


def test_one_pixel_that_changes_counts_little() -> None:
    prediction, truth, inside = pair(0.0)
    prediction[1, 3, 4] = 1e6
    assert float(unsteadiness(prediction, truth, inside)) < 0.03
