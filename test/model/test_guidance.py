"""Guidance against hand-computed numbers, closed forms, and a flow that is known exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from fakes.smooth_flow import SmoothFlow, kinds, velocity_jump
from torch import Tensor

from pi05_ros.model import flow
from pi05_ros.model.guidance import guidance_weight, integrate_guided, soft_mask

HORIZON, EXECUTED, DELAY = 50, 20, 8  # Rows; 8 of 20 ms are 150 ms, rounded up.


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_mask_is_the_papers():
    """Horizon 8, 2 rows committed, 3 executed anew: H − s = 5, and c is 3/4, 2/4, 1/4."""
    decaying = [c * (math.exp(c) - 1.0) / (math.e - 1.0) for c in (0.75, 0.5, 0.25)]
    want = torch.tensor([1.0, 1.0, *decaying, 0.0, 0.0, 0.0])
    torch.testing.assert_close(soft_mask(2, 5, 8), want)


def test_masks_at_their_ends():
    assert soft_mask(0, 0, 4).tolist() == [0.0] * 4
    assert soft_mask(4, 4, 4).tolist() == [1.0] * 4
    assert soft_mask(2, 2, 4).tolist() == [1.0, 1.0, 0.0, 0.0]
    for committed, overlap in ((3, 2), (-1, 2), (2, 5)):
        with pytest.raises(ValueError, match=f"found {committed}, {overlap}, 4"):
            soft_mask(committed, overlap, 4)


def test_masks_only_fall():
    for committed in range(11):
        for overlap in range(committed, 11):
            mask = soft_mask(committed, overlap, 10)
            assert (mask.diff() <= 0).all()
            assert (mask[:committed] == 1).all()
            assert ((mask[committed:overlap] > 0) & (mask[committed:overlap] < 1)).all()
            assert (mask[overlap:] == 0).all()


def test_weights_by_time():
    assert guidance_weight(0.0) == 5.0
    assert guidance_weight(0.5) == 2.0  # (1 − τ) / τ = 1, and r² = 1/2.
    assert guidance_weight(0.2) == pytest.approx((0.04 + 0.64) / 0.16)
    assert guidance_weight(0.01) == guidance_weight(0.99) == 5.0
    assert guidance_weight(0.99, limit=1e9) == pytest.approx((0.9801 + 0.0001) / 0.0099)
    for tau in (-0.1, 1.0):
        with pytest.raises(ValueError, match=f"wanted 0 <= tau < 1, found {tau}"):
            guidance_weight(tau)


def test_a_mask_of_zeros_does_not_guide():
    smooth = SmoothFlow()
    noise = draw(0, 3, HORIZON, 2)
    found = integrate_guided(
        smooth.velocity, noise, 10, draw(1, 3, HORIZON, 2), torch.zeros(3, HORIZON, 2)
    )
    torch.testing.assert_close(found, smooth.draw(noise), atol=1e-6, rtol=0)


def test_one_step_by_hand():
    """v = A·x + b: the estimate is x + v, its Jacobian I + A, and each gain is β = 5."""
    matrix, offset = draw(0, 3, 3), draw(1, 3)
    x, target, weights = draw(2, 1, 1, 3), draw(3, 1, 1, 3), torch.tensor([[[1.0, 0.5, 0.0]]])
    found = integrate_guided(
        lambda noisy, step: -(noisy @ matrix.T + offset), x, 1, target, weights
    )
    moved = x @ matrix.T + offset
    error = weights * (target - (x + moved))
    want = x + moved + 5.0 * error @ (torch.eye(3) + matrix)
    torch.testing.assert_close(found, want)


def test_the_error_shrinks_by_a_known_factor():
    """A constant velocity: each step takes (1 − β(τ)·W/n) of the error that is left."""
    constant, target = draw(0, 1, 4, 2), draw(1, 1, 4, 2)
    noise = draw(2, 1, 4, 2)
    weights = torch.tensor([1.0, 0.5, 0.1, 0.0])[None, :, None]
    found = integrate_guided(lambda noisy, step: constant, noise, 10, target, weights)
    left = torch.ones(1, 4, 1)
    for tau in flow.euler_times(10).tolist():
        left = left * (1.0 - guidance_weight(tau) * weights / 10)
    unguided = noise - constant
    torch.testing.assert_close(found - target, left * (unguided - target))
    assert left[0, 0, 0] < 0.02  # A row of weight 1 ends within 2 % of its target.


def test_no_gradient_is_kept():
    scale = torch.nn.Parameter(torch.tensor(0.5))
    noise = draw(0, 1, 4, 2)
    before = noise.clone()
    with torch.inference_mode():
        found = integrate_guided(
            lambda noisy, step: scale.detach() * noisy, noise, 4, noise + 1.0, torch.ones(1, 4, 1)
        )
    assert not found.requires_grad
    assert torch.equal(noise, before)
    assert scale.grad is None


@dataclass(frozen=True)
class Handover:
    """Chunks that are executed, as they stand 20 rows later, and what may follow each of them."""

    old: Tensor  # (256, horizon, 2), row 0 at the time of the new observation; held at its end.
    unguided: Tensor  # New chunks, as they come.
    guided: Tensor  # From the same noise.
    hard: Tensor  # Likewise, by the committed rows alone.


@pytest.fixture(scope="module")
def handover() -> Handover:
    before, now = SmoothFlow(), SmoothFlow(start=EXECUTED)
    drawn = before.draw(draw(5, 256, HORIZON, 2))
    old = torch.cat([drawn[:, EXECUTED:], drawn[:, -1:].expand(-1, EXECUTED, -1)], dim=1)
    noise = draw(6, 256, HORIZON, 2)

    def guided(overlap: int) -> Tensor:
        mask = soft_mask(DELAY, overlap, HORIZON)[None, :, None]
        return integrate_guided(now.velocity, noise, 10, old, mask)

    return Handover(old, now.draw(noise), guided(HORIZON - EXECUTED), guided(DELAY))


def test_the_known_flow(handover):
    """Both paths occur, and the chunks scatter around them as constructed."""
    found = handover.unguided
    assert (kinds(found) > 0).float().mean().item() == pytest.approx(0.5, abs=0.1)
    own = SmoothFlow(start=EXECUTED).paths[(kinds(found) < 0).long()]
    assert (found - own).std().item() == pytest.approx(0.3, rel=0.1)


def test_guidance_keeps_the_prefix(handover):
    def off(chunks: Tensor) -> float:
        return (chunks - handover.old)[:, :DELAY].abs().mean().item()

    assert off(handover.unguided) > 0.5
    assert off(handover.guided) < 0.05


def test_guidance_stays_on_the_path_of_the_old_chunk(handover):
    def same(chunks: Tensor) -> float:
        return (kinds(chunks) == kinds(handover.old)).float().mean().item()

    assert same(handover.unguided) == pytest.approx(0.5, abs=0.1)
    assert same(handover.guided) > 0.9


def test_guidance_halves_the_jump_at_the_seam(handover):
    """At 150 ms of delay, as the policy splices: up to the seam the old chunk is executed."""

    def jump(chunks: Tensor) -> Tensor:
        return velocity_jump(handover.old, chunks, DELAY)

    assert jump(handover.guided).mean() < 0.15 * jump(handover.unguided).mean()
    assert jump(handover.guided).median() < 0.5 * jump(handover.unguided).median()
    assert jump(handover.guided).max() < 0.5 * jump(handover.unguided).max()


def test_the_soft_mask_beats_the_committed_rows_alone(handover):
    """As in the paper: the rows behind them identify the path."""
    seams = [
        velocity_jump(handover.old, c, DELAY).mean() for c in (handover.guided, handover.hard)
    ]
    assert seams[0] < 0.5 * seams[1]
    same = [(kinds(c) == kinds(handover.old)).sum() for c in (handover.guided, handover.hard)]
    assert same[0] > same[1]


def test_a_prefix_guides_the_rows_behind_it(handover):
    """Rows of weight 0 follow through the Jacobian."""
    behind = slice(DELAY, HORIZON - EXECUTED)
    off = {
        name: (getattr(handover, name) - handover.old)[:, behind].abs().mean().item()
        for name in ("unguided", "hard")
    }
    assert off["hard"] < 0.5 * off["unguided"]


def test_guided_chunks_are_as_smooth_as_any(handover):
    """Behind the seam, too."""

    def roughness(chunks: Tensor) -> float:
        return chunks[:, DELAY:].diff(n=2, dim=1).abs().mean().item()

    assert roughness(handover.guided) < 1.5 * roughness(handover.unguided)
