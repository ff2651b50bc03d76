"""Batches of all implementations: a mixture as in post-training, and robot samples alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from pi05_ros.checkpoints.checkpoint import make_tokenizer
from pi05_ros.model import flow
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.text import prompts
from pi05_ros.model.text.tokenizer import END, Tokenizer, prompt_tokens
from pi05_ros.training.loading.loader import FlowDraws
from pi05_ros.training.objective.batch import TrainingSample

WIDTH = 18  # Entries of the robot's vectors.
_FAST = 31  # FAST tokens of a chunk: the mean over a mock home's episodes.


@dataclass(frozen=True)
class Workload:
    """One micro-batch of samples with its noise."""

    title: str
    config: ModelConfig
    samples: tuple[TrainingSample, ...]
    draws: FlowDraws  # R draws.
    has_text: bool  # Whether there is a cross-entropy beside the flow.

    @property
    def cameras(self) -> int:
        """Most pictures of a sample."""
        return max(len(sample.images) for sample in self.samples)


def eight_heads(config: ModelConfig) -> ModelConfig:
    """Return a config with 8 narrower heads of the same sum: LeRobot's training has 8 written in.

    Raises:
        ValueError: The sum is not a multiple of 16.
    """
    language = config.language
    inner = language.heads * language.head_dim
    if inner % 16:
        raise ValueError(f"wanted heads · head_dim to be a multiple of 16, found {inner}")
    changed = replace(language, heads=8, head_dim=inner // 8)
    return replace(config, language=changed)


def mixture(config: ModelConfig, size: int, draws: int) -> Workload:
    """Post-training: of 8 samples 5 of robots with FAST and flow, 1 plan, 2 of the web."""
    random = np.random.default_rng(0)
    tokenizer = make_tokenizer(config)
    kinds = ["robot", "robot", "web", "robot", "plan", "robot", "web", "robot"]
    make = {"robot": _robot, "plan": _plan, "web": _web}
    samples = tuple(make[kinds[i % 8]](config, tokenizer, random, True) for i in range(size))
    title = f"post-training mixture, {draws} draws of the flow"
    return Workload(title, config, samples, _noise(config, size, draws), True)


def robots(config: ModelConfig, size: int) -> Workload:
    """Flow matching alone, one draw: what LeRobot's π0.5 trains."""
    random, tokenizer = np.random.default_rng(0), make_tokenizer(config)
    samples = tuple(_robot(config, tokenizer, random, False) for _ in range(size))
    return Workload("flow alone, 1 draw", config, samples, _noise(config, size, 1), False)


def _robot(
    config: ModelConfig, tokenizer: Tokenizer, random: np.random.Generator, fast: bool
) -> TrainingSample:
    prompt = prompts.low_level("pick up the plate", random.uniform(-1, 1, WIDTH))
    targets = [tokenizer.action_token(int(i)) for i in random.integers(0, 1024, _FAST)]
    weights = torch.zeros(config.horizon, config.action_dim)
    weights[:, :WIDTH] = 1.0
    return TrainingSample(
        _pictures(config, random, 3),
        prompt_tokens(tokenizer, prompt),
        fast=[*targets, END] if fast else (),
        actions=torch.from_numpy(
            random.normal(size=(config.horizon, config.action_dim)).astype(np.float32)
        ),
        action_weights=weights,
    )


def _plan(
    config: ModelConfig, tokenizer: Tokenizer, random: np.random.Generator, _: bool
) -> TrainingSample:
    prompt = prompts.high_level("put the dishes in the sink", random.uniform(-1, 1, WIDTH))
    text = tokenizer.encode("pick up the plate")
    boxes = random.integers(4, 260, 12).tolist()  # Two boxes, as ids.
    return TrainingSample(
        _pictures(config, random, 4), prompt_tokens(tokenizer, prompt), [*boxes, *text, END]
    )


def _web(
    config: ModelConfig, tokenizer: Tokenizer, random: np.random.Generator, _: bool
) -> TrainingSample:
    text = tokenizer.encode("a plate beside a sink")
    return TrainingSample(
        _pictures(config, random, 1), prompt_tokens(tokenizer, "caption en\n"), [*text, END]
    )


def _pictures(config: ModelConfig, random: np.random.Generator, count: int) -> torch.Tensor:
    side = config.vision.image_size
    return torch.from_numpy(random.integers(0, 256, (count, 3, side, side), dtype=np.uint8))


def _noise(config: ModelConfig, size: int, draws: int) -> FlowDraws:
    generator = torch.Generator().manual_seed(0)
    shape = (draws, size, config.horizon, config.action_dim)
    noise = torch.randn(shape, generator=generator)
    tau = flow.sample_tau(draws * size, generator).reshape(draws, size)
    return FlowDraws(noise, tau, None)
