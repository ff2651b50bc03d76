"""Flow matching (paper, section IV-D; π0, arXiv 2410.24164): interpolation, target, integration.

τ runs from 0 (noise) to 1 (actions), as in the paper. openpi and LeRobot count t = 1 − τ, so that
1 is noise; t is used here only for the expert's time embedding, whose weights were trained so.
The network predicts ω − a, the paper's target. As a^τ = τ·a + (1 − τ)·ω changes by a − ω per unit
of τ, a step forward in τ subtracts the prediction.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# Training times t are sampled from Beta(α, 1), which prefers noisy actions. Scale and offset keep
# them above 0, where actions hold no noise (π0, appendix B; scale and offset: public code).
TIME_ALPHA = 1.5
TIME_SCALE, TIME_OFFSET = 0.999, 0.001


def sample_tau(batch: int, generator: torch.Generator | None = None) -> Tensor:
    """Sample training times τ, (batch,) float32 in [0, 0.999], on the CPU.

    t = 1 − τ is Beta(α, 1) · 0.999 + 0.001; the distribution function of Beta(α, 1) is t^α.
    """
    uniform = torch.rand(batch, generator=generator)
    return 1.0 - (uniform.pow(1.0 / TIME_ALPHA) * TIME_SCALE + TIME_OFFSET)


def interpolate(actions: Tensor, noise: Tensor, tau: Tensor) -> Tensor:
    """Return a^τ = τ·a + (1 − τ)·ω.

    Args:
        actions: a, (B, horizon, dim).
        noise: ω, (B, horizon, dim).
        tau: (B,), or (B, horizon) with one time per row; rows of time 1 are free of noise.

    Returns:
        (B, horizon, dim).
    """
    tau = tau.to(actions.dtype)
    tau = tau[:, None, None] if tau.ndim == 1 else tau[..., None]
    return tau * actions + (1.0 - tau) * noise


def target(actions: Tensor, noise: Tensor) -> Tensor:
    """Training target of the network, ω − a, (B, horizon, dim)."""
    return noise - actions


def euler_times(steps: int) -> Tensor:
    """Times τ at which `integrate` evaluates the velocity: 0, 1/steps, ... (steps,) float64.

    Each is 1 − t with t rounded to float32, as in the public code: at the shortest period of the
    time embedding, the last bit of t changes the result by 1e-4.
    """
    times = 1.0 - torch.arange(steps, dtype=torch.float64) / steps
    return 1.0 - times.float().double()


def integrate(velocity: Callable[[Tensor, int], Tensor], noise: Tensor, steps: int) -> Tensor:
    """Integrate the flow from τ = 0 to 1 in `steps` Euler steps.

    Args:
        velocity: Function of a^τ (B, horizon, dim) and the step's index; predicts ω − a.
        noise: ω, (B, horizon, dim) float32.
        steps: At least 1.

    Returns:
        Actions, (B, horizon, dim) float32.

    Raises:
        ValueError: `steps` is below 1.
    """
    if steps < 1:
        raise ValueError(f"steps {steps} is below 1")
    x = noise
    for step in range(steps):
        x = x - velocity(x, step) / steps
    return x
