"""An expert trained with prefix actions continues chunks, and still samples without a prefix.

One picture, one prompt, and chunks along one of two paths, with smooth deviations: the picture
does not determine the path, the executed rows do. The model is the preset tiny with wider heads
and a wider expert; only the expert is trained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from fakes.smooth_flow import SmoothFlow, kinds, velocity_jump
from torch import Tensor

from pi05_ros.inference.chunk_prefix import ChunkPrefix
from pi05_ros.inference.passes import Passes
from pi05_ros.model import flow
from pi05_ros.model.config import ExpertConfig, load_preset
from pi05_ros.model.guidance import soft_mask
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.training.objective.batch import Batch, TrainingSample, collate
from pi05_ros.training.objective.losses import LossConfig, losses, sample_prefix

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

HORIZON, DIM, ROWS = 16, 2, 64
CONFIG = LossConfig(alpha=1.0, max_prefix=6)
DELAY = 4  # Rows that are committed.


def chunks(count: int, generator: torch.Generator) -> Tensor:
    """(count, HORIZON, DIM), sampled from the distribution of SmoothFlow."""
    known = SmoothFlow(HORIZON, DIM)
    path = torch.randint(0, 2, (count,), generator=generator)
    factor = torch.linalg.cholesky(known.covariance.double() + 1e-6 * torch.eye(HORIZON))
    noise = torch.randn(count, HORIZON, DIM, generator=generator)
    return known.paths[path] + factor.float() @ noise


def scene() -> Batch:
    """The picture and prompt, repeated for each chunk of a batch."""
    image = torch.full((1, 3, 28, 28), 128, dtype=torch.uint8)
    return collate([TrainingSample(image, [5, 6, 7], actions=torch.zeros(HORIZON, DIM))] * ROWS)


@pytest.fixture(scope="module")
def trained() -> Pi05:
    tiny = load_preset("tiny")
    config = dataclasses.replace(
        tiny,
        language=dataclasses.replace(tiny.language, head_dim=32),
        expert=ExpertConfig(64, 128),
        action_dim=DIM,
        horizon=HORIZON,
    )
    model = Pi05(config)
    draw_weights(model, seed=0)
    generator = torch.Generator().manual_seed(0)
    steps, batch = 600, scene()
    named = dict(model.expert.named_parameters())
    matrices = {name: p for name, p in named.items() if p.ndim == 2}
    rated = [  # As in test_overfit.
        (torch.optim.Adam([p for n, p in named.items() if n not in matrices], fused=True), 5e-3),
        (torch.optim.Muon(matrices.values(), weight_decay=0.0), 2e-2),
    ]
    schedules = [
        torch.optim.lr_scheduler.OneCycleLR(o, rate, steps, pct_start=0.05, cycle_momentum=False)
        for o, rate in rated
    ]
    for _ in range(steps):
        sampled = dataclasses.replace(batch, actions=chunks(ROWS, generator))
        noise = torch.randn(ROWS, HORIZON, DIM, generator=generator)
        tau = flow.sample_tau(ROWS, generator)
        prefix = sample_prefix((ROWS,), CONFIG.max_prefix, generator)
        losses(model, sampled, CONFIG, noise, tau, prefix).total.backward()
        for (optimizer, _), schedule in zip(rated, schedules, strict=True):
            optimizer.step()
            schedule.step()
        model.zero_grad()
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def sample(trained) -> Callable[[Tensor, ChunkPrefix | None], Tensor]:
    """TrainingSample chunks one by one, as the engine does."""
    passes, batch = Passes(trained), scene()
    sampler = passes.prefill_for_actions(passes.embed(batch.images[0]), batch.prompt[:1])

    def sample_all(old: Tensor, mode: str) -> Tensor:
        generator = torch.Generator().manual_seed(2)
        found = []
        for rows in old:
            noise = torch.randn(1, HORIZON, DIM, generator=generator)
            mask = soft_mask(DELAY, DELAY if mode == "trained_rtc" else HORIZON, HORIZON)
            prefix = ChunkPrefix(
                rows[None], mask[None, :, None].expand(1, -1, DIM), mode == "trained_rtc"
            )
            found.append(sampler(noise, None if mode == "async" else prefix))
        return torch.cat(found)

    return sample_all


@pytest.fixture(scope="module")
def old() -> Tensor:
    """Executed chunks. The new ones begin at the same time and have the same distribution."""
    return chunks(64, torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def new(sample, old) -> dict[str, Tensor]:
    """Continuations of each old chunk by mode, from the same noise."""
    return {mode: sample(old, mode) for mode in ("async", "rtc", "trained_rtc")}


def test_without_a_prefix_both_paths_occur(new):
    """Without a prefix, which training includes, it samples like any other expert."""
    assert (kinds(new["async"]) > 0).float().mean().item() == pytest.approx(0.5, abs=0.2)
    paths = SmoothFlow(HORIZON, DIM).paths[(kinds(new["async"]) < 0).long()]
    assert (new["async"] - paths).std().item() == pytest.approx(0.3, rel=0.25)


def test_the_prefix_is_kept(new, old):
    assert torch.equal(new["trained_rtc"][:, :DELAY], old[:, :DELAY])


def test_it_continues_the_prefix(new, old):
    """Four rows hint at the path; both paths begin together."""
    same = {mode: (kinds(c) == kinds(old)).float().mean().item() for mode, c in new.items()}
    assert same["async"] == pytest.approx(0.5, abs=0.15)
    assert same["trained_rtc"] > 0.75
    assert same["rtc"] > 0.9  # It uses the rest of the old chunk, too.


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_the_velocity_jumps_less_at_the_seam(new, old, mode):
    """By 0.22 (trained_rtc) and 0.13 (rtc) of async's when this was written."""
    jump = {name: velocity_jump(old, c, DELAY).mean().item() for name, c in new.items()}
    assert jump[mode] < 0.4 * jump["async"]
