"""The model as a brain, on both platforms."""

import dataclasses
import logging
import math

import numpy as np
import pytest
from fakes.brain import FakeBrain
from fakes.model_brain import PLATFORMS, TINY, observe, saved, stats_of

from pi05_ros.brain.interface import Brain, PastSubtask
from pi05_ros.brain.limits import subtask_problem, task_problem
from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointError,
    Training,
    random_checkpoint,
    save_checkpoint,
)
from pi05_ros.errors import ConfigError
from pi05_ros.inference.compatibility import stats_for
from pi05_ros.inference.model_brain import ModelBrain, ObservationError
from pi05_ros.model.decoding import Decoded
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text import action_text, prompts
from pi05_ros.model.text.fast import FastError, FastTokenizer
from pi05_ros.platforms.platform import Platform, load_platform


@pytest.fixture(params=PLATFORMS)
def platform(request) -> Platform:
    return load_platform(request.param)


@pytest.fixture
def brain(platform: Platform) -> ModelBrain:
    return ModelBrain(platform, TINY)


def without(observation: Observation, *cameras: str) -> Observation:
    images = {name: i for name, i in observation.images.items() if name not in cameras}
    return dataclasses.replace(observation, images=images)


def test_it_is_a_brain(platform, brain):
    as_brain: Brain = brain
    info = as_brain.info
    assert (info.name, info.subtask_source, info.needs_scene) == ("model", "model", False)
    assert info.checkpoint == TINY
    assert "weights drawn at random (seed 3): it has learned nothing" in info.description
    assert info.image_size == (28, 28)
    assert (info.horizon, info.period) == (50, 0.02)
    as_brain.warm_up()
    as_brain.begin_task("put the dishes in the sink")
    as_brain.close()


def test_random_weights_are_announced(platform, caplog):
    with caplog.at_level(logging.WARNING):
        ModelBrain(platform, TINY)
    assert "it has learned nothing" in caplog.text


def test_chunks_are_finite_and_within_the_limits(platform, brain):
    prediction = brain.predict_chunk(observe(platform), "pick up the plate")
    chunk = prediction.actions
    assert chunk.shape == (50, platform.size)
    assert chunk.dtype == np.float64
    assert np.isfinite(chunk).all()
    assert (chunk >= platform.lower).all()
    assert (chunk <= platform.upper).all()
    assert chunk.std() > 0
    assert prediction.times.total > 0
    again = (
        ModelBrain(platform, TINY).predict_chunk(observe(platform), "pick up the plate").actions
    )
    np.testing.assert_array_equal(chunk, again)


def test_normalised_actions_become_platform_units(platform, brain, monkeypatch):
    result = brain._engine.sample_actions({"front": np.zeros((28, 28, 3), np.uint8)}, "x")
    rows = np.full((50, 32), 9.0, np.float32)  # Padding is not returned.
    rows[:, : platform.size] = 0.5
    rows[1, : platform.size] = -3.0
    known = dataclasses.replace(result, actions=rows)
    monkeypatch.setattr(brain._engine, "sample_actions", lambda *_, **__: known)
    chunk = brain.predict_chunk(observe(platform), "pick up the plate").actions
    want = platform.lower + 0.75 * (platform.upper - platform.lower)
    np.testing.assert_allclose(chunk[0], want, atol=1e-6)
    np.testing.assert_allclose(chunk[1], platform.lower)  # Outside: the limit.


def test_cameras_and_prompts_of_both_heads(platform, brain, monkeypatch):
    inputs = {}
    for head in ("generate_text", "sample_actions"):
        inner = getattr(brain._engine, head)

        def spy(images, prompt, *more, head=head, inner=inner, **rest):
            inputs[head] = (list(images), prompt)
            return inner(images, prompt, *more, **rest)

        monkeypatch.setattr(brain._engine, head, spy)
    observation = observe(platform)
    brain.predict_subtask(observation, "put the dishes in the sink")
    brain.predict_chunk(observation, "pick up the plate")
    assert inputs["generate_text"][0] == ["front", "back", "left_wrist", "right_wrist"]
    assert inputs["sample_actions"][0] == ["front", "left_wrist", "right_wrist"]
    units = [dimension.unit for dimension in platform.dimensions]
    stats = NormStats.from_limits(platform.names, units, platform.lower, platform.upper)
    bins = prompts.state_bins(stats.normalize_state(observation.state))
    assert len(bins) == platform.size  # Not padded.
    state = " ".join(map(str, bins))
    # The low level gets the subtask, never the task.
    assert (
        inputs["generate_text"][1]
        == f"Task: put the dishes in the sink, State: {state};\nSubtask: "
    )
    assert inputs["sample_actions"][1] == f"Task: pick up the plate, State: {state};\nAction: "


def test_a_subtask_of_random_weights_is_a_valid_one(platform, brain):
    for seed in range(5):
        prediction = brain.predict_subtask(observe(platform, seed=seed), "make the bed")
        assert prediction.text.isprintable()
        assert 0.0 < prediction.score <= 1.0
        # The low level accepts any subtask of the high level that is not refused.
        if not prediction.problem:
            brain.predict_chunk(observe(platform), prediction.text)
    assert brain.subtask_times.total > 0


def test_boxes_subtask_and_end_come_through(platform, brain, monkeypatch):
    answer = (
        "<loc0000><loc0256><loc0512><loc1023> plate ; "
        "<loc0001><loc0002><loc0003><loc0004> back: cup\npick up the plate"
    )
    tokenizer = brain._engine._tokenizer
    tokens = tuple(tokenizer.encode(answer))

    def decoded(*_, **__):
        return Decoded(tokens, 0.75, True)

    monkeypatch.setattr("pi05_ros.inference.engine.decode", decoded)
    prediction = brain.predict_subtask(observe(platform), "put the dishes in the sink")
    assert (prediction.text, prediction.score, prediction.done) == (
        "pick up the plate",
        0.75,
        False,
    )
    plate, cup = prediction.boxes
    assert (plate.camera, plate.label, cup.camera, cup.label) == ("front", "plate", "back", "cup")
    corners = (plate.x_min, plate.y_min, plate.x_max, plate.y_max)
    assert corners == pytest.approx((256 / 1023, 0.0, 1.0, 512 / 1023))
    assert math.isnan(plate.score)
    # A camera without a picture has no boxes.
    blind = brain.predict_subtask(without(observe(platform), "back"), "put the dishes in the sink")
    assert [box.label for box in blind.boxes] == ["plate"]
    tokens = tuple(tokenizer.encode("done"))
    assert brain.predict_subtask(observe(platform), "put the dishes in the sink").done


@pytest.mark.parametrize(
    ("text", "finished", "problem"),
    [
        ("pick up the", False, "it was cut at {} tokens, before its end"),
        ("done", False, "it was cut at {} tokens, before its end"),
        ("pick up the plate " * 6, True, "it has 107 bytes, at most 96 are allowed"),
        ("pick up the plate", True, ""),
    ],
)
def test_an_answer_that_is_not_whole_is_a_problem(
    platform, brain, monkeypatch, text, finished, problem
):
    answer = f"<loc0000><loc0256><loc0512><loc1023> plate\n{text}"
    tokens = tuple(brain._engine._tokenizer.encode(answer))
    decoded = Decoded(tokens, 0.9, finished)
    monkeypatch.setattr("pi05_ros.inference.engine.decode", lambda *_, **__: decoded)
    prediction = brain.predict_subtask(observe(platform), "put the dishes in the sink")
    assert prediction.problem == problem.format(len(tokens))
    assert prediction.text == text.strip()  # Whole, for the log.
    assert not prediction.done and bool(prediction.boxes) != bool(problem)


def test_texts_that_fit_no_prompt_are_known_before_a_query(platform, brain):
    long = "one two three four five six seven eight nine ten " * 25
    assert task_problem(brain, "put the dishes in the sink") == ""
    assert subtask_problem(brain, "pick up the plate") == ""
    for found in (task_problem(brain, long), subtask_problem(brain, long)):
        assert found.startswith("its prompt has ") and "at most 200 are allowed" in found
    with pytest.raises(prompts.PromptError):
        brain.predict_subtask(observe(platform), long)
    assert task_problem(FakeBrain(platform), long) == ""  # A brain without prompts.


def test_the_task_of_weights_without_text_must_fit_the_low_level(platform, tmp_path):
    folder = saved(tmp_path, platform, "pi05", training=Training(flow=True))
    assert "its prompt has" in task_problem(ModelBrain(platform, folder), "seven words " * 100)


def test_a_missing_camera_is_logged_once_and_left_out(platform, brain, caplog):
    observation = without(observe(platform), "left_wrist")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert np.isfinite(brain.predict_chunk(observation, "pick up the plate").actions).all()
    assert caplog.text.count("no picture of left_wrist") == 1


def test_invalid_observations(platform, brain):
    good = observe(platform)
    broken = good.state.copy()
    broken[3] = np.nan
    other = load_platform(next(name for name in PLATFORMS if name != platform.name))
    for observation, message in (
        (dataclasses.replace(good, state=broken), "state of left_arm_joint_4 is not finite"),
        (observe(other), f"wanted the layout of {platform.name}"),
        (without(good, *platform.camera_names), "no picture of front"),
    ):
        with pytest.raises(ObservationError, match=message):
            brain.predict_chunk(observation, "pick up the plate")
        with pytest.raises(ObservationError, match=message):
            brain.predict_subtask(observation, "make the bed")


def test_a_saved_checkpoint_runs_on_its_own_platforms_only(tmp_path):
    model = random_checkpoint("tiny", seed=3)
    first, second = map(load_platform, PLATFORMS)
    trained = Checkpoint(model.model, model.tokenizer, {first.name: stats_of(first)}, "trained")
    save_checkpoint(tmp_path / "c", trained)
    brain = ModelBrain(first, str(tmp_path / "c"))
    assert brain.info.description == "trained (float32 on cpu, eager)"
    assert brain.info.checkpoint == str(tmp_path / "c")
    chunk = brain.predict_chunk(observe(first), "pick up the plate").actions
    assert np.isfinite(chunk).all()
    with pytest.raises(
        CheckpointError,
        match="wanted statistics of platform 'mobile_19dof', found .* mobile_18dof",
    ):
        ModelBrain(second, str(tmp_path / "c"))

    wrong = Checkpoint(model.model, model.tokenizer, {second.name: stats_of(first)}, "trained")
    save_checkpoint(tmp_path / "d", wrong)
    with pytest.raises(
        CheckpointError, match=r"wanted torso_reach \[m\] as entry 15, found base_vx"
    ):
        ModelBrain(second, str(tmp_path / "d"))


def test_checkpoint_arguments():
    platform = load_platform(PLATFORMS[0])
    with pytest.raises(CheckpointError, match="nowhere: is no folder"):
        ModelBrain(platform, "nowhere")
    with pytest.raises(ConfigError, match="did you mean 'nano'"):
        ModelBrain(platform, "random:nani")
    with pytest.raises(ConfigError, match="wanted a folder, random:<preset>"):
        ModelBrain(platform, "random:tiny?sed=1")


def test_an_empty_argument_is_random_nano_where_nothing_is_shipped(shipped_folder):
    platform = load_platform(PLATFORMS[1])
    brain = ModelBrain(platform)
    assert brain.info.checkpoint == "random:nano?seed=0"
    assert brain.info.image_size == (144, 192)
    prediction = brain.predict_subtask(observe(platform, (144, 192)), "put the dishes in the sink")
    assert prediction.text and not prediction.problem  # Every path runs.
    chunk = brain.predict_chunk(observe(platform, (144, 192)), prediction.text).actions
    assert np.isfinite(chunk).all()


def test_weights_without_text_return_the_task(platform, tmp_path, caplog):
    brain = ModelBrain(platform, saved(tmp_path, platform, "pi05", training=Training(flow=True)))
    assert brain.info.subtask_source == "implicit"
    assert "was not trained to predict subtasks" in caplog.text
    brain.warm_up()
    answer = brain.predict_subtask(observe(platform), "make the bed")
    assert (answer.text, answer.boxes, answer.done) == ("make the bed", (), False)


def test_pi0_gets_the_state_as_numbers(platform, tmp_path):
    brain = ModelBrain(platform, saved(tmp_path, platform, "pi0", training=Training(flow=True)))
    brain.warm_up()
    observation = observe(platform)

    def chunk(observation: Observation) -> np.ndarray:
        again = ModelBrain(platform, str(tmp_path / "c"))  # The same noise.
        return again.predict_chunk(observation, "pick up the plate").actions

    moved = dataclasses.replace(observation, state=observation.state + 0.05)
    assert np.isfinite(chunk(observation)).all()
    np.testing.assert_array_equal(chunk(observation), chunk(observation))
    assert np.abs(chunk(moved) - chunk(observation)).max() > 1e-5


@pytest.mark.parametrize(("variant", "opening"), [("pi0_fast", "Action: "), ("pi05", "")])
def test_actions_in_fast_tokens(platform, tmp_path, monkeypatch, variant, opening):
    random = np.random.default_rng(0)
    wave = np.sin(np.linspace(0.0, 3.0, 50))[:, None]
    chunks = [wave * random.uniform(-0.5, 0.5, platform.size) for _ in range(20)]
    fast = FastTokenizer.fit(chunks, size=500)
    folder = saved(tmp_path, platform, variant, training=Training(fast=True), fast=fast)
    brain = ModelBrain(platform, folder)
    brain.warm_up()
    observation = observe(platform)

    answer_ids = action_text.encode_actions(brain._engine._tokenizer, fast, chunks[3], opening)
    monkeypatch.setattr(
        "pi05_ros.inference.engine.decode", lambda *_, **__: Decoded(tuple(answer_ids), 0.9, True)
    )
    low, high = platform.lower / 2, platform.upper / 2  # Of the statistics.
    want = np.clip((chunks[3] + 1) / 2 * (high - low) + low, platform.lower, platform.upper)
    bound = fast.error_bound(50) * (high - low).max() / 2
    prediction = brain.predict_chunk(observation, "pick up the plate")
    np.testing.assert_allclose(prediction.actions, want, atol=bound + 1e-6)
    assert prediction.times.total > 0.0

    del answer_ids[len(answer_ids) // 2]
    with pytest.raises(FastError, match="wanted"):
        brain.predict_chunk(observation, "pick up the plate")


def test_fast_tokens_without_their_tokenizer(platform, tmp_path):
    folder = saved(tmp_path, platform, "pi0_fast", training=Training(fast=True))
    with pytest.raises(CheckpointError, match="has no fast_tokenizer.json to read them"):
        ModelBrain(platform, folder)


def test_the_cameras_of_each_level_are_those_of_the_checkpoint(platform, tmp_path):
    info = ModelBrain(platform, TINY).info  # It names none.
    assert info.cameras_of_planner(platform) == platform.planner_cameras
    assert info.cameras_of_policy(platform) == platform.policy_cameras
    cameras = {"policy_cameras": ("back", "front"), "planner_cameras": ("left_wrist",)}
    folder = saved(tmp_path, platform, "pi05", training=Training(text=True, flow=True), **cameras)
    info = ModelBrain(platform, folder).info
    assert info.cameras_of_policy(platform) == ("back", "front")
    assert info.cameras_of_planner(platform) == ("left_wrist",)
    folder = saved(tmp_path / "b", platform, "pi05", training=Training(flow=True), **cameras)
    assert ModelBrain(platform, folder).info.cameras_of_planner(platform) == ()
    info = FakeBrain(platform).info
    assert info.cameras_of_planner(platform) == platform.planner_cameras


def test_past_subtasks_are_in_the_prompt_of_weights_that_were_trained_so(
    platform, tmp_path, monkeypatch
):
    past = [PastSubtask(f"pick up cup {k}", "finished", k) for k in range(20)]
    given = []

    def asked(brain):
        inner = brain._engine.generate_text
        monkeypatch.setattr(
            brain._engine,
            "generate_text",
            lambda images, prompt, *rest: given.append(prompt) or inner(images, prompt, *rest),
        )
        brain.predict_subtask(observe(platform), "tidy up", past)
        return given[-1]

    assert "Past" not in asked(ModelBrain(platform, TINY))
    for number in (2, 20):
        training = Training(text=True, flow=True, history=number)
        folder = saved(tmp_path / f"{number}", platform, "pi05", training=training)
        brain = ModelBrain(platform, folder)
        assert brain.info.history == number
        prompt = asked(brain)
        assert "pick up cup 19 finished 19, State:" in prompt  # The newest is always there.
        assert brain._engine.prompt_problem(prompt) == ""
        assert prompt.count("finished") == 2 if number == 2 else 2 < prompt.count("finished") < 20


def test_pictures_come_in_the_order_of_the_weights(platform, tmp_path, monkeypatch):
    order = ("right_wrist", "front")
    brain = ModelBrain(platform, saved(tmp_path, platform, "pi05", policy_cameras=order))
    inputs = []
    inner = brain._engine.sample_actions
    monkeypatch.setattr(
        brain._engine,
        "sample_actions",
        lambda images, *rest, **more: inputs.append(tuple(images)) or inner(images, *rest, **more),
    )
    brain.predict_chunk(observe(platform), "pick up the plate")
    assert inputs == [order]


def test_a_camera_that_the_robot_lacks(platform, tmp_path):
    folder = saved(tmp_path, platform, "pi05", policy_cameras=("base_0_rgb",))
    with pytest.raises(CheckpointError, match="the camera 'base_0_rgb', wanted one of .*: front"):
        ModelBrain(platform, folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "wanted auto, cpu, cuda or cuda:<number>, found 'gpu'"),
        ({"device": "cuda:63"}, "wanted 'cuda:63', but torch .* finds"),
        ({"device": "cpu", "execution": "graphs"}, "wants the model on a CUDA device"),
    ],
)
def test_no_silent_fallback_to_another_device(options, message):
    with pytest.raises(ConfigError, match=message):
        ModelBrain(load_platform(PLATFORMS[0]), TINY, ModelOptions(**options))


def test_bfloat16_is_near_float32(platform):
    def chunk(dtype: str) -> np.ndarray:
        brain = ModelBrain(platform, TINY, ModelOptions(device="cpu", dtype=dtype))
        assert brain.info.description.endswith(f"({dtype} on cpu, eager)")
        return brain.predict_chunk(observe(platform), "pick up the plate").actions

    span = platform.upper - platform.lower
    difference = np.abs(chunk("bfloat16") - chunk("float32")) / span
    assert 0.0 < difference.max() < 0.02


def test_a_robot_with_more_entries_than_the_weights(platform):
    fresh = random_checkpoint("tiny")
    narrow = Pi05(dataclasses.replace(fresh.model.config, action_dim=platform.size - 1))
    with pytest.raises(CheckpointError, match=f"wanted the {platform.size} of {platform.name}"):
        stats_for(dataclasses.replace(fresh, model=narrow), platform)
    wide = Pi05(dataclasses.replace(fresh.model.config, action_dim=platform.size))
    assert stats_for(dataclasses.replace(fresh, model=wide), platform).names == platform.names


def test_a_brain_that_is_seeded_anew_draws_the_same_noise(platform, brain):
    brain.reseed(7)
    first = brain.predict_chunk(observe(platform), "pick up the cup").actions
    assert not np.array_equal(
        brain.predict_chunk(observe(platform), "pick up the cup").actions, first
    )
    brain.reseed(7)
    np.testing.assert_array_equal(
        brain.predict_chunk(observe(platform), "pick up the cup").actions, first
    )
