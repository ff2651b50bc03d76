"""Prefix actions of a continuation, and their weights."""

from __future__ import annotations

import numpy as np
import torch

from pi05_ros.brain.continuation import Continuation
from pi05_ros.inference.chunk_prefix import chunk_prefix_of
from pi05_ros.model.guidance import soft_mask

ROWS = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 18))


def test_a_guided_flow_has_soft_weights_in_the_robots_entries():
    prefix = chunk_prefix_of(Continuation(ROWS, 8, 30, "rtc"), action_dim=32)
    assert not prefix.trained
    want = soft_mask(8, 30, 50)[:, None].expand(50, 18)
    assert torch.equal(prefix.weights[0, :, :18], want)
    assert prefix.weights[0, 30:].max() == 0.0  # Rows after the plan, which repeat its last one.
    assert prefix.weights[0, :, 18:].max() == 0.0  # Padded entries are free.


def test_a_trained_expert_takes_whole_rows_as_in_training():
    prefix = chunk_prefix_of(Continuation(ROWS, 8, 30, "trained_rtc"), action_dim=32)
    assert prefix.trained
    assert prefix.weights.unique().tolist() == [0.0, 1.0]
    assert prefix.weights[0].sum(dim=0).tolist() == [8.0] * 32
    assert prefix.weights[0, :8].min() == 1.0


def test_rows_are_padded_behind_the_robots_entries():
    for mode in ("rtc", "trained_rtc"):
        actions = chunk_prefix_of(Continuation(ROWS, 8, 30, mode), action_dim=32).actions
        assert actions.dtype == torch.float32
        np.testing.assert_array_equal(actions[0, :, :18], ROWS.astype(np.float32))
        assert actions[0, :, 18:].abs().max() == 0.0
