"""A policy whose flow is known in closed form: a mixture of Gaussians over whole chunks.

For a ~ Σ w_i N(μ_i, K) and x = T a + (1 − T) ω, T the diagonal of each row's time τ,

    S = T K T + (1 − T)²,   E[a | x, i] = μ_i + K T S⁻¹ (x − T μ_i),
    E[ω | x, i] = (1 − T) S⁻¹ (x − T μ_i),

and the velocity that a perfect network would predict is E[ω − a | x]. A row at time 1 is clean: so
the same policy is also the exact solution of training with a prefix.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from pi05_ros.brain.continuation import Continuation
from pi05_ros.model import flow
from pi05_ros.model.guidance import integrate_guided, soft_mask

STEPS = 10
# Variance that clean rows are taken to have: a prefix is met up to 0.3 %.
_JITTER = 1e-5


class GaussianFlow:
    """Samples chunks as a model does: unconditioned, guided, or after a prefix.

    Args:
        covariance: K of each dimension, (H, H) float64. Given the mode, dimensions are
            independent.
    """

    def __init__(self, covariance: Tensor) -> None:
        self._covariance = covariance.double()
        self._horizon = len(covariance)
        self._times = flow.euler_times(STEPS)

    def sample(self, means: Tensor, noise: Tensor, continuation: Continuation | None) -> Tensor:
        """Sample one chunk.

        Args:
            means: μ, (M, H, D), all equally likely.
            noise: ω, (H, D).
            continuation: Chunk in execution, its actions in the units of the means; None: none.

        Returns:
            (H, D) float32; the committed rows are only near those of the continuation.
        """
        means, noise = means.float(), noise.float()[None]
        if continuation is None:
            return flow.integrate(lambda x, s: self._velocity(x, s, means, 0), noise, STEPS)[0]
        rows = torch.from_numpy(continuation.actions).float()[None]
        committed = continuation.committed
        if continuation.mode == "trained_rtc":
            known = (torch.arange(self._horizon) < committed)[:, None]
            return flow.integrate(
                lambda x, s: self._velocity(torch.where(known, rows, x), s, means, committed),
                noise,
                STEPS,
            )[0]
        weights = soft_mask(committed, continuation.overlap, self._horizon)[None, :, None]
        return integrate_guided(
            lambda x, s: self._velocity(x, s, means, 0), noise, STEPS, rows, weights
        )[0]

    def _velocity(self, x: Tensor, step: int, means: Tensor, clean: int) -> Tensor:
        """Return E[ω − a | x], (1, H, D)."""
        tau, to_actions, to_noise, precision = self._maps(step, clean)
        away = x - tau[:, None] * means  # (M, H, D)
        # The mode is one for all dimensions.
        likelihood = -0.5 * torch.einsum("mhd,hk,mkd->m", away, precision, away)
        share = torch.softmax(likelihood, dim=0)[:, None, None]
        actions = means + to_actions @ away
        return (share * (to_noise @ away - actions)).sum(dim=0, keepdim=True)

    @functools.cache  # noqa: B019 - One object lives as long as the process.
    def _maps(self, step: int, clean: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return τ (H,), K T S⁻¹, (1 − T) S⁻¹ and S⁻¹, each (H, H), at an Euler step."""
        tau = torch.full((self._horizon,), float(self._times[step]), dtype=torch.float64)
        tau[:clean] = 1.0
        covered = tau[:, None] * self._covariance * tau
        eye = torch.eye(self._horizon, dtype=torch.float64)
        precision = torch.linalg.inv(covered + torch.diag((1 - tau) ** 2) + _JITTER * eye)
        to_actions = self._covariance @ (tau[:, None] * precision)
        to_noise = (1 - tau)[:, None] * precision
        return tau.float(), to_actions.float(), to_noise.float(), precision.float()


def smooth_covariance(horizon: int, sigma: float, length: float, first: float) -> Tensor:
    """Return K of chunks that begin near the robot and then diverge smoothly (Matérn, ν = 5/2).

    Args:
        horizon: H.
        sigma: Standard deviation far from the first row.
        length: Rows over which deviations are correlated, and within which they reach sigma.
        first: Standard deviation in row 0, as a share of sigma.
    """
    rows = torch.arange(horizon, dtype=torch.float64)
    ramp = sigma * (1.0 - (1.0 - first) * torch.exp(-rows / length))
    distance = 5.0**0.5 * (rows[:, None] - rows).abs() / length
    matern = (1.0 + distance + distance**2 / 3.0) * torch.exp(-distance)
    return ramp[:, None] * ramp * matern
