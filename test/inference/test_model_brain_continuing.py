"""ModelBrain with a continuation: the engine's input, the result, the limits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fakes.model_brain import PLATFORMS, TINY, observe, saved, stats_of

from pi05_ros.brain.continuation import Continuation, ContinuationError
from pi05_ros.checkpoints.checkpoint import Training
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.platforms.platform import Platform, load_platform


@pytest.fixture(params=PLATFORMS)
def platform(request) -> Platform:
    return load_platform(request.param)


@pytest.fixture
def brain(platform: Platform) -> ModelBrain:
    return ModelBrain(platform, TINY)


def handover(platform: Platform, old: np.ndarray, mode: str, committed: int = 8) -> Continuation:
    """An old chunk, 20 rows later: 30 rows are left, the last one repeated."""
    rows = np.concatenate([old[20:], np.repeat(old[-1:], 20, axis=0)])
    return Continuation(rows, committed, 30, mode)


@pytest.mark.parametrize(
    "checkpoint", [TINY, pytest.param("random:smoke", id="smoke", marks=pytest.mark.slow)]
)
def test_guided_chunks_keep_to_the_plan_at_the_seam(checkpoint):
    """Random weights, whose chunks differ from each other, at 150 ms, with new noise each time.

    The measure is the difference in velocity at the seam to the plan:
    |a_new − a_old| / period in the first new row.
    """
    platform = load_platform("mobile_18dof")
    brain = ModelBrain(platform, checkpoint)
    size, span = brain.info.image_size, platform.upper - platform.lower
    off: dict[str, list[np.ndarray]] = {"async": [], "rtc": []}
    for seed in range(8):
        old = brain.predict_chunk(observe(platform, size, seed), "pick up the plate").actions
        now = observe(platform, size, seed + 100)
        continued = handover(platform, old, "rtc")
        for name, continuation in (("async", None), ("rtc", continued)):
            new = brain.predict_chunk(now, "pick up the plate", continuation).actions
            off[name].append(np.abs(new - continued.actions) / span)
    mean = {name: np.mean(rows, axis=(0, 2)) for name, rows in off.items()}
    assert mean["rtc"][8] < 0.15 * mean["async"][8]
    # Less further ahead, where the weights fall; not at all after the end of the old plan.
    assert mean["rtc"][8:20].mean() < mean["rtc"][20:30].mean() < 0.9 * mean["async"][20:30].mean()
    assert mean["rtc"][30:].mean() == pytest.approx(mean["async"][30:].mean(), rel=0.2)


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_committed_rows_come_back_exactly(platform, brain, mode):
    old = brain.predict_chunk(observe(platform), "pick up the plate").actions
    continued = handover(platform, old + 1e-3, mode)  # Even beyond the limits: they were executed.
    new = brain.predict_chunk(observe(platform), "pick up the plate", continued).actions
    np.testing.assert_array_equal(new[:8], continued.actions[:8])
    assert (new[8:] >= platform.lower).all()
    assert (new[8:] <= platform.upper).all()
    assert np.abs(new[8:] - continued.actions[8:]).max() > 1e-3  # Not the old one.


def test_relative_actions_are_counted_from_the_new_state(platform, tmp_path, monkeypatch):
    """The engine's input, unnormalised at the new state, is the old chunk."""
    folder = saved(tmp_path, platform, "pi05", relative=True, training=Training(flow=True))
    brain = ModelBrain(platform, folder)
    received = []
    inner = brain._engine.sample_actions
    monkeypatch.setattr(
        brain._engine,
        "sample_actions",
        lambda *a, continuation, **k: (
            received.append(continuation) or inner(*a, continuation=continuation, **k)
        ),
    )
    before, now = observe(platform), observe(platform, seed=1)
    now = dataclasses.replace(now, state=now.state + 0.05)
    old = brain.predict_chunk(before, "pick up the plate").actions
    continued = handover(platform, old, "rtc")
    brain.predict_chunk(now, "pick up the plate", continued)
    assert received[0] is None
    assert (received[1].committed, received[1].overlap, received[1].mode) == (8, 30, "rtc")
    stats = stats_of(platform, relative=True)
    np.testing.assert_allclose(
        stats.unnormalize_actions(received[1].actions, now.state), continued.actions, atol=1e-9
    )
    wrong = stats.unnormalize_actions(received[1].actions, before.state)
    assert np.abs(wrong - continued.actions)[:, ~platform.is_velocity].min() > 0.04


def test_continuation_modes_of_each_variant(platform, tmp_path):
    def modes(name: str, variant: str, **facts) -> tuple[tuple[str, ...], int]:
        (tmp_path / name).mkdir()
        info = ModelBrain(platform, saved(tmp_path / name, platform, variant, **facts)).info
        return info.continuations, info.max_prefix

    training = Training(flow=True, max_prefix=6)
    random = np.random.default_rng(0)
    chunks = [random.uniform(-0.5, 0.5, (50, platform.size)) for _ in range(5)]
    fast = FastTokenizer.fit(chunks, size=500)
    assert modes("a", "pi05", training=Training(flow=True)) == (("rtc",), 0)
    assert modes("b", "pi0", training=Training(flow=True)) == (("rtc",), 0)
    assert modes("c", "pi05", training=training) == (("trained_rtc", "rtc"), 6)
    assert modes("d", "pi0", training=training) == (("trained_rtc", "rtc"), 6)
    assert modes("e", "pi0_fast", training=Training(fast=True), fast=fast) == ((), 0)
    assert modes("f", "pi05", training=Training(fast=True), fast=fast) == ((), 0)
    untrained = ModelBrain(platform, TINY).info
    assert (untrained.continuations, untrained.max_prefix) == (("rtc", "trained_rtc"), 49)
    assert "it has learned nothing" in untrained.description


@pytest.mark.parametrize("variant", ["pi05", "pi0"])
@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_a_trained_model_has_a_longest_prefix(platform, tmp_path, variant, mode):
    training = Training(flow=True, max_prefix=6)
    brain = ModelBrain(platform, saved(tmp_path, platform, variant, training=training))
    brain.warm_up(mode)
    old = brain.predict_chunk(observe(platform), "pick up the plate").actions
    new = brain.predict_chunk(
        observe(platform), "pick up the plate", handover(platform, old, mode, committed=6)
    ).actions
    np.testing.assert_array_equal(new[:6], handover(platform, old, mode).actions[:6])
    too_long = handover(platform, old, mode, committed=7)
    if mode == "rtc":
        brain.predict_chunk(observe(platform), "pick up the plate", too_long)
        return
    with pytest.raises(ContinuationError, match="at most 6 committed rows, found 7; take rtc"):
        brain.predict_chunk(observe(platform), "pick up the plate", too_long)


@pytest.mark.parametrize("shape", [(49, 18), (50, 17)])
def test_a_chunk_of_another_shape_cannot_be_continued(shape):
    brain = ModelBrain(load_platform("mobile_18dof"), TINY)
    other = Continuation(np.zeros(shape), 3, 10, "rtc")
    with pytest.raises(ContinuationError, match=r"wanted a chunk of \(50, 18\) to go on from, f"):
        brain.predict_chunk(observe(load_platform("mobile_18dof")), "pick up the plate", other)


def test_a_mode_that_the_model_lacks(platform, tmp_path):
    brain = ModelBrain(platform, saved(tmp_path, platform, "pi05", training=Training(flow=True)))
    continuation = Continuation(np.tile(platform.home, (50, 1)), 3, 10, "trained_rtc")
    assert "trained_rtc" not in brain.info.continuations
    with pytest.raises(ContinuationError, match="in the modes: rtc; found 'trained_rtc'"):
        brain.predict_chunk(observe(platform), "pick up the plate", continuation)
    with pytest.raises(ContinuationError, match="in the modes: rtc; found 'trained_rtc'"):
        brain.warm_up("trained_rtc")
