"""What a model gives for held-out samples: losses, right tokens, answers, chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text import action_text, locations
from pi05_ros.model.text.fast_coefficients import FastError
from pi05_ros.model.text.tokenizer import END
from pi05_ros.training.objective.batch import Batch
from pi05_ros.training.objective.losses import (
    LossConfig,
    losses,
    run_language_model,
    target_logits,
)
from pi05_ros.training.validation.answers import AnswerPair
from pi05_ros.training.validation.decoding import decode_batch
from pi05_ros.training.validation.held_out import HeldOutSample, batch_of, inputs_of
from pi05_ros.training.validation.points import point_errors


@dataclass(frozen=True)
class Predictor:
    """Runs one model on batches of samples, without gradients.

    Args:
        model: On its device.
        checkpoint: Its tokenizers; the weights are not used.
        loss: Of the run.
        precision: Dtype of matrix products.
    """

    model: Pi05
    checkpoint: Checkpoint
    loss: LossConfig
    precision: torch.dtype

    def _autocast(self) -> torch.autocast:
        enabled = self.precision != torch.float32
        return torch.autocast(self.model.device.type, self.precision, enabled=enabled)

    @torch.no_grad()
    def losses(self, items: Sequence[HeldOutSample]) -> Tensor:
        """Compute the losses of samples: (B, parts) float64, in the order of `PARTS`."""
        noise = _noise(items).to(self.model.device)
        tau = torch.cat([item.tau for item in items]).to(self.model.device)
        with self._autocast():
            found = losses(self.model, self._batch(items), self.loss, noise, tau)
        return torch.stack(found.parts, dim=1).double().cpu()

    @torch.no_grad()
    def right_tokens(self, items: Sequence[HeldOutSample]) -> tuple[Tensor, Tensor]:
        """Check which target tokens are the likeliest after the recorded ones before them.

        Returns:
            Of the text and of the FAST tokens, (N,) and (M,) bool.
        """
        batch = self._batch(items)
        targets = batch.targets
        if targets is None:
            return torch.zeros(0, dtype=torch.bool), torch.zeros(0, dtype=torch.bool)
        with self._autocast():
            hidden, context = run_language_model(self.model, batch)
            logits, rows, columns = target_logits(self.model, hidden, context, targets)
        right = logits.argmax(dim=-1) == targets.tokens[rows, columns]
        is_fast = targets.is_fast[rows, columns]
        return right[~is_fast].cpu(), right[is_fast].cpu()

    @torch.no_grad()
    def answers(
        self, items: Sequence[HeldOutSample], cameras: Sequence[str]
    ) -> list[AnswerPair | None]:
        """Decode the answers of the samples that have a text; None for the others.

        Args:
            items: The samples.
            cameras: Names that a box may have.
        """
        found: list[AnswerPair | None] = [None] * len(items)
        rows = [row for row, item in enumerate(items) if item.sample.text]
        if not rows:
            return found
        decode = self.checkpoint.tokenizer.decode
        inputs = inputs_of(self._batch(items), rows)
        with self._autocast():
            decoded = decode_batch(self.model, inputs, self.model.config.max_text_tokens)
        for row, one in zip(rows, decoded, strict=True):
            target = decode(token for token in items[row].sample.text if token != END)
            found[row] = AnswerPair(
                locations.parse(target, cameras),
                locations.parse(decode(one.tokens), cameras),
                one.finished,
            )
        return found

    @torch.no_grad()
    def points(self, items: Sequence[HeldOutSample]) -> list[float]:
        """Return the errors of the points of what the samples show; see `point_errors`."""
        if self.model.config.grounding is None:
            return []
        with self._autocast():
            return point_errors(self.model, self._batch(items))

    @property
    def acts(self) -> bool:
        """Whether the model gives chunks: by an expert, or in FAST tokens that can be read."""
        return self.model.config.has_expert or self.checkpoint.fast is not None

    @torch.no_grad()
    def chunks(self, items: Sequence[HeldOutSample]) -> list[np.ndarray | None]:
        """Predict chunks: by the expert in Euler steps, without one by decoding FAST tokens.

        Returns:
            Normalised chunks (H, D) float64 of each robot's width; None for samples that are of no
            robot, and for tokens that are no chunk.
        """
        found: list[np.ndarray | None] = [None] * len(items)
        rows = [row for row, item in enumerate(items) if item.row is not None]
        if not rows or not self.acts:
            return found
        chosen = [items[row] for row in rows]
        inputs = inputs_of(self._batch(items), rows)
        with self._autocast():
            if self.model.config.has_expert:
                chunks: list[np.ndarray | None] = [*self._sampled(inputs, chosen)]
            else:
                chunks = self._decoded(inputs, chosen)
        for row, chunk in zip(rows, chunks, strict=True):
            found[row] = chunk
        return found

    def _sampled(self, inputs: Batch, items: Sequence[HeldOutSample]) -> list[np.ndarray]:
        model = self.model
        _, context = run_language_model(model, inputs)
        if inputs.state is not None:
            context = model.append_state_token(context, inputs.state)
        noise = _noise(items).to(model.device) * model.config.noise_scale
        sampled = model.sample_actions(context, noise, model.config.flow_steps)
        arrays = sampled.double().cpu().numpy()
        return [chunk[:, : item.width] for chunk, item in zip(arrays, items, strict=True)]

    def _decoded(self, inputs: Batch, items: Sequence[HeldOutSample]) -> list[np.ndarray | None]:
        config, fast = self.model.config, self.checkpoint.fast
        assert fast is not None  # `acts` checked it.
        opening = action_text.OPENING if config.variant == "pi0_fast" else ""
        found: list[np.ndarray | None] = []
        decoded = decode_batch(self.model, inputs, config.max_action_tokens)
        for item, one in zip(items, decoded, strict=True):
            try:
                chunk = action_text.decode_actions(
                    self.checkpoint.tokenizer,
                    fast,
                    one.tokens,
                    config.horizon,
                    item.width,
                    opening,
                )
            except FastError:
                found.append(None)
            else:
                found.append(chunk.astype(np.float64))
        return found

    def _batch(self, items: Sequence[HeldOutSample]) -> Batch:
        return batch_of(items, self.model.device)


def _noise(items: Sequence[HeldOutSample]) -> Tensor:
    return torch.stack([item.noise for item in items])
