"""The probe tells weights that learned something from weights that did not."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes.compact_model import SIZE, compact_checkpoint, compact_config

from pi05_ros.checkpoints.checkpoint import Checkpoint, random_checkpoint
from pi05_ros.evaluation.probe.probe import Probe
from pi05_ros.evaluation.probe.probe_page import probe_facts, probe_page
from pi05_ros.evaluation.probe.scenes import SUBTASK, TASKS, drawn_scenes
from pi05_ros.inference.request import EngineError
from pi05_ros.model import flow
from pi05_ros.model.config import ExpertConfig, load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.text import action_text, locations, prompts
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.tokenizer import END, prompt_tokens
from pi05_ros.platforms.platform import load_platform
from pi05_ros.training.objective.batch import TrainingSample, collate
from pi05_ros.training.objective.losses import LossConfig, losses

PLATFORM = load_platform("mobile_18dof")
UNITS = [dimension.unit for dimension in PLATFORM.dimensions]
STATS = NormStats.from_limits(PLATFORM.names, UNITS, PLATFORM.lower, PLATFORM.upper)
SCENES = drawn_scenes(PLATFORM, load_preset("tiny").picture_size)
STEPS = 300
SUBTASKS = ("pick up the plate", "open the drawer", "pick up the shirt", "go to the bed")


def movement(scene: int) -> np.ndarray:
    """A slow normalised movement, (50, D)."""
    time = np.linspace(0.0, 1.0, 50)[:, None]
    return 0.9 * np.sin(2.0 * time + np.arange(PLATFORM.size) + scene)


def samples(tokenizer, fast) -> list[TrainingSample]:
    """Prompts of the probe, with answers."""
    made = []
    for index, scene in enumerate(SCENES):
        state = STATS.normalize_state(scene.state)

        def pictures(cameras, scene=scene):
            stacked = np.stack([scene.images[camera] for camera in cameras])
            return torch.from_numpy(stacked).permute(0, 3, 1, 2)

        cameras = PLATFORM.planner_cameras
        box = locations.Location(cameras[1], "plate", 0.1, 0.2, 0.3, 0.4)
        for task, subtask in zip(TASKS, SUBTASKS, strict=True):
            answer = locations.write(locations.Answer(subtask, (box,)), cameras)
            prompt = prompt_tokens(tokenizer, prompts.high_level(task, state))
            text = [*tokenizer.encode(answer), END]
            made.append(TrainingSample(pictures(cameras), prompt, text=text))
        actions = torch.zeros(50, 32)
        actions[:, : PLATFORM.size] = torch.from_numpy(movement(index))
        prompt = prompt_tokens(tokenizer, prompts.low_level(SUBTASK, state))
        said = action_text.encode_actions(tokenizer, fast, movement(index), opening="")
        seen = torch.ones(len(cameras), dtype=torch.bool)
        seen[len(PLATFORM.policy_cameras) :] = False
        images = torch.zeros(len(cameras), 3, *SCENES[0].images[cameras[0]].shape[:2]).byte()
        images[: len(PLATFORM.policy_cameras)] = pictures(PLATFORM.policy_cameras)
        made.append(TrainingSample(images, prompt, fast=said, cameras=seen, actions=actions))
    return made


@pytest.fixture(scope="module")
def trained() -> Checkpoint:
    """A tiny model that knows the probe's questions by heart."""
    fresh = random_checkpoint("tiny")
    # The expert passes 32 entries of noise through: tiny's own 16 are too narrow for that.
    model = Pi05(replace(fresh.model.config, expert=ExpertConfig(width=64, mlp_width=128)))
    draw_weights(model, seed=0)
    fast = FastTokenizer.fit([movement(0), movement(1)], scale=4.0, size=256)
    asked = samples(fresh.tokenizer, fast)
    # Each movement with several noises at once, or the flow is learned too slowly.
    moving = [replace(sample, fast=()) for sample in asked if sample.actions is not None]
    batch = collate(asked + 6 * moving)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, STEPS)
    generator = torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        noise = torch.randn(len(batch.prompt), 50, 32, generator=generator)
        tau = flow.sample_tau(len(batch.prompt), generator)
        loss = losses(model, batch, LossConfig(), noise, tau).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return Checkpoint(model.eval(), fresh.tokenizer, {PLATFORM.name: STATS}, fast=fast)


def test_random_weights_are_silent_and_draw_noise():
    report = Probe(random_checkpoint("tiny", seed=1), PLATFORM, STATS).run(SCENES)
    assert report.summary == "neither acts nor speaks"
    assert report.text.can is False
    assert report.flow.can is False
    assert report.fast is None
    assert len(report.sentences) == len(SCENES) * len(TASKS)
    assert "wrote 0 of 8 sentences" in report.text.reason


def test_a_model_with_a_compact_tower_is_probed(trained):
    """Pictures that are not square, reduced wrists, points of the subtask, no noise."""
    config = compact_config(noise_scale=0.0, max_text_tokens=4)
    checkpoint = replace(compact_checkpoint(config), fast=trained.fast)
    report = Probe(checkpoint, PLATFORM, STATS).run(drawn_scenes(PLATFORM, SIZE)[:1])
    assert len(report.sentences) == len(TASKS) and len(report.fast_answers) == 1
    assert report.chunks[0].finite and report.chunks[0].spread == 0.0
    with pytest.raises(EngineError, match=r"shape \(48, 96, 3\)"):
        Probe(checkpoint, PLATFORM, STATS).run(SCENES)


def test_trained_weights_speak_act_and_write(trained):
    report = Probe(trained, PLATFORM, STATS).run(SCENES)
    assert [sentence.subtask for sentence in report.sentences] == [*SUBTASKS, *SUBTASKS]
    assert all(sentence.boxes == 1 and sentence.finished for sentence in report.sentences)
    assert min(sentence.probability for sentence in report.sentences) > 0.5
    assert report.summary == "acts and writes FAST actions and speaks"
    assert report.fast.reason == "wrote 2 of 2 chunks of FAST tokens"
    assert all(facts.roughness < 0.5 for facts in report.chunks)
    shown = probe_page(report)
    assert shown.startswith("This checkpoint acts and writes FAST actions and speaks.")
    assert "instruct" not in shown
    json.dumps(probe_facts(report))


def test_trained_weights_whose_text_head_is_lost_only_act(trained):
    """Like the public weights: the expert is trained, but no sentence ends."""
    model = Pi05(trained.model.config)
    model.load_state_dict(trained.model.state_dict())
    draw_weights(wrecked := Pi05(model.config), seed=4)
    prompt_ids = set()
    for sample in samples(trained.tokenizer, trained.fast):
        prompt_ids |= set(sample.prompt)
    with torch.no_grad():
        for token in set(range(model.config.language.vocabulary)) - prompt_ids:
            model.language.embedding.weight[token] = wrecked.language.embedding.weight[token]
    broken = Checkpoint(model.eval(), trained.tokenizer)
    report = Probe(broken, PLATFORM, STATS).run(SCENES)
    assert report.summary == "acts only"
    assert "wrote 0 of 8 sentences" in report.text.reason
    assert "service `instruct`" in probe_page(report)


@pytest.mark.parametrize("variant", ["pi0", "pi0_fast"])
def test_other_variants_are_asked_what_they_can(variant, trained):
    config = replace(load_preset("tiny"), variant=variant)
    model = Pi05(config)
    draw_weights(model, seed=2)
    checkpoint = Checkpoint(model.eval(), trained.tokenizer, fast=trained.fast)
    report = Probe(checkpoint, PLATFORM, None).run(SCENES[:1])
    assert bool(report.chunks) == (variant == "pi0")
    assert report.fast.can is False
    probe_page(report)
