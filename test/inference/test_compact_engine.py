"""The engine with a compact tower and heat maps: the sequence of training, points, refusals."""

import numpy as np
import pytest
import torch
from fakes.compact_model import (
    CAMERAS,
    SIZE,
    compact_checkpoint,
    compact_config,
    compact_pictures,
)

from pi05_ros.brain.continuation import CONTINUATION_MODES, Continuation
from pi05_ros.cameras.model_input import reduced
from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.errors import ConfigError
from pi05_ros.inference.engine import EngineError, Pi05Engine
from pi05_ros.model.grounding import points_of
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.text import prompts
from pi05_ros.model.text.locations import Answer
from pi05_ros.training.objective.batch import Batch, collate
from pi05_ros.training.objective.losses import run_language_model
from pi05_ros.training.recipes.recipe import AugmentationRecipe
from pi05_ros.training.sources.encoding import Encoder, RobotVectors

SUBTASK = "pick up the plate"
STATE = np.linspace(-0.9, 0.9, 5)
NAMES, UNITS = tuple("abcde"), ("rad",) * 5
STATS = NormStats.from_limits(NAMES, UNITS, -np.ones(5), np.ones(5))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return compact_checkpoint()


@pytest.fixture
def engine(checkpoint: Checkpoint) -> Pi05Engine:
    return Pi05Engine(checkpoint, seed=1)


def encoder(checkpoint: Checkpoint) -> Encoder:
    return Encoder(checkpoint.model.config, checkpoint.tokenizer, None, AugmentationRecipe())


def low_level_batch(checkpoint: Checkpoint, images, cameras) -> Batch:
    """One training sample of the low level."""
    vectors = RobotVectors(STATS, STATE, np.zeros((50, 5)), np.ones(50, bool))
    coder = encoder(checkpoint)
    return collate([coder.low_level(images, cameras, SUBTASK, vectors, {"flow"}, None)])


def low_prompt() -> str:
    return prompts.low_level(SUBTASK, STATS.normalize_state(STATE))


SCENES = [
    pytest.param(CAMERAS, CAMERAS, id="4 cameras"),
    pytest.param(("front", "left_wrist", "right_wrist"), ("front", "left_wrist", "right_wrist")),
    pytest.param(CAMERAS, ("front", "right_wrist"), id="two missing"),
    pytest.param(("front", "left_wrist", "right_wrist"), ("left_wrist",), id="no front"),
]


@pytest.mark.parametrize(("cameras", "seen"), SCENES)
def test_actions_are_those_of_training(checkpoint, engine, cameras, seen):
    """The velocities: a chunk in ten steps of the context that training computes."""
    model, images = checkpoint.model, compact_pictures(*seen)
    noise = torch.randn(1, 50, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        _, context = run_language_model(model, low_level_batch(checkpoint, images, cameras))
        want = model.sample_actions(context, noise, model.config.flow_steps)[0]
    found = engine.sample_actions(images, low_prompt(), noise, query=SUBTASK).actions
    np.testing.assert_allclose(found, want, atol=1e-5)
    # From the cache, with pictures of another scene between.
    engine.sample_actions(compact_pictures(*CAMERAS, seed=9), low_prompt(), query="x")
    found = engine.sample_actions(images, low_prompt(), noise, query=SUBTASK).actions
    np.testing.assert_allclose(found, want, atol=1e-5)
    other = engine.sample_actions(images, low_prompt(), noise, query="open the drawer").actions
    assert np.abs(other - want.numpy()).max() > 1e-4  # The points have an effect.


@pytest.mark.parametrize(("cameras", "seen"), SCENES)
def test_text_is_that_of_training(checkpoint, engine, cameras, seen):
    """Logits of the first token, and of the next ones after the recorded ones."""
    model, images = checkpoint.model, compact_pictures(*seen)
    coder = encoder(checkpoint)
    sample = coder.high_level(images, cameras, "tidy up", STATE, Answer(SUBTASK), None)
    with torch.inference_mode():
        hidden, _ = run_language_model(model, collate([sample]))
        want = model.language.logits(hidden[0, -len(sample.text) - 1 :])
        request = engine._reader.text(images, prompts.high_level("tidy up", STATE))
        prompt = torch.tensor([request.prompt])
        logits, step = engine._passes.prefill_for_text(engine._embedded(request), prompt)
        found = [logits, *(step(torch.tensor([[token]])) for token in sample.text)]
    np.testing.assert_allclose(torch.cat(found), want, atol=1e-5)


def test_fast_actions_have_the_points_too(checkpoint, engine):
    images = compact_pictures(*CAMERAS[:2])
    request = engine._reader.actions(images, low_prompt(), SUBTASK)
    embedded = engine._embedded(request)
    assert embedded.valid.sum(dim=1).tolist() == [9, 3]  # A point and 8 or 2 tokens.
    assert engine._embedded(engine._reader.text(images, "x")).valid.sum(dim=1).tolist() == [8, 2]


def test_a_wrist_is_reduced_and_a_camera_is_a_part_of_the_key(engine):
    picture = compact_pictures("front")["front"]
    request = engine._reader.text({"front": picture, "left_wrist": picture}, "x")
    np.testing.assert_array_equal(request.pictures[0], picture)
    small = reduced(picture, 2)
    assert small.shape == (24, 48, 3)
    np.testing.assert_array_equal(request.pictures[1][:24, :48], small)
    assert not request.pictures[1][24:].any() and not request.pictures[1][:, 48:].any()
    assert request.keys[0][0] == request.keys[1][0]
    assert [view for _, view in request.keys] == [0, 2]


def test_sampling_from_no_noise(checkpoint):
    """With noise_scale 0 two chunks are equal, unless they are guided; half of it is between."""
    images = compact_pictures("front", "left_wrist")
    old = {m: Continuation(np.full((50, 5), 0.3), 4, 20, m) for m in CONTINUATION_MODES}

    def chunks(scale: float, mode=None) -> list[np.ndarray]:
        scaled = compact_checkpoint(compact_config(noise_scale=scale))
        engine = Pi05Engine(scaled, seed=1)
        return [
            engine.sample_actions(
                images, low_prompt(), query=SUBTASK, continuation=mode and old[mode]
            ).actions
            for _ in range(2)
        ]

    for mode in (None, "trained_rtc"):
        first, second = chunks(0.0, mode)
        np.testing.assert_array_equal(first, second)
    for without, whole in zip(chunks(0.0, "rtc"), chunks(1.0, "rtc"), strict=True):
        np.testing.assert_array_equal(without, whole)
    generator = torch.Generator().manual_seed(1)
    noise = 0.5 * torch.randn(1, 50, 32, generator=generator)
    engine = Pi05Engine(checkpoint)
    want = engine.sample_actions(images, low_prompt(), noise, query=SUBTASK).actions
    np.testing.assert_array_equal(chunks(0.5)[0], want)


def test_things_are_found_where_the_heat_maps_have_their_peaks(checkpoint, engine, monkeypatch):
    model, images = checkpoint.model, compact_pictures("front", "left_wrist")
    names = {"front": ["cup", "red plate"], "left_wrist": ["cup"]}
    monkeypatch.setattr("pi05_ros.inference.engine._SEEN", 0.0)
    found = engine.find(images, names)
    assert set(found) == {("front", "cup"), ("front", "red plate"), ("left_wrist", "cup")}
    request = engine._reader.text(images, "x")
    for row, (camera, named) in enumerate(names.items()):
        alone = engine._pictures.embed([request.pictures[row]], [request.keys[row]])
        for name in named:
            ids = torch.tensor([[checkpoint.tokenizer.encode(name)]])
            (logits,) = model.ground(alone, ids, torch.ones_like(ids, dtype=torch.bool))
            shape = alone.maps[0].fine.shape[-2:]
            assert shape == ((12, 24) if camera == "front" else (6, 12))
            want = points_of(logits[:, :, 0], *shape).places[0, 0]
            np.testing.assert_allclose(found[camera, name], want, atol=1e-5)
    monkeypatch.setattr("pi05_ros.inference.engine._SEEN", 1.1)
    assert engine.find(images, names) == {}
    assert engine.find(images, {}) == {}
    with pytest.raises(EngineError, match="no picture of back to look for things in"):
        engine.find(images, {"back": ["cup"]})


def test_a_warm_up_runs_every_view(engine):
    first = Pi05Engine(compact_checkpoint(), seed=1)
    first.warm_up(4, 3, "trained_rtc")
    images = compact_pictures(*CAMERAS)
    found = [e.sample_actions(images, "x", query=SUBTASK).actions for e in (first, engine)]
    np.testing.assert_array_equal(*found)  # It used no generator.


def test_refusals(checkpoint, engine):
    with pytest.raises(EngineError, match="wanted its text as the query, found none"):
        engine.sample_actions(compact_pictures("front"), "x")
    square = {"front": np.zeros((48, 48, 3), np.uint8)}
    with pytest.raises(EngineError, match=r"wanted a picture of shape \(48, 96, 3\)"):
        engine.generate_text(square, "x")
    assert engine.image_size == SIZE
    for execution in ("compiled", "graphs"):
        with pytest.raises(ConfigError, match="has a compact tower.*take 'eager' or 'auto'"):
            Pi05Engine(checkpoint, execution=execution)
