"""The engine with the one-layer model: sharing, determinism, invalid inputs."""

import threading

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

from pi05_ros.brain.continuation import CONTINUATION_MODES, Continuation, ContinuationMode
from pi05_ros.checkpoints.checkpoint import Checkpoint, random_checkpoint
from pi05_ros.inference import engine as engine_module
from pi05_ros.inference.engine import EngineError, Pi05Engine
from pi05_ros.model.text.prompts import PromptError

LOW = "Task: pick up the plate, State: 128 128;\nAction: "
HIGH = "Task: put the dishes in the sink, State: 128 128;\nSubtask: "


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint("tiny")


@pytest.fixture
def engine(checkpoint: Checkpoint) -> Pi05Engine:
    return Pi05Engine(checkpoint, seed=1)


def continuation(
    seed: int, mode: ContinuationMode = "rtc", committed: int = 8, overlap: int = 30
) -> Continuation:
    """Normalised rows of 18 entries; those after the overlap repeat its last one."""
    rows = np.random.default_rng(seed).uniform(-1.0, 1.0, (50, 18))
    rows[overlap:] = rows[overlap - 1]
    return Continuation(rows, committed, overlap, mode)


def pictures(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {f"camera {i}": draw.integers(0, 256, (28, 28, 3), np.uint8) for i in range(count)}


def test_actions_follow_seed_prompt_and_pictures(checkpoint, engine):
    first = engine.sample_actions(pictures(3), LOW).actions
    assert first.shape == (50, 32)
    assert first.dtype == np.float32
    second = engine.sample_actions(pictures(3), LOW).actions
    assert not np.array_equal(first, second)  # Fresh noise.
    again = Pi05Engine(checkpoint, seed=1)
    again.warm_up(4, 3)  # Uses no generator.
    again.generate_text(pictures(4), HIGH)  # The other head has its own generator.
    np.testing.assert_array_equal(again.sample_actions(pictures(3), LOW).actions, first)
    np.testing.assert_array_equal(again.sample_actions(pictures(3), LOW).actions, second)
    other = Pi05Engine(checkpoint, seed=2).sample_actions(pictures(3), LOW).actions
    assert not np.array_equal(other, first)

    noise = torch.randn(1, 50, 32, generator=torch.Generator().manual_seed(0))
    fixed = engine.sample_actions(pictures(3), LOW, noise).actions
    np.testing.assert_array_equal(engine.sample_actions(pictures(3), LOW, noise).actions, fixed)
    for images, prompt in ((pictures(3, seed=9), LOW), (pictures(3), LOW.replace("plate", "cup"))):
        other = engine.sample_actions(images, prompt, noise).actions
        assert np.abs(other - fixed).max() > 1e-5


def test_actions_equal_the_models_own(checkpoint, engine):
    """The engine's result is that of the model called directly."""
    model, images = checkpoint.model, pictures(2)
    noise = torch.randn(1, 50, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        batch = torch.from_numpy(np.stack(list(images.values()))).permute(0, 3, 1, 2)
        tokens = torch.tensor([[2, *checkpoint.tokenizer.encode(LOW)]])
        embedded = torch.cat([*model.embed_images(batch), model.language.embed(tokens)[0]])
        _, context = model.prefill(embedded[None])
        want = model.sample_actions(context, noise, model.config.flow_steps)[0]
    found = engine.sample_actions(images, LOW, noise).actions
    np.testing.assert_allclose(found, want, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_chunk_continues_another(dtype):
    checkpoint = random_checkpoint("tiny")
    checkpoint.model.to(dtype)
    images, old = pictures(3), continuation(0)
    sampled = {
        mode: Pi05Engine(checkpoint, seed=1)
        .sample_actions(images, LOW, continuation=mode and continuation(0, mode))
        .actions
        for mode in (None, *CONTINUATION_MODES)
    }

    def off(mode: str | None, rows: slice) -> float:
        return np.abs(sampled[mode][rows, :18] - old.actions[rows]).mean()

    assert off("rtc", slice(8)) < 0.1 * off(None, slice(8))
    assert off("rtc", slice(8, 20)) < 0.7 * off(None, slice(8, 20))
    assert off("rtc", slice(30, 50)) > 0.7 * off(None, slice(30, 50))
    # Known rows are those that were given; padding is 0, as in training.
    want = np.pad(old.actions[:8], ((0, 0), (0, 14))).astype(np.float32)
    np.testing.assert_array_equal(sampled["trained_rtc"][:8], want)
    assert np.abs(sampled["trained_rtc"] - sampled[None])[8:].max() > 1e-4


def test_the_warm_up_of_a_mode_uses_no_generator(checkpoint, engine):
    first = engine.sample_actions(pictures(3), LOW, continuation=continuation(0)).actions
    again = Pi05Engine(checkpoint, seed=1)
    for mode in CONTINUATION_MODES:
        again.warm_up(0, 3, mode)
    found = again.sample_actions(pictures(3), LOW, continuation=continuation(0)).actions
    np.testing.assert_array_equal(found, first)


def test_text_is_greedy_or_sampled(checkpoint, engine):
    result = engine.generate_text(pictures(4), HIGH)
    assert result.text == checkpoint.tokenizer.decode(result.decoded.tokens)
    assert 0.0 < result.decoded.score <= 1.0
    assert len(result.decoded.tokens) <= checkpoint.model.config.max_text_tokens
    assert engine.generate_text(pictures(4), HIGH).decoded == result.decoded
    sampled = [
        Pi05Engine(checkpoint, seed=seed, temperature=1.0).generate_text(pictures(4), HIGH).text
        for seed in (1, 1, 2)
    ]
    assert sampled[0] == sampled[1] != sampled[2]


def test_planner_and_policy_share_embedded_pictures(engine, monkeypatch):
    embedded = []
    inner = engine._pictures._embed
    monkeypatch.setattr(
        engine._pictures,
        "_embed",
        lambda batch, views: embedded.append(len(batch)) or inner(batch, views),
    )
    images = pictures(4)
    engine.generate_text(images, HIGH)
    engine.sample_actions(dict(list(images.items())[:3]), LOW)
    assert embedded == [4]
    changed = {**images, "camera 1": images["camera 1"] + np.uint8(1)}
    engine.sample_actions(changed, LOW)
    assert embedded == [4, 1]


def test_a_chunk_goes_first_while_text_is_decoded(engine, monkeypatch):
    """A chunk requested during a subtask is computed before the next token."""
    asked = threading.Event()
    events = []  # Appended by the holder of the lock.

    def policy() -> None:
        asked.wait(10.0)
        engine.sample_actions(pictures(3), LOW)

    thread = threading.Thread(target=policy, daemon=True)
    thread.start()
    step, prefill = engine._passes._decode_step_pass, engine._passes.prefill_for_actions

    def noted_prefill(*arguments):
        events.append("chunk")
        return prefill(*arguments)

    def slow_step(token, caches):
        if not asked.is_set():
            asked.set()
            for _ in range(1000):  # Until the policy waits for the lock.
                if engine._lock._urgent_waiting:
                    break
                threading.Event().wait(0.01)
        events.append("token")
        return step(token, caches)

    monkeypatch.setattr(engine._passes, "prefill_for_actions", noted_prefill)
    monkeypatch.setattr(engine._passes, "_decode_step_pass", slow_step)
    result = engine.generate_text(pictures(4), HIGH)
    thread.join(10.0)
    assert not thread.is_alive()
    assert events[:2] == ["token", "chunk"]
    assert events.count("token") == len(result.decoded.tokens) - 1 + result.decoded.finished
    assert result.times.waited > 0.0


def test_times_add_up(engine):
    for result in (
        engine.sample_actions(pictures(3), LOW),
        engine.generate_text(pictures(4), HIGH),
    ):
        times = result.times
        parts = (times.waited, times.vision, times.prefix, times.generation)
        assert all(part >= 0.0 for part in parts)
        assert times.prefix > 0.0
        assert times.generation > 0.0
        assert sum(parts) == pytest.approx(times.total)


@pytest.mark.parametrize(
    ("images", "prompt", "message"),
    [
        ({}, LOW, "no picture was given"),
        (
            {"front": np.zeros((224, 224, 3), np.uint8)},
            LOW,
            r"camera 'front': wanted .* \(28, 28, 3\) uint8, found \(224, 224, 3\) uint8",
        ),
        ({"front": np.zeros((28, 28, 3), np.float32)}, LOW, "found .* float32"),
        (pictures(1), "Task: " + "ü" * 100 + LOW, "at most 200 tokens, found 2.."),
    ],
)
def test_refusals(engine, images, prompt, message):
    for head in (engine.sample_actions, engine.generate_text):
        with pytest.raises((EngineError, PromptError), match=message):
            head(images, prompt)


def test_actions_that_are_not_finite_are_refused():
    checkpoint = random_checkpoint("tiny")
    checkpoint.model.expert.action_out.bias.data[3] = float("nan")
    with pytest.raises(EngineError, match="actions that are not finite"):
        Pi05Engine(checkpoint).sample_actions(pictures(1), LOW)


def test_the_thread_count_is_set_only_on_request(checkpoint, monkeypatch):
    calls = []
    monkeypatch.setattr(engine_module.torch, "set_num_threads", calls.append)
    Pi05Engine(checkpoint)
    assert calls == []
    Pi05Engine(checkpoint, threads=1)
    assert calls == [1]


@pytest.mark.timeout(400)  # Compiling is slow on a loaded machine.
def test_compiled_a_new_prompt_compiles_nothing(checkpoint):
    """After the warm-up, for any inputs, from another thread; and the results are the same."""
    compiled = Pi05Engine(random_checkpoint("tiny"), execution="compiled", seed=1)
    eager = Pi05Engine(checkpoint, seed=1)
    compiled.warm_up(text_cameras=4, action_cameras=3)
    before = counters["stats"]["unique_graphs"]
    assert before > 0
    found = []

    def request() -> None:
        for cameras in (3, 1, 2):
            for words in ("plate", "cup on the left of the sink", "ü" * 40):
                images = pictures(cameras, seed=len(words))
                low = LOW.replace("plate", words)
                text = compiled.generate_text({**images, **pictures(4)}, HIGH)
                found.append((images, low, compiled.sample_actions(images, low).actions, text))

    thread = threading.Thread(target=request)
    thread.start()
    thread.join(120.0)
    assert not thread.is_alive()
    assert len(found) == 9
    assert counters["stats"]["unique_graphs"] == before
    for images, low, actions, text in found:
        np.testing.assert_allclose(eager.sample_actions(images, low).actions, actions, atol=2e-5)
        assert eager.generate_text({**images, **pictures(4)}, HIGH).text == text.text


@pytest.mark.timeout(400)  # Compiling is slow on a loaded machine.
def test_compiled_a_chunk_with_a_prefix_compiles_nothing(checkpoint):
    """For any prompt and any number of committed rows."""
    compiled = Pi05Engine(random_checkpoint("tiny"), execution="compiled", seed=1)
    eager = Pi05Engine(checkpoint, seed=1)
    for mode in CONTINUATION_MODES:
        compiled.warm_up(text_cameras=0, action_cameras=1, continuation=mode)
    before = counters["stats"]["unique_graphs"]
    assert before > 0
    for committed, words in enumerate(("plate", "cup on the left of the sink", "ü" * 40)):
        low = LOW.replace("plate", words)
        for mode in CONTINUATION_MODES:
            old = continuation(committed, mode, 7 * committed)
            found = compiled.sample_actions(pictures(1), low, continuation=old).actions
            want = eager.sample_actions(pictures(1), low, continuation=old).actions
            np.testing.assert_allclose(found, want, atol=1e-4)
    assert counters["stats"]["unique_graphs"] == before
