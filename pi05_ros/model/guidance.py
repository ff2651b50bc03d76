"""Guidance: a flow is steered, while it is followed, to a chunk that goes on from another one.

Real-time chunking (arXiv 2506.07339, section 4 and algorithm 1) takes the chunk that is executed
for a picture with a hole in it, and fills the hole. At each Euler step the network says where the
flow would end if it went straight on from here,

    Â = a^τ + (1 − τ) · v,

and what is wrong with that, (Y − Â) · W, is pulled back to a^τ through the network's Jacobian
(pseudoinverse guidance, ΠGDM). No training is wanted, but a gradient in every step.

The network predicts ω − a = −v (see `flow`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pi05_ros.model import flow

GUIDANCE_LIMIT = 5.0  # β of the paper, which finds more to do harm where Euler steps are few.


def soft_mask(committed: int, overlap: int, horizon: int) -> Tensor:
    """How much each row of the old chunk binds the new one (equation 5), (horizon,) float32.

    The committed rows bind wholly. Those behind them bind less the further they lie ahead, falling
    exponentially, and what is no plan binds nothing. (In the paper d = committed and
    H − s = overlap.)

    Raises:
        ValueError: Not 0 <= committed <= overlap <= horizon.
    """
    if not 0 <= committed <= overlap <= horizon:
        raise ValueError(
            f"wanted 0 <= committed <= overlap <= horizon, found {committed}, {overlap}, {horizon}"
        )
    rows = torch.arange(horizon, dtype=torch.float64)
    left = ((overlap - rows) / (overlap - committed + 1)).clamp(0.0, 1.0)
    falling = left * torch.expm1(left) / math.expm1(1.0)
    return torch.where(rows < committed, 1.0, falling).float()


def guidance_weight(tau: float, limit: float = GUIDANCE_LIMIT) -> float:
    """How hard the error pulls at time τ: min(β, (1 − τ) / (τ · r²)), and β at τ = 0.

    r² = (1 − τ)² / (τ² + (1 − τ)²) is the variance that is left of actions of variance 1 once
    a^τ is known (equation 4).

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
    """Follows a flow as `flow.integrate` does, guided to `target` where `weights` bind.

    Gradients are taken with respect to the actions only, and none is left behind. It runs inside
    of inference mode, too, as long as `velocity` holds no tensor that was made there.

    Args:
        velocity: Given a^τ (B, horizon, dim) and the step's index, predicts ω − a there. It is
            differentiable, and no entry of the batch hears another one.
        noise: ω, (B, horizon, dim) float32.
        steps: At least 1.
        target: Y, (B, horizon, dim) float32.
        weights: W, 0 to 1, float32, of the target's shape or one that expands to it.
        limit: β.

    Returns:
        Actions, (B, horizon, dim) float32.
    """
    with torch.inference_mode(False), torch.enable_grad():
        # Copies: tensors of inference mode take part in no gradient.
        x, target, weights = noise.clone(), target.clone(), weights.clone()
        for step, tau in enumerate(flow.euler_times(steps).tolist()):
            x.requires_grad_(True)
            predicted = velocity(x, step)
            estimate = x - (1.0 - tau) * predicted
            error = (weights * (target - estimate)).detach()
            (pull,) = torch.autograd.grad(estimate, x, error)
            x = x.detach() + (guidance_weight(tau, limit) * pull - predicted.detach()) / steps
        return x
