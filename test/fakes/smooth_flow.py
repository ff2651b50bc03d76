"""A flow in closed form: smooth chunks of two kinds, like paths around an obstacle.

A chunk is a part of one of two paths μ_k, plus a smooth deviation from N(0, Σ). On straight paths
from noise, a^τ = τ·a + (1 − τ)·ω is then normal for each kind, with the covariance
C = τ²Σ + (1 − τ)²I, and the actions are expected to be

    E[a | a^τ] = Σ_k p(k | a^τ) · (μ_k + τ·Σ·C⁻¹·(a^τ − τ·μ_k)).

A perfect network predicts E[ω − a | a^τ] = (a^τ − E[a | a^τ]) / (1 − τ).
"""

from __future__ import annotations

import torch
from torch import Tensor

from pi05_ros.model import flow

PERIOD = 0.02  # Between two rows [s].


class SmoothFlow:
    """A network's prediction, differentiable, for chunks (B, horizon, dim).

    Args:
        horizon: Rows of a chunk.
        dim: Entries; they deviate independently, and are of the same kind.
        steps: Euler steps.
        start: Rows from the beginning of the paths to the first row of a chunk.
        apart: Half of the largest distance between the two kinds.
        spread: Standard deviation of the deviations.
    """

    def __init__(
        self,
        horizon: int = 50,
        dim: int = 2,
        steps: int = 10,
        start: int = 0,
        apart: float = 1.0,
        spread: float = 0.3,
    ) -> None:
        rows = torch.arange(horizon, dtype=torch.float32)
        # Over the obstacle, in the time of two chunks; the other path is its negative.
        way = torch.sin(torch.pi * (start + rows) / (2 * horizon))
        self.paths = (apart * torch.stack([way, -way]))[:, :, None].expand(2, horizon, dim)
        distance = (rows[:, None] - rows) / 10.0  # A deviation lasts ten rows.
        self.covariance = spread**2 * torch.exp(-0.5 * distance**2)
        self.times = flow.euler_times(steps).tolist()
        unit = torch.eye(horizon)
        spreads = [t**2 * self.covariance + (1.0 - t) ** 2 * unit for t in self.times]
        self._inverses = [torch.linalg.inv(each.double()).float() for each in spreads]

    def expected(self, noisy: Tensor, step: int) -> Tensor:
        """Return E[a | a^τ], (B, horizon, dim)."""
        tau, inverse = self.times[step], self._inverses[step]
        away = noisy[:, None] - tau * self.paths  # (B, 2, horizon, dim)
        solved = inverse @ away
        share = torch.softmax(-0.5 * (away * solved).sum(dim=(2, 3)), dim=1)
        means = self.paths + tau * self.covariance @ solved
        return (share[:, :, None, None] * means).sum(dim=1)

    def velocity(self, noisy: Tensor, step: int) -> Tensor:
        """Return E[ω − a | a^τ], (B, horizon, dim)."""
        return (noisy - self.expected(noisy, step)) / (1.0 - self.times[step])

    def draw(self, noise: Tensor) -> Tensor:
        """Sample chunks without guidance."""
        return flow.integrate(self.velocity, noise, len(self.times))


def kinds(chunks: Tensor) -> Tensor:
    """Return the path of each chunk, (B,): 1 over, −1 under."""
    return chunks.mean(dim=(1, 2)).sign()


def velocity_jump(old: Tensor, new: Tensor, seam: int) -> Tensor:
    """Return the jump of velocity where `new` takes over from `old` at the row `seam`.

    Rows before it are executed from `old`. The jump is the velocity after it less that before it.

    Returns:
        (B,), the norm over the entries [unit/s].
    """
    after = (new[:, seam] - old[:, seam - 1]) / PERIOD
    before = (old[:, seam - 1] - old[:, seam - 2]) / PERIOD
    return (after - before).norm(dim=-1)
