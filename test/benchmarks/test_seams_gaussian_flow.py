"""Samples of the flow in closed form have the distribution that they should have."""

import numpy as np
import torch
from seams.gaussian_flow import GaussianFlow, smooth_covariance

from pi05_ros.brain.continuation import Continuation

HORIZON = 20
COVARIANCE = smooth_covariance(HORIZON, sigma=0.5, length=6.0, first=0.4)
FLOW = GaussianFlow(COVARIANCE)


def noise(dims, seed=0):
    return torch.randn(HORIZON, dims, generator=torch.Generator().manual_seed(seed))


def test_chunks_have_the_mean_and_covariance_that_were_asked_for():
    mean = torch.sin(torch.arange(HORIZON) / 5.0)[None, :, None].expand(1, HORIZON, 4000)
    sampled = FLOW.sample(mean, noise(4000), None).double()  # Dimensions are independent draws.
    assert (sampled.mean(1) - mean[0, :, 0]).abs().max() < 0.04
    found = torch.cov(sampled)
    # Ten Euler steps lose a little of the spread.
    assert (found - COVARIANCE).abs().max() < 0.25 * COVARIANCE.max()
    assert found[-1, -1] > 0.7 * COVARIANCE[-1, -1]


def test_a_chunk_is_of_one_mode_and_no_mean_of_both():
    ways = torch.stack([torch.full((HORIZON, 6), 3.0), torch.full((HORIZON, 6), -3.0)])
    sides = [FLOW.sample(ways, noise(6, seed), None)[-1].sign() for seed in range(30)]
    assert all(side.abs().sum() == abs(side.sum()) == 6 for side in sides)
    assert {float(side[0]) for side in sides} == {1.0, -1.0}


def continuation(mode, committed=6, value=0.8):
    actions = np.full((HORIZON, 3), value)
    return Continuation(actions, committed, 14, mode)


def test_behind_a_prefix_samples_have_the_conditional_mean():
    committed = 6
    mean = torch.zeros(1, HORIZON, 2000)
    running = Continuation(np.full((HORIZON, 2000), 0.8), committed, 14, "trained_rtc")
    sampled = FLOW.sample(mean, noise(2000), running).double()
    head, cross = COVARIANCE[:committed, :committed], COVARIANCE[committed:, :committed]
    known = torch.full((committed, 1), 0.8, dtype=torch.float64)
    head = head + 1e-5 * torch.eye(committed, dtype=torch.float64)
    wanted = cross @ torch.linalg.solve(head, known)
    assert (sampled[committed:].mean(1) - wanted[:, 0]).abs().max() < 0.06
    # The row behind the prefix follows from it.
    assert (sampled[committed] - wanted[0]).abs().max() < 0.3


def test_guidance_approaches_the_running_chunk_and_leaves_the_rest():
    mean = torch.zeros(1, HORIZON, 3)
    free = FLOW.sample(mean, noise(3), None)
    led = FLOW.sample(mean, noise(3), continuation("rtc"))
    off = [(sampled - 0.8).abs()[:6].mean() for sampled in (free, led)]
    assert off[1] < 0.5 * off[0]
    assert (led - free).abs()[-1].mean() < (led - free).abs()[:6].mean()
