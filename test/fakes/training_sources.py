"""A source of tiny samples that can be learned, and a process that trains on it."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import torch

from pi05_ros.checkpoints.checkpoint import Checkpoint, Training, make_tokenizer
from pi05_ros.errors import Pi05Error
from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.text.tokenizer import END, prompt_tokens
from pi05_ros.training.loading.loader import Samples
from pi05_ros.training.objective.batch import TrainingSample
from pi05_ros.training.optimization.lora import add_lora
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.processes import opened_processes
from pi05_ros.training.runs.trainer import Trainer
from pi05_ros.training.sources.mixture import Mixture

WORDS = ("plate", "cup", "bowl", "spoon")


class TinySource:
    """Samples with a text and actions that follow the number in the prompt.

    Args:
        name: In the recipe.
        broken: Indices that cannot be read.
        infinite: Indices with actions that are not finite.
        has_text: Whether samples have a text.
    """

    kind = "MM"
    statistics: dict = {}

    def __init__(self, name="MM", size=8, broken=(), infinite=(), has_text=True):
        self.name, self._size, self._broken, self._infinite = name, size, broken, infinite
        self._has_text = has_text
        self._config = load_preset("tiny")
        self._tokenizer = make_tokenizer(self._config)

    def __len__(self):
        return self._size

    def where(self, index):
        return f"number {index}"

    def sample(self, index, draw, augment):
        if index in self._broken:
            raise Pi05Error("its picture is damaged")
        images = torch.from_numpy(draw.integers(0, 256, (2, 3, 28, 28), dtype=np.uint8))
        word = WORDS[index % len(WORDS)]
        level = index / self._size - 0.5
        value = float("nan") if index in self._infinite else level
        return TrainingSample(
            images,
            prompt_tokens(self._tokenizer, f"Task: {word} {index};"),
            text=[*self._tokenizer.encode(f"pick up the {word}"), END] if self._has_text else (),
            actions=torch.full((self._config.horizon, self._config.action_dim), value),
        )


def tiny_recipe(*settings: str) -> Recipe:
    """A recipe of the second stage for the tiny model, of a few steps."""
    return load_recipe(
        "smoke_posttrain",
        ["batch.size=8", "batch.micro=4", "steps=6", "saving.every_steps=3", *settings],
    )


def tiny_checkpoint(recipe: Recipe) -> Checkpoint:
    """A tiny model with drawn weights."""
    model = Pi05(load_preset("tiny"))
    draw_weights(model, recipe.model.seed)
    if recipe.model.lora_rank:
        add_lora(model, recipe.model.lora_rank, recipe.model.lora_alpha, recipe.model.seed)
    return Checkpoint(model, make_tokenizer(model.config), training=Training(text=True, flow=True))


class Quiet:
    """A reporter that keeps records.

    Args:
        after_step: Called with each record.
    """

    def __init__(self, after_step=lambda record: None):
        self.records, self.saved, self.begun = [], [], None
        self._after_step = after_step

    def on_begin(self, first_step, steps):
        self.begun = first_step

    def on_step(self, record):
        self.records.append(record)
        self._after_step(record)

    def on_validation(self, step, figures):
        pass

    def on_saved(self, step, checkpoint, is_best):
        self.saved.append((step, is_best))

    def on_end(self):
        pass


def train(folder: Path, recipe: Recipe, sources=None, reporter=None) -> Quiet:
    """Train the tiny model on tiny sources in a folder."""
    torch.set_num_threads(1)
    sources = sources or [TinySource("MM"), TinySource("ME", size=5)]
    reporter = reporter or Quiet()
    config = load_preset("tiny")
    mixture = Mixture([len(s) for s in sources], [1.0] * len(sources), recipe.seed)
    samples = Samples(recipe, sources, mixture, config.horizon, config.action_dim)
    run = RunFolder(folder)
    with opened_processes("cpu") as processes:
        if processes.is_first:
            run.begin(recipe, {})
        processes.barrier()
        Trainer(recipe, tiny_checkpoint(recipe), samples, sources, run, processes, reporter).run()
    return reporter


class TextSource(TinySource):
    """Samples of text alone."""

    def sample(self, index, draw, augment):
        return dataclasses.replace(super().sample(index, draw, augment), actions=None)


class ActionSource(TinySource):
    """Samples of actions alone."""

    def sample(self, index, draw, augment):
        return dataclasses.replace(super().sample(index, draw, augment), text=())


def kinds_apart():
    """Sources whose samples need different weights."""
    return [TextSource("text"), ActionSource("actions", size=5)]


if __name__ == "__main__":
    apart = sys.argv[2] == "apart"
    train(Path(sys.argv[1]), tiny_recipe(*sys.argv[3:]), kinds_apart() if apart else None)
