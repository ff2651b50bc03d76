"""Overfitting on eight samples: prompts, tokenizers, model, losses and decoding together.

As the paper trains: first text and FAST tokens alone (α = 0, no expert), then the expert with
them (α = 10, insulated). Afterwards the model is asked as a robot asks it. It is the preset tiny,
with a wider expert, wider heads and actions of four dimensions; a minute on a CPU is enough.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from pi05_ros.model import flow
from pi05_ros.model.config import ExpertConfig, load_preset
from pi05_ros.model.context import Context
from pi05_ros.model.decoding import decode_text
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.text import action_text, locations, prompts
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.locations import Answer, Location
from pi05_ros.model.text.tokenizer import END, ByteTokenizer, prompt_tokens
from pi05_ros.training.objective.batch import Batch, TrainingSample, collate
from pi05_ros.training.objective.losses import LossConfig, losses

# Under a minute of one core; a crowded one takes longer, and nothing here is about time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CAMERAS = ("front", "left_wrist")
ITEMS = ("plate", "cup", "bowl", "spoon", "fork", "knife", "pan", "towel")
DIMS, HORIZON = 4, 50
DRAWS = 5  # Of noise and time, for one reading of the language model.
PRE_TRAINING, POST_TRAINING = LossConfig(alpha=0.0), LossConfig(alpha=10.0)


@dataclass(frozen=True)
class Moment:
    """One moment of a demonstration."""

    images: Tensor  # (cameras, 3, 28, 28) uint8.
    task: str
    state: np.ndarray  # (DIMS,) normalised.
    answer: Answer  # Boxes and subtask.
    actions: np.ndarray  # (HORIZON, DIMS) normalised.


def make_moments() -> list[Moment]:
    """One for each item: noise for pictures, and a smooth path from the state to a random goal."""
    draw = np.random.default_rng(0)
    phase = np.linspace(0.0, 1.0, HORIZON)[:, None]
    smooth = phase**3 * (10.0 - 15.0 * phase + 6.0 * phase**2)  # Least jerk.
    moments = []
    for index, item in enumerate(ITEMS):
        images = draw.integers(0, 256, (len(CAMERAS), 3, 28, 28), dtype=np.uint8)
        state, goal = draw.uniform(-0.9, 0.9, (2, DIMS))
        low, high = np.sort(draw.uniform(0.0, 1.0, (2, 2)), axis=0)
        box = Location(CAMERAS[index % 2], item, *low, *high)
        moments.append(
            Moment(
                torch.from_numpy(images),
                "put the dishes in the sink",
                state,
                Answer(f"pick up the {item}", (box,)),
                state + (goal - state) * smooth,
            )
        )
    return moments


def high_level(moment: Moment, tokenizer: ByteTokenizer) -> TrainingSample:
    """Task in, boxes and subtask out."""
    prompt = prompts.high_level(moment.task, moment.state)
    text = [*tokenizer.encode(locations.write(moment.answer, CAMERAS)), END]
    return TrainingSample(moment.images, prompt_tokens(tokenizer, prompt), text=text)


def low_level(moment: Moment, tokenizer: ByteTokenizer, fast: FastTokenizer) -> TrainingSample:
    """Subtask in, actions out: as FAST tokens, and by flow."""
    prompt = prompts.low_level(moment.answer.subtask, moment.state)
    spelled = action_text.encode_actions(tokenizer, fast, moment.actions, opening="")
    return TrainingSample(
        moment.images,
        prompt_tokens(tokenizer, prompt),
        fast=spelled,
        actions=torch.from_numpy(moment.actions).float(),
    )


def train(model: Pi05, batches: list[Batch], config: LossConfig, steps: int) -> None:
    """Rates rise briefly and fall to 0. The expert's matrices take steps of equal size in
    every direction (Muon): Adam alone needs several times as long to pass noise on precisely.
    """
    generator = torch.Generator().manual_seed(0)
    named = dict(model.named_parameters())
    matrices = {n: p for n, p in named.items() if n.startswith("expert.") and p.ndim == 2}
    others = [p for n, p in named.items() if n not in matrices]
    rated = [
        (torch.optim.Adam(others, betas=(0.9, 0.95), fused=True), 1e-2),
        (torch.optim.Muon(matrices.values(), weight_decay=0.0), 2e-2),
    ]
    schedules = [
        torch.optim.lr_scheduler.OneCycleLR(o, rate, steps, pct_start=0.05, cycle_momentum=False)
        for o, rate in rated
    ]
    for step in range(steps):
        batch = batches[step % len(batches)]
        rows = len(batch.prompt)
        noise = torch.randn(DRAWS, rows, HORIZON, DIMS, generator=generator)
        # The ten times of inference are all that will be asked; each draw has another one.
        chosen = torch.randperm(10, generator=generator)[:DRAWS]
        tau = flow.euler_times(10)[chosen, None].expand(-1, rows)
        losses(model, batch, config, noise, tau).total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for (optimizer, _), schedule in zip(rated, schedules, strict=True):
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()


def prefill(model: Pi05, moment: Moment, tokenizer: ByteTokenizer, prompt: str):
    """Prefill pictures and prompt as in inference: the last hidden state, and the context."""
    pictures = model.embed_images(moment.images).flatten(0, 1)[None]
    tokens = torch.tensor([prompt_tokens(tokenizer, prompt)])
    return model.prefill(torch.cat([pictures, model.language.embed(tokens)], dim=1), tail=1)


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    return make_moments()


@pytest.fixture(scope="module")
def trained(moments) -> tuple[Pi05, ByteTokenizer, FastTokenizer]:
    tiny = load_preset("tiny")
    config = dataclasses.replace(
        tiny,
        # Rotary positions of few dimensions lack the wavelengths that tell 50 actions apart.
        language=dataclasses.replace(tiny.language, head_dim=32),
        expert=ExpertConfig(96, 96),
        action_dim=DIMS,
    )
    model = Pi05(config)
    draw_weights(model, seed=0)
    tokenizer = ByteTokenizer(size=config.language.vocabulary)
    fast = FastTokenizer.fit([moment.actions for moment in moments], size=512)

    high_samples = [high_level(moment, tokenizer) for moment in moments]
    low_samples = [low_level(moment, tokenizer, fast) for moment in moments]
    mixed = collate([*high_samples, *low_samples])
    train(model, [mixed], PRE_TRAINING, steps=200)
    # Flow takes longest to learn: nine of ten batches are of actions alone.
    flow_only = collate([dataclasses.replace(sample, fast=()) for sample in low_samples])
    train(model, [mixed, *[flow_only] * 9], POST_TRAINING, steps=1200)
    return model.eval(), tokenizer, fast


@torch.inference_mode()
def test_subtask_and_boxes_are_decoded(trained, moments):
    model, tokenizer, _ = trained
    for moment in moments:
        prompt = prompts.high_level(moment.task, moment.state)
        decoded = decode_text(model, *prefill(model, moment, tokenizer, prompt), end=END, limit=24)
        assert decoded.finished
        assert decoded.score > 0.9
        answer = locations.parse(tokenizer.decode(decoded.tokens), CAMERAS)
        assert answer.subtask == moment.answer.subtask
        # Exactly: the same bins of 1024.
        assert locations.write(answer, CAMERAS) == locations.write(moment.answer, CAMERAS)
        assert len(answer.locations) == 1


@torch.inference_mode()
def test_actions_are_decoded_as_fast_tokens(trained, moments):
    model, tokenizer, fast = trained
    for moment in moments:
        prompt = prompts.low_level(moment.answer.subtask, moment.state)
        hidden, context = prefill(model, moment, tokenizer, prompt)
        decoded = decode_text(model, hidden, context, end=END, limit=64)
        actions = action_text.decode_actions(
            tokenizer, fast, decoded.tokens, HORIZON, DIMS, opening=""
        )
        assert np.abs(actions - moment.actions).max() <= fast.error_bound(HORIZON)
        assert [*decoded.tokens, END] == low_level(moment, tokenizer, fast).fast


@torch.inference_mode()
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_chunks_are_sampled_from_noise(trained, moments, seed):
    """Ten Euler steps give the demonstration to 1e-2.

    Sizes and steps were chosen on eight other seeds of noise: the worst value was 0.0065 off. With
    two other seeds of training it was 0.014, in one value of 1600, so the bound on single values
    leaves room for another processor's rounding.
    """
    model, tokenizer, _ = trained
    generator = torch.Generator().manual_seed(seed)
    errors = []
    for moment in moments:
        prompt = prompts.low_level(moment.answer.subtask, moment.state)
        context: Context = prefill(model, moment, tokenizer, prompt)[1]
        noise = torch.randn(1, HORIZON, DIMS, generator=generator)
        chunk = model.sample_actions(context, noise, steps=10)[0].numpy()
        errors.append(chunk - moment.actions)
    distances = np.abs(errors)
    assert np.sqrt(np.square(errors).mean(axis=(1, 2))).max() < 4e-3
    assert np.quantile(distances, 0.998) < 1e-2
    assert distances.max() < 2e-2
