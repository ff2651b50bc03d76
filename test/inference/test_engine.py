"""The engine with the one-layer model: sharing, determinism, refusals."""

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
    """Normalised rows of 18 entries, the end of them held."""
    rows = np.random.default_rng(seed).uniform(-1.0, 1.0, (50, 18))
    rows[overlap:] = rows[overlap - 1]
    return Continuation(rows, committed, overlap, mode)


def pictures(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {f"camera {i}": draw.integers(0, 256, (28, 28, 3), np.uint8) for i in range(count)}


def test_actions_follow_seed_prompt_and_pictures(checkpoint, engine):
    first = engine.draw_actions(pictures(3), LOW).actions
    assert first.shape == (50, 32)
    assert first.dtype == np.float32
    second = engine.draw_actions(pictures(3), LOW).actions
    assert not np.array_equal(first, second)  # Fresh noise.
    again = Pi05Engine(checkpoint, seed=1)
    again.warm_up(4, 3)  # Draws nothing.
    again.write_text(pictures(4), HIGH)  # The other head has a generator of its own.
    np.testing.assert_array_equal(again.draw_actions(pictures(3), LOW).actions, first)
    np.testing.assert_array_equal(again.draw_actions(pictures(3), LOW).actions, second)
    other = Pi05Engine(checkpoint, seed=2).draw_actions(pictures(3), LOW).actions
    assert not np.array_equal(other, first)

    noise = torch.randn(1, 50, 32, generator=torch.Generator().manual_seed(0))
    fixed = engine.draw_actions(pictures(3), LOW, noise).actions
    np.testing.assert_array_equal(engine.draw_actions(pictures(3), LOW, noise).actions, fixed)
    for images, prompt in ((pictures(3, seed=9), LOW), (pictures(3), LOW.replace("plate", "cup"))):
        other = engine.draw_actions(images, prompt, noise).actions
        assert np.abs(other - fixed).max() > 1e-5


def test_actions_equal_the_models_own(checkpoint, engine):
    """The engine adds caches, not maths."""
    model, images = checkpoint.model, pictures(2)
    noise = torch.randn(1, 50, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        batch = torch.from_numpy(np.stack(list(images.values()))).permute(0, 3, 1, 2)
        tokens = torch.tensor([[2, *checkpoint.tokenizer.encode(LOW)]])
        embedded = torch.cat([*model.embed_images(batch), model.language.embed(tokens)[0]])
        _, context = model.prefill(embedded[None])
        want = model.sample_actions(context, noise, model.config.flow_steps)[0]
    found = engine.draw_actions(images, LOW, noise).actions
    np.testing.assert_allclose(found, want, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_chunk_goes_on_from_another(dtype):
    checkpoint = random_checkpoint("tiny")
    checkpoint.model.to(dtype)
    images, old = pictures(3), continuation(0)
    drawn = {
        mode: Pi05Engine(checkpoint, seed=1)
        .draw_actions(images, LOW, continuation=mode and continuation(0, mode))
        .actions
        for mode in (None, *CONTINUATION_MODES)
    }

    def off(mode: str | None, rows: slice) -> float:
        return np.abs(drawn[mode][rows, :18] - old.actions[rows]).mean()

    assert off("rtc", slice(8)) < 0.1 * off(None, slice(8))
    assert off("rtc", slice(8, 20)) < 0.7 * off(None, slice(8, 20))
    assert off("rtc", slice(30, 50)) > 0.7 * off(None, slice(30, 50))
    # Known rows are those that were given; what is padding stands at 0, as in training.
    want = np.pad(old.actions[:8], ((0, 0), (0, 14))).astype(np.float32)
    np.testing.assert_array_equal(drawn["trained_rtc"][:8], want)
    assert np.abs(drawn["trained_rtc"] - drawn[None])[8:].max() > 1e-4


def test_the_warm_up_of_a_mode_draws_nothing(checkpoint, engine):
    first = engine.draw_actions(pictures(3), LOW, continuation=continuation(0)).actions
    again = Pi05Engine(checkpoint, seed=1)
    for mode in CONTINUATION_MODES:
        again.warm_up(0, 3, mode)
    found = again.draw_actions(pictures(3), LOW, continuation=continuation(0)).actions
    np.testing.assert_array_equal(found, first)


def test_text_is_greedy_or_drawn(checkpoint, engine):
    result = engine.write_text(pictures(4), HIGH)
    assert result.text == checkpoint.tokenizer.decode(result.decoded.tokens)
    assert 0.0 < result.decoded.score <= 1.0
    assert len(result.decoded.tokens) <= checkpoint.model.config.max_text_tokens
    assert engine.write_text(pictures(4), HIGH).decoded == result.decoded
    drawn = [
        Pi05Engine(checkpoint, seed=seed, temperature=1.0).write_text(pictures(4), HIGH).text
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_planner_and_policy_share_embedded_pictures(engine, monkeypatch):
    embedded = []
    inner = engine._pictures._embed
    monkeypatch.setattr(
        engine._pictures, "_embed", lambda batch: embedded.append(len(batch)) or inner(batch)
    )
    images = pictures(4)
    engine.write_text(images, HIGH)
    engine.draw_actions(dict(list(images.items())[:3]), LOW)
    assert embedded == [4]
    changed = {**images, "camera 1": images["camera 1"] + np.uint8(1)}
    engine.draw_actions(changed, LOW)
    assert embedded == [4, 1]


def test_a_chunk_goes_first_while_text_is_written(engine, monkeypatch):
    """A chunk that is asked for in the middle of a subtask is done before its next token."""
    asked = threading.Event()
    events = []  # Noted by whoever holds the lock.

    def policy() -> None:
        asked.wait(10.0)
        engine.draw_actions(pictures(3), LOW)

    thread = threading.Thread(target=policy, daemon=True)
    thread.start()
    write, read = engine._passes._write_pass, engine._passes.read_for_actions

    def noted_read(*arguments):
        events.append("chunk")
        return read(*arguments)

    def slow_write(token, memory):
        if not asked.is_set():
            asked.set()
            for _ in range(1000):  # Until the policy stands at the lock.
                if engine._lock._urgent_waiting:
                    break
                threading.Event().wait(0.01)
        events.append("token")
        return write(token, memory)

    monkeypatch.setattr(engine._passes, "read_for_actions", noted_read)
    monkeypatch.setattr(engine._passes, "_write_pass", slow_write)
    result = engine.write_text(pictures(4), HIGH)
    thread.join(10.0)
    assert not thread.is_alive()
    assert events[:2] == ["token", "chunk"]
    assert events.count("token") == len(result.decoded.tokens) - 1 + result.decoded.finished
    assert result.times.waited > 0.0


def test_times_add_up(engine):
    for result in (engine.draw_actions(pictures(3), LOW), engine.write_text(pictures(4), HIGH)):
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
    for head in (engine.draw_actions, engine.write_text):
        with pytest.raises((EngineError, PromptError), match=message):
            head(images, prompt)


def test_broken_weights_move_nothing():
    checkpoint = random_checkpoint("tiny")
    checkpoint.model.expert.action_out.bias.data[3] = float("nan")
    with pytest.raises(EngineError, match="actions that are not finite"):
        Pi05Engine(checkpoint).draw_actions(pictures(1), LOW)


def test_the_thread_count_is_set_only_when_asked(checkpoint, monkeypatch):
    calls = []
    monkeypatch.setattr(engine_module.torch, "set_num_threads", calls.append)
    Pi05Engine(checkpoint)
    assert calls == []
    Pi05Engine(checkpoint, threads=1)
    assert calls == [1]


@pytest.mark.timeout(400)  # Compiling takes a crowded machine long.
def test_compiled_a_new_prompt_compiles_nothing(checkpoint):
    """After the warm-up, whatever comes, from threads such as the nodes'; and it says the same."""
    compiled = Pi05Engine(random_checkpoint("tiny"), execution="compiled", seed=1)
    eager = Pi05Engine(checkpoint, seed=1)
    compiled.warm_up(text_cameras=4, action_cameras=3)
    before = counters["stats"]["unique_graphs"]
    assert before > 0
    found = []

    def think() -> None:
        for cameras in (3, 1, 2):
            for words in ("plate", "cup on the left of the sink", "ü" * 40):
                images = pictures(cameras, seed=len(words))
                low = LOW.replace("plate", words)
                text = compiled.write_text({**images, **pictures(4)}, HIGH)
                found.append((images, low, compiled.draw_actions(images, low).actions, text))

    thread = threading.Thread(target=think)
    thread.start()
    thread.join(120.0)
    assert not thread.is_alive()
    assert len(found) == 9
    assert counters["stats"]["unique_graphs"] == before
    for images, low, actions, text in found:
        np.testing.assert_allclose(eager.draw_actions(images, low).actions, actions, atol=2e-5)
        assert eager.write_text({**images, **pictures(4)}, HIGH).text == text.text


@pytest.mark.timeout(400)  # Compiling takes a crowded machine long.
def test_compiled_a_chunk_that_goes_on_compiles_nothing(checkpoint):
    """Whatever the prompt, and however many rows are committed."""
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
            found = compiled.draw_actions(pictures(1), low, continuation=old).actions
            want = eager.draw_actions(pictures(1), low, continuation=old).actions
            np.testing.assert_allclose(found, want, atol=1e-4)
    assert counters["stats"]["unique_graphs"] == before
