"""The benchmark of training: equal losses, and figures of known times."""

import pytest
import torch
import training
from training_speed.batches import eight_heads, mixture, robots
from training_speed.steps import make_steps, matrix_operations

from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights


@pytest.fixture(scope="module")
def model():
    made = Pi05(eight_heads(load_preset("tiny")))
    draw_weights(made, 0, adaptive_scale=0.1)
    return made


@pytest.mark.parametrize("make", [lambda c: mixture(c, 8, 2), lambda c: robots(c, 2)])
def test_all_implementations_have_the_same_loss_and_learn(model, make):
    workload = make(model.config)
    steps = make_steps(model, workload, torch.float32)
    training.check(steps, "float32")
    for step in steps:
        before = float(step.loss().detach())
        for _ in range(3):
            step()
        assert float(step.loss().detach()) < before, step.name


def test_different_losses_are_refused(model):
    ours, plain = make_steps(model, robots(model.config, 2), torch.float32)[:2]
    for _ in range(3):
        plain()
    with pytest.raises(ValueError, match="the loss of plain loop is"):
        training.check([ours, plain], "float32")


def test_a_row_has_medians_and_the_ratio_of_equal_rounds(model):
    workload = robots(model.config, 2)
    times = {
        "ours": [(1.0, 0.5), (4.0, 1.0), (2.0, 1.0)],
        "other": [(2.0, 1.0), (4.0, 3.0), (2.0, 2.0)],
    }
    row = training.row(workload, "float32", 1, times, 0.25)
    assert row["wall"] == {"ours": 1.0, "other": 1.0} and row["best"]["ours"] == 2.0
    assert row["processor"]["ours"] == 2.0 and row["ratio"] == {"ours": 1.0, "other": 2.0}
    assert "| other | 1.00 (1.00) | 1.00 | 2.00 |" in training.table(row)


def test_operations_of_a_step_are_three_times_those_of_a_pass(model):
    """Each product of the forward pass has two in the backward pass; nothing is left out."""
    from torch.utils.flop_counter import FlopCounterMode

    step = make_steps(model, robots(model.config, 2), torch.float32)[0]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        step.loss()
    whole = matrix_operations(step.loss)
    assert 2.0 * counter.get_total_flops() < whole <= 3.6 * counter.get_total_flops()
