"""The compared training steps: ours, a plain loop over the same model, and LeRobot's.

Each does the same with the same weights: forward, backward, clipping of the gradient, AdamW. Ours
and the plain loop also keep a moving average of the weights; LeRobot's has none.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from speed import lerobot_model
from torch import Tensor, nn

from pi05_ros.model import flow
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import PAD
from pi05_ros.training.objective.batch import Batch, collate
from pi05_ros.training.objective.losses import LossConfig
from pi05_ros.training.optimization.ema import Average
from pi05_ros.training.optimization.optimizer import make_optimizer
from pi05_ros.training.recipes.recipe import OptimizerRecipe
from pi05_ros.training.runs.objective_module import Objective

from .batches import Workload

OPTIMIZER = OptimizerRecipe(learning_rate=1e-4, ema=0.999)


_IGNORED = -100  # Label without a loss.


class Step(Protocol):
    """A training step of one implementation."""

    name: str

    def loss(self) -> Tensor:
        """Compute the loss of the workload, a scalar."""
        ...

    def __call__(self) -> None:
        """Run one step."""
        ...


class Ours:
    """The objective, the optimiser and the average of `pi05 train`."""

    def __init__(self, model: Pi05, workload: Workload, precision: torch.dtype) -> None:
        self.name = "ours"
        config = LossConfig(alpha=10.0 if workload.has_text else 1.0, insulated=False)
        self._objective = Objective(copy.deepcopy(model).train(), config, precision)
        self._optimizer = make_optimizer(self._objective, OPTIMIZER)
        self._average = Average(self._objective, OPTIMIZER.ema)
        self._batch, self._draws = collate(workload.samples), workload.draws
        self._steps = 0

    def loss(self) -> Tensor:
        """See Step."""
        return self._objective(self._batch, self._draws).total

    def __call__(self) -> None:
        """See Step."""
        self.loss().backward()
        nn.utils.clip_grad_norm_(self._objective.parameters(), OPTIMIZER.clip_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._average.update(self._objective, self._steps)
        self._steps += 1


class Plain:
    """The loop that one writes first, over the same modules.

    Prompts and targets are padded to the model's longest and cameras to all slots, every slot is
    embedded, logits are computed at every position, and each draw of the flow is a pass of its
    own: the prefix is read again.
    """

    def __init__(self, model: Pi05, workload: Workload, precision: torch.dtype) -> None:
        self.name = "plain loop"
        self._model = copy.deepcopy(model).train()
        self._workload, self._precision = workload, precision
        self._optimizer = make_optimizer(self._model, OPTIMIZER)
        self._average = {n: p.detach().clone() for n, p in self._model.named_parameters()}
        self._batch = _padded(collate(workload.samples), model)
        self._labels = _labels(self._batch, model.config.vision.tokens)  # (B, S)

    def loss(self) -> Tensor:
        """See Step."""
        draws = self._workload.draws
        parts = [self._loss(noise, tau) for noise, tau in zip(draws.noise, draws.tau, strict=True)]
        return torch.stack(parts).mean()

    def __call__(self) -> None:
        """See Step."""
        draws = self._workload.draws
        for noise, tau in zip(draws.noise, draws.tau, strict=True):
            (self._loss(noise, tau) / len(draws.noise)).backward()
        nn.utils.clip_grad_norm_(self._model.parameters(), OPTIMIZER.clip_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                self._average[name].mul_(0.999).add_(parameter, alpha=0.001)

    def _loss(self, noise: Tensor, tau: Tensor) -> Tensor:
        enabled = self._precision != torch.float32
        with torch.autocast("cpu", self._precision, enabled=enabled):
            model, batch = self._model, self._batch
            pictures = model.embed_images(batch.images.flatten(0, 1))
            tokens = pictures.shape[1]
            parts = [pictures.unflatten(0, batch.cameras.shape).flatten(1, 2)]
            parts.append(model.language.embed(batch.prompt))
            valid = [batch.cameras.repeat_interleave(tokens, dim=1), batch.prompt_valid]
            targets = batch.targets
            count = 0 if targets is None else targets.tokens.shape[1]
            if targets is not None:
                parts.append(model.language.embed(targets.tokens))
                valid.append(targets.valid)
            mask = torch.cat(valid, dim=1)
            hidden, context = model.prefill(torch.cat(parts, dim=1), mask, targets=count)
            total = hidden.new_zeros(len(hidden))
            if targets is not None:
                total = total + self._entropy(hidden)
            velocity = model.velocity(
                flow.interpolate(batch.actions, noise, tau), model.modulate(tau), context
            )
            errors = (flow.target(batch.actions, noise) - velocity).square()
            sums = (errors * batch.action_weights).sum(dim=(1, 2))
            means = sums / batch.action_weights.sum(dim=(1, 2)).clamp(min=1.0)
            return (total + (10.0 if self._workload.has_text else 1.0) * means).mean()

    def _entropy(self, hidden: Tensor) -> Tensor:
        """Cross-entropy of each row's targets, from the logits of all positions."""
        logits = self._model.language.logits(hidden)  # (B, S, vocabulary)
        entropies = F.cross_entropy(
            logits.flatten(0, 1), self._labels.flatten(), ignore_index=_IGNORED, reduction="none"
        ).unflatten(0, self._labels.shape)
        return entropies.sum(dim=1) / (self._labels != _IGNORED).sum(dim=1).clamp(min=1)


class LeRobot:
    """LeRobot's `PI05Pytorch.forward` with its own padding, or with lengths as ours."""

    def __init__(self, model: Pi05, workload: Workload, precision: torch.dtype, padded: bool):
        self.name = "LeRobot, padded" if padded else "LeRobot, not padded"
        self._theirs = lerobot_model.build(copy.deepcopy(model), torch.float32)
        self._theirs.train().requires_grad_(True)
        self._precision = precision
        self._optimizer = make_optimizer(self._theirs, OPTIMIZER)
        batch = collate(workload.samples)
        prompt, valid = batch.prompt, batch.prompt_valid
        if padded:
            missing = model.config.max_prompt_tokens - prompt.shape[1]
            prompt, valid = F.pad(prompt, (0, missing), value=PAD), F.pad(valid, (0, missing))
        self._inputs: tuple[Any, ...] = (prompt, valid, batch.actions)
        self._images = [picture.float() / 127.5 - 1.0 for picture in batch.images.unbind(1)]
        self._cameras = list(batch.cameras.unbind(1))
        self._weights, self._draws = batch.action_weights, workload.draws

    def loss(self) -> Tensor:
        """See Step."""
        prompt, valid, actions = self._inputs
        enabled = self._precision != torch.float32
        with torch.autocast("cpu", self._precision, enabled=enabled):
            errors = self._theirs(
                self._images,
                self._cameras,
                prompt,
                valid,
                actions,
                self._draws.noise[0],
                1.0 - self._draws.tau[0],
            )
        sums = (errors * self._weights).sum(dim=(1, 2))
        return (sums / self._weights.sum(dim=(1, 2))).mean()

    def __call__(self) -> None:
        """See Step."""
        self.loss().backward()
        nn.utils.clip_grad_norm_(self._theirs.parameters(), OPTIMIZER.clip_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)


def make_steps(model: Pi05, workload: Workload, precision: torch.dtype) -> list[Step]:
    """Make the implementations of a workload; LeRobot's where it can be imported."""
    steps: list[Step] = [Ours(model, workload, precision), Plain(model, workload, precision)]
    if not workload.has_text and not lerobot_model.why_not():
        steps += [LeRobot(model, workload, precision, padded) for padded in (True, False)]
    return steps


def product_rate(dtype: torch.dtype, seconds: float = 2.0) -> float:
    """Measure operations of a large matrix product in a second of one core, the best of many."""
    side = 1536
    left, right = torch.randn(2, side, side).to(dtype)
    out, best, end = torch.empty_like(left), float("inf"), time.perf_counter() + seconds
    torch.mm(left, right, out=out)
    while time.perf_counter() < end:
        start = time.process_time()
        torch.mm(left, right, out=out)
        best = min(best, time.process_time() - start)
    return 2 * side**3 / best


def matrix_operations(step: Callable[[], Tensor]) -> float:
    """Count the operations of matrix products of a forward and a backward pass."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter, sdpa_kernel(SDPBackend.MATH):  # Whose products are counted.
        step().backward()
    return float(counter.get_total_flops())


def _labels(batch: Batch, tokens: int) -> Tensor:
    """Place each target's id where it is predicted: at the last valid position before it."""
    shape = (len(batch.prompt), batch.cameras.shape[1] * tokens + batch.prompt.shape[1])
    targets = batch.targets
    if targets is None:
        return torch.full(shape, _IGNORED)
    labels = torch.full((shape[0], shape[1] + targets.tokens.shape[1]), _IGNORED)
    for row, valid in enumerate(targets.valid):
        wanted = targets.tokens[row][valid]
        prompt = batch.prompt_valid[row].nonzero()[-1, 0] - batch.prompt.shape[1]
        if len(wanted):
            labels[row, shape[1] + prompt] = wanted[0]
            labels[row, shape[1] : shape[1] + len(wanted) - 1] = wanted[1:]
    return labels


def _padded(batch: Batch, model: Pi05) -> Batch:
    """Pad prompt and targets to the longest that the model takes."""
    import dataclasses

    longest = model.config.max_prompt_tokens - batch.prompt.shape[1]
    targets = batch.targets
    if targets is not None:
        most = max(model.config.max_text_tokens, model.config.max_action_tokens)
        more = max(0, most - targets.tokens.shape[1])
        targets = dataclasses.replace(
            targets,
            tokens=F.pad(targets.tokens, (0, more), value=PAD),
            valid=F.pad(targets.valid, (0, more)),
            weights=F.pad(targets.weights, (0, more)),
            is_fast=F.pad(targets.is_fast, (0, more)),
        )
    return dataclasses.replace(
        batch,
        prompt=F.pad(batch.prompt, (0, longest), value=PAD),
        prompt_valid=F.pad(batch.prompt_valid, (0, longest)),
        targets=targets,
    )
