"""Flow matching (paper, section IV-D; π0, arXiv 2410.24164): a velocity leads noise to actions.

τ runs from 0 (noise) to 1 (actions), as in the paper. openpi and LeRobot count t = 1 − τ, so that
1 is noise; only the expert's time embedding, whose weights were trained so, is given t.
The network predicts ω − a, the paper's target. As a^τ = τ·a + (1 − τ)·ω changes by a − ω per unit
of τ, a step forward in τ subtracts the prediction.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# Training times t are drawn from Beta(α, 1), so that noisy actions are seen more often, and stay
# above 0, where nothing is left to do (π0, appendix B; scale and offset: public code).
TIME_ALPHA = 1.5
TIME_SCALE, TIME_OFFSET = 0.999, 0.001


def sample_tau(batch: int, generator: torch.Generator | None = None) -> Tensor:
    """Draws training times τ, (batch,) float32 in [0, 0.999], on the CPU.

    t = 1 − τ is Beta(α, 1) · 0.999 + 0.001; the distribution function of Beta(α, 1) is t^α.
    """
    uniform = torch.rand(batch, generator=generator)
    return 1.0 - (uniform.pow(1.0 / TIME_ALPHA) * TIME_SCALE + TIME_OFFSET)


def interpolate(actions: Tensor, noise: Tensor, tau: Tensor) -> Tensor:
    """a^τ = τ·a + (1 − τ)·ω, for actions and noise (B, horizon, dim) and τ (B,) or (B, horizon).

    A row of its own time 1 is clean: nothing of the noise is left in it.
    """
    tau = tau.to(actions.dtype)
    tau = tau[:, None, None] if tau.ndim == 1 else tau[..., None]
    return tau * actions + (1.0 - tau) * noise


def target(actions: Tensor, noise: Tensor) -> Tensor:
    """What the network learns to predict: ω − a, (B, horizon, dim)."""
    return noise - actions


def euler_times(steps: int) -> Tensor:
    """The times τ at which `integrate` asks for the velocity: 0, 1/steps, ... (steps,) float64.

    Each is 1 − t with t rounded to float32, as the public code rounds it: the time embedding's
    shortest period turns the last bit of t into 1e-4.
    """
    times = 1.0 - torch.arange(steps, dtype=torch.float64) / steps
    return 1.0 - times.float().double()


def integrate(velocity: Callable[[Tensor, int], Tensor], noise: Tensor, steps: int) -> Tensor:
    """Follows the velocity from τ = 0 to 1 in `steps` Euler steps.

    Args:
        velocity: Given a^τ (B, horizon, dim) and the step's index, predicts ω − a there.
        noise: ω, (B, horizon, dim) float32.
        steps: At least 1.

    Returns:
        Actions, (B, horizon, dim) float32.
    """
    if steps < 1:
        raise ValueError(f"steps {steps} is below 1")
    x = noise
    for step in range(steps):
        x = x - velocity(x, step) / steps
    return x
