"""What of an old chunk binds a new one, and how much."""

from __future__ import annotations

import numpy as np
import torch

from pi05_ros.brain.continuation import Continuation
from pi05_ros.inference.leads import lead_of
from pi05_ros.model.guidance import soft_mask

ROWS = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 18))


def test_a_guided_flow_is_bound_by_the_plan_in_the_robots_entries():
    lead = lead_of(Continuation(ROWS, 8, 30, "rtc"), action_dim=32)
    assert not lead.trained
    want = soft_mask(8, 30, 50)[:, None].expand(50, 18)
    assert torch.equal(lead.weights[0, :, :18], want)
    assert lead.weights[0, 30:].max() == 0.0  # Held rows are no plan.
    assert lead.weights[0, :, 18:].max() == 0.0  # Padding is the weights' business.


def test_a_trained_expert_is_shown_whole_rows_as_in_training():
    lead = lead_of(Continuation(ROWS, 8, 30, "trained_rtc"), action_dim=32)
    assert lead.trained
    assert lead.weights.unique().tolist() == [0.0, 1.0]
    assert lead.weights[0].sum(dim=0).tolist() == [8.0] * 32
    assert lead.weights[0, :8].min() == 1.0


def test_rows_are_padded_behind_the_robots_entries():
    for mode in ("rtc", "trained_rtc"):
        rows = lead_of(Continuation(ROWS, 8, 30, mode), action_dim=32).rows
        assert rows.dtype == torch.float32
        np.testing.assert_array_equal(rows[0, :, :18], ROWS.astype(np.float32))
        assert rows[0, :, 18:].abs().max() == 0.0
