"""Flow matching against closed forms."""

import pytest
import torch

from pi05_ros.model import flow


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_path_runs_from_noise_to_actions():
    actions, noise = draw(0, 2, 3, 4), draw(1, 2, 3, 4)
    path = flow.interpolate(actions, noise, torch.tensor([0.0, 1.0]))
    assert torch.equal(path[0], noise[0])
    assert torch.equal(path[1], actions[1])
    # Its slope is minus the target: d/dτ (τ·a + (1 − τ)·ω) = a − ω.
    halves = [flow.interpolate(actions, noise, torch.full((2,), tau)) for tau in (0.25, 0.75)]
    slope = (halves[1] - halves[0]) / 0.5
    torch.testing.assert_close(slope, -flow.target(actions, noise), atol=1e-6, rtol=0)


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_the_true_velocity_leads_to_the_actions_in_any_number_of_steps(steps):
    actions, noise = draw(0, 2, 3, 4), draw(1, 2, 3, 4)
    found = flow.integrate(lambda x, step: flow.target(actions, noise), noise, steps)
    torch.testing.assert_close(found, actions, atol=1e-5, rtol=0)


def test_euler_of_a_linear_field_in_closed_form():
    # dx/dτ = −x: Euler gives (1 − 1/N)^N · x₀.
    noise = draw(0, 1, 2, 2)
    found = flow.integrate(lambda x, step: x, noise, 10)
    torch.testing.assert_close(found, noise * 0.9**10)


def test_the_velocity_is_evaluated_once_per_step():
    asked = []
    flow.integrate(lambda x, step: asked.append(step) or x, draw(0, 1, 1, 1), 4)
    assert asked == [0, 1, 2, 3]
    expected = torch.tensor([0.0, 0.25, 0.5, 0.75], dtype=torch.float64)
    torch.testing.assert_close(flow.euler_times(4), expected, atol=1e-7, rtol=0)


def test_no_steps_is_an_error():
    with pytest.raises(ValueError, match="steps 0 is below 1"):
        flow.integrate(lambda x, step: x, draw(0, 1, 1, 1), 0)


def test_training_times_follow_their_distribution():
    tau = flow.sample_tau(200_000, torch.Generator().manual_seed(0))
    time = 1.0 - tau
    assert time.min() >= 0.001 - 1e-6
    assert time.max() <= 1.0
    # Beta(1.5, 1): mean 0.6, and P(t < x) = x^1.5 of what lies above the offset.
    assert time.mean() == pytest.approx(0.6 * 0.999 + 0.001, abs=2e-3)
    for quarter in (0.25, 0.5, 0.75):
        share = (time < quarter * 0.999 + 0.001).float().mean()
        assert share == pytest.approx(quarter**1.5, abs=4e-3)
    again = flow.sample_tau(200_000, torch.Generator().manual_seed(0))
    assert torch.equal(tau, again)


def test_a_row_at_time_one_is_clean():
    actions, noise = draw(0, 2, 3, 4), draw(1, 2, 3, 4)
    tau = torch.tensor([[1.0, 0.5, 0.0], [1.0, 1.0, 0.25]])
    path = flow.interpolate(actions, noise, tau)
    assert torch.equal(path[0, 0], actions[0, 0])
    assert torch.equal(path[0, 2], noise[0, 2])
    assert torch.equal(path[1, :2], actions[1, :2])
    torch.testing.assert_close(path[1, 2], 0.25 * actions[1, 2] + 0.75 * noise[1, 2])
    whole = flow.interpolate(actions, noise, torch.tensor([0.5, 0.25]))
    assert torch.equal(path[0, 1], whole[0, 1])
    assert torch.equal(path[1, 2], whole[1, 2])
