"""Guidance of the flow towards a chunk that continues the one being executed.

Real-time chunking (arXiv 2506.07339, section 4 and algorithm 1) treats the continuation of a chunk
as inpainting: the actions that are already committed are known, the rest is generated. At each
Euler step the chunk at the end of the flow is estimated by a straight line,

    Â = a^τ + (1 − τ) · v,

and its weighted error (Y − Â) · W is propagated back to a^τ through the network's Jacobian
(pseudoinverse guidance, ΠGDM). It requires no training, but a gradient in every step.

The network predicts ω − a = −v (see `flow`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pi05_ros.model import flow

GUIDANCE_LIMIT = 5.0  # β of the paper; larger values are unstable with few Euler steps.


def soft_mask(committed: int, overlap: int, horizon: int) -> Tensor:
    """Weight of each action of the old chunk in the guidance (equation 5).

    Args:
        committed: Leading actions with weight 1, the paper's d.
        overlap: Actions that the old chunk still has, the paper's H − s. From `committed` to
            `overlap` the weights decay exponentially; after that they are 0.
        horizon: Actions of a chunk.

    Returns:
        (horizon,) float32, 0 to 1.

    Raises:
        ValueError: Not 0 <= committed <= overlap <= horizon.
    """
    if not 0 <= committed <= overlap <= horizon:
        raise ValueError(
            f"wanted 0 <= committed <= overlap <= horizon, found {committed}, {overlap}, {horizon}"
        )
    rows = torch.arange(horizon, dtype=torch.float64)
    left = ((overlap - rows) / (overlap - committed + 1)).clamp(0.0, 1.0)
    decaying = left * torch.expm1(left) / math.expm1(1.0)
    return torch.where(rows < committed, 1.0, decaying).float()


def guidance_weight(tau: float, limit: float = GUIDANCE_LIMIT) -> float:
    """Gain of the guidance at time τ: min(β, (1 − τ) / (τ · r²)), and β at τ = 0.

    r² = (1 − τ)² / (τ² + (1 − τ)²) is the variance of actions of variance 1 given a^τ
    (equation 4).

    Raises:
        ValueError: Not 0 <= τ < 1.
    """
    if not 0.0 <= tau < 1.0:
        raise ValueError(f"wanted 0 <= tau < 1, found {tau}")
    if tau == 0.0:
        return limit
    return min(limit, (tau**2 + (1.0 - tau) ** 2) / (tau * (1.0 - tau)))


def integrate_guided(
    velocity: Callable[[Tensor, int], Tensor],
    noise: Tensor,
    steps: int,
    target: Tensor,
    weights: Tensor,
    limit: float = GUIDANCE_LIMIT,
) -> Tensor:
    """Integrate a flow as `flow.integrate` does, guided towards `target`.

    Gradients are taken with respect to the actions only; no `.grad` is set. It can be called in
    inference mode as long as `velocity` uses no tensor that was created there.

    Args:
        velocity: Function of a^τ (B, horizon, dim) and the step's index; predicts ω − a. It is
            differentiable, and the entries of the batch are independent.
        noise: ω, (B, horizon, dim) float32.
        steps: At least 1.
        target: Y, (B, horizon, dim) float32.
        weights: W, 0 to 1, float32, broadcastable to the target's shape.
        limit: β.

    Returns:
        Actions, (B, horizon, dim) float32.
    """
    with torch.inference_mode(False), torch.enable_grad():
        # Copies, because tensors created in inference mode cannot take part in autograd.
        x, target, weights = noise.clone(), target.clone(), weights.clone()
        for step, tau in enumerate(flow.euler_times(steps).tolist()):
            x.requires_grad_(True)
            predicted = velocity(x, step)
            estimate = x - (1.0 - tau) * predicted
            error = (weights * (target - estimate)).detach()
            (correction,) = torch.autograd.grad(estimate, x, error)
            x = (
                x.detach()
                + (guidance_weight(tau, limit) * correction - predicted.detach()) / steps
            )
        return x
