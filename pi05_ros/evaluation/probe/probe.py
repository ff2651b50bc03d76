"""Probe of a checkpoint: fixed prompts on fixed scenes, and measures of its answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.evaluation.probe.judge import (
    Ability,
    ChunkFacts,
    Sentence,
    judge_chunks,
    judge_fast,
    judge_text,
    measure_chunks,
)
from pi05_ros.evaluation.probe.scenes import SUBTASK, TASKS, Scene
from pi05_ros.inference.passes import valid_tokens
from pi05_ros.inference.points import with_points
from pi05_ros.inference.request import Request, RequestReader
from pi05_ros.model.context import Context
from pi05_ros.model.normalization import NormStats, pad
from pi05_ros.model.text import action_text, locations, prompts
from pi05_ros.model.text.fast import FastError
from pi05_ros.model.text.tokenizer import END, prompt_tokens
from pi05_ros.platforms.platform import Platform

NOISES = 4  # Chunks sampled for each scene.


@dataclass(frozen=True)
class ProbeReport:
    """Results of a probe."""

    sentences: tuple[Sentence, ...]
    text: Ability
    chunks: tuple[ChunkFacts, ...]  # One for each scene; (): the variant has no expert.
    flow: Ability | None
    fast_answers: tuple[Sentence, ...]  # (): no FAST tokenizer.
    fast: Ability | None

    @property
    def summary(self) -> str:
        """Abilities of the checkpoint, in one line."""
        abilities = {"acts": self.flow, "writes FAST actions": self.fast, "speaks": self.text}
        can = [word for word, ability in abilities.items() if ability and ability.can]
        partly = [word for word, ability in abilities.items() if ability and ability.can is None]
        text = " and ".join(can) if can else "neither acts nor speaks"
        if can == ["acts"]:
            text = "acts only"
        return text + (f"; in part: {', '.join(partly)}" if partly else "")


class Probe:
    """Probe of one checkpoint for one robot.

    Args:
        checkpoint: Loaded, on its device.
        platform: The robot.
        stats: Its statistics; None: the state is replaced by the middle of its range.
        on_step: Called with a line before each step that takes a while.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        platform: Platform,
        stats: NormStats | None,
        on_step: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._model = checkpoint.model.eval().requires_grad_(False)
        self._tokenizer, self._fast = checkpoint.tokenizer, checkpoint.fast
        self._platform, self._stats, self._on_step = platform, stats, on_step
        self._config = checkpoint.model.config
        self._device = next(self._model.parameters()).device
        self._reader = RequestReader(self._config, self._tokenizer)

    @torch.inference_mode()
    def run(self, scenes: Sequence[Scene], tasks: Sequence[str] = TASKS) -> ProbeReport:
        """Run the prompts of all tasks and of the subtask on each scene."""
        sentences, chunks, answers, fast_faults = [], [], [], []
        for scene in scenes:
            images = {name: scene.images[name] for name in self._platform.planner_cameras}
            pictures = self._embed(self._reader.text(images, ""))
            state = self._state(scene)
            for task in tasks:
                self._on_step(f"{scene.name}: {task}")
                prompt = prompts.high_level(task, state)
                sentences.append(self._write(pictures, prompt, self._config.max_text_tokens))
            images = {name: scene.images[name] for name in self._platform.policy_cameras}
            prompt = prompts.low_level(SUBTASK, state, self._config.variant)
            pictures = self._embed(self._reader.actions(images, prompt, prompts.query(SUBTASK)))
            if self._config.has_expert:
                self._on_step(f"{scene.name}: {NOISES} chunks")
                chunks.append(measure_chunks(self._sample(pictures, prompt, state)))
            if self._fast is not None:
                self._on_step(f"{scene.name}: FAST")
                answer = self._write(pictures, prompt, self._config.max_action_tokens)
                answers.append(answer)
                fast_faults.append(self._fast_faults(answer))
        return ProbeReport(
            tuple(sentences),
            judge_text(sentences),
            tuple(chunks),
            judge_chunks(chunks) if chunks else None,
            tuple(answers),
            judge_fast(fast_faults) if fast_faults else None,
        )

    def _embed(self, request: Request) -> Tensor:
        """Embed the pictures of a request, with the points of its query, (1, S, W)."""
        images = torch.from_numpy(np.stack(request.pictures)).permute(0, 3, 1, 2)
        views = torch.tensor([view for _, view in request.keys])
        pictures = self._model.embed_pictures(images, views)
        if request.query:
            pictures = with_points(self._model, pictures, request.query)
        return valid_tokens(pictures).flatten(0, 1)[None]

    def _state(self, scene: Scene) -> np.ndarray:
        """The normalised state, (D,) float64."""
        if self._stats is None:
            return np.zeros(self._platform.size)
        return self._stats.normalize_state(scene.state)

    def _read(self, pictures: Tensor, prompt: str, tail: int) -> tuple[Tensor, Context]:
        tokens = torch.tensor([prompt_tokens(self._tokenizer, prompt)], device=self._device)
        text = self._model.language.embed(tokens)
        return self._model.prefill(torch.cat([pictures, text], dim=1), tail=tail)

    def _write(self, pictures: Tensor, prompt: str, limit: int) -> Sentence:
        """Decode greedily, and measure the probability and entropy of each token."""
        hidden, context = self._read(pictures, prompt, tail=1)
        logits = self._model.language.logits(hidden[:, -1])
        tokens: list[int] = []
        probabilities, entropies = [], []
        while True:
            logarithms = logits[0].double().log_softmax(dim=-1)
            token = int(logarithms.argmax())
            probabilities.append(float(logarithms[token].exp()))
            entropies.append(float(-(logarithms.exp() * logarithms).sum()))
            if token == END or len(tokens) == limit:
                break
            tokens.append(token)
            step = torch.tensor([[token]], device=self._device)
            logits, context = self._model.decode_step(step, context)
        text = self._tokenizer.decode(tokens)
        answer = locations.parse(text, self._platform.planner_cameras)
        return Sentence(
            prompt,
            tuple(tokens),
            text,
            token == END,
            float(np.mean(probabilities)),
            float(np.mean(entropies)) / math.log(len(logits[0])),
            answer.subtask,
            len(answer.locations),
        )

    def _sample(self, pictures: Tensor, prompt: str, state: np.ndarray) -> np.ndarray:
        """Sample chunks from NOISES seeds, (NOISES, horizon, D) float32, normalised."""
        config = self._config
        _, context = self._read(pictures, prompt, tail=0)
        if config.variant == "pi0":
            padded = torch.from_numpy(pad(state, config.action_dim)[None]).float()
            dtype = self._model.expert.action_in.weight.dtype
            context = self._model.append_state_token(context, padded.to(self._device, dtype))
        chunks = []
        for seed in range(NOISES):
            generator = torch.Generator().manual_seed(seed)
            shape = (1, config.horizon, config.action_dim)
            noise = torch.randn(shape, generator=generator).to(self._device) * config.noise_scale
            chunks.append(self._model.sample_actions(context, noise, config.flow_steps))
        return torch.cat(chunks)[:, :, : self._platform.size].float().cpu().numpy()

    def _fast_faults(self, answer: Sentence) -> tuple[str, ...]:
        """Reasons why an answer does not decode to a chunk; (): it does."""
        assert self._fast is not None
        opening = action_text.OPENING if self._config.variant == "pi0_fast" else ""
        try:
            action_text.decode_actions(
                self._tokenizer,
                self._fast,
                answer.tokens,
                self._config.horizon,
                self._platform.size,
                opening,
            )
        except FastError as error:
            return (error.reason,)
        return () if answer.finished else ("does not end",)
