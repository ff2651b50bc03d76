"""Held-out sources of a robot for the tiny model, without episodes."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np

from pi05_ros.brain.interface import Box
from pi05_ros.checkpoints.checkpoint import Checkpoint, Training, make_tokenizer
from pi05_ros.data.episodes.episode import PLAN, EpisodeSample
from pi05_ros.data.episodes.plan_samples import PlanSample
from pi05_ros.errors import Pi05Error
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import NormStats, clip_for_fast
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.platforms.platform import load_platform
from pi05_ros.training.preparation.preparation import Prepared
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.recipes.recipe import Recipe, SourceRecipe
from pi05_ros.training.sources.encoding import Encoder
from pi05_ros.training.sources.mixture import Mixture
from pi05_ros.training.sources.plans import PlanGroup, PlanSource
from pi05_ros.training.sources.robots import RobotGroup, RobotSource

PLATFORM = load_platform("mobile_18dof")
CAMERAS = ("head", "left_wrist")
WORDS = ("plate", "cup", "bowl", "spoon")
STATS = NormStats.from_limits(
    PLATFORM.names, [d.unit for d in PLATFORM.dimensions], PLATFORM.lower, PLATFORM.upper
)
HORIZON, SIDE, RATE_HZ = 50, 28, 50.0


def picture(index: int) -> np.ndarray:
    """A picture whose colours follow a number."""
    drawn = np.random.default_rng(index).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.kron(drawn, np.ones((SIDE // 4, SIDE // 4, 1), dtype=np.uint8))


class RobotRows:
    """In the place of `data.episodes.samples.Samples`.

    Args:
        size: Number of samples.
        broken: Indices that cannot be read.
        cut: Whether every other recording ends 30 rows behind the sample.
    """

    episodes = (SimpleNamespace(rate_hz=RATE_HZ),)

    def __init__(self, size=8, broken=(), cut=True):
        self._size, self._broken, self._cut = size, broken, cut

    def __len__(self):
        return self._size

    def where(self, index):
        return f"episode e, row {index}"

    def __getitem__(self, index):
        if index in self._broken:
            raise Pi05Error("its picture is damaged")
        # From the home pose, the torso rises and the left gripper opens or closes.
        rise = np.linspace(0.0, 0.1 * (index + 1) / self._size, HORIZON)
        actions = np.repeat(PLATFORM.home[None], HORIZON, axis=0)
        actions[:, PLATFORM.index("torso_lift")] += rise
        actions[:, PLATFORM.index("left_gripper")] = index % 2
        valid = np.arange(HORIZON) < (30 if self._cut and index % 2 == 0 else HORIZON)
        return EpisodeSample(
            images={camera: picture(index + k) for k, camera in enumerate(CAMERAS)},
            state=PLATFORM.home.copy(),
            actions=actions,
            action_valid=valid,
            subtask=f"pick up the {WORDS[index % len(WORDS)]}",
            task="clear the table",
            source="expert",
            boxes=(),
            time_ns=0,
            picture_times_ns=dict.fromkeys(CAMERAS, 0),
            control_source=1,
            episode=0,
            row=index,
        )


class PlanRows:
    """In the place of `data.episodes.plan_samples.PlanSamples`: every fourth says "done"."""

    def __init__(self, size=8):
        self.kinds = [PLAN] * size

    def where(self, index):
        return f"episode e, plan {index}"

    def __getitem__(self, index):
        done = index % 4 == 3
        word = WORDS[index % len(WORDS)]
        box = Box("head", word, 0.1, 0.2, 0.5, 0.6, 1.0)
        return PlanSample(
            images={camera: picture(index + k) for k, camera in enumerate(CAMERAS)},
            state=PLATFORM.home.copy(),
            task="clear the table",
            text="" if done else f"pick up the {word}",
            done=done,
            boxes=() if done else (box,),
            source="expert",
            kind=PLAN,
            model_text="",
            time_ns=0,
            picture_times_ns=dict.fromkeys(CAMERAS, 0),
            episode=0,
            row=index,
        )


def held_out_recipe(*settings: str) -> Recipe:
    """A recipe of the second stage for the tiny model."""
    return load_recipe("smoke_posttrain", ["batch.micro=3", "validation.samples=6", *settings])


def prepared(recipe: Recipe, has_expert=True, broken=(), size=8, cut=True) -> Prepared:
    """What a run of MM and HL is validated on: a tiny model with drawn weights."""
    config = load_preset("tiny")
    config = dataclasses.replace(config, max_action_tokens=40)
    if not has_expert:
        config = dataclasses.replace(config, expert=None)
    model = Pi05(config)
    draw_weights(model, 0, adaptive_scale=0.1, gates=1.0)
    fast = FastTokenizer.fit([_normalized(index) for index in range(size)] * 4, size=200)
    tokenizer = make_tokenizer(config)
    encoder = Encoder(config, tokenizer, fast, recipe.augmentation)
    group = RobotGroup(PLATFORM.name, STATS, RobotRows(size, broken, cut))
    robot = RobotSource("MM", SourceRecipe("MM"), [group], CAMERAS, encoder, has_expert)
    plans = PlanSource(
        "HL", "HL", [PlanGroup(PLATFORM.name, STATS, PlanRows(size))], CAMERAS, encoder
    )
    checkpoint = Checkpoint(
        model.eval(),
        tokenizer,
        {PLATFORM.name: STATS},
        training=Training(text=True, fast=True, flow=has_expert),
        fast=fast,
    )
    mixture = Mixture([size, size], [3.0, 1.0], recipe.seed)
    return Prepared(checkpoint, (robot, plans), mixture, (robot, plans))


def _normalized(index: int) -> np.ndarray:
    found = RobotRows()[index]
    return clip_for_fast(STATS.normalize_actions(found.actions, found.state))[0]
