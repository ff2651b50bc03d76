"""One pass over a batch, and what it costs (paper, section IV-D, equation 1).

    cross-entropy(text and FAST tokens) + α · ‖ω − a − f(a^τ)‖²

The language model reads pictures, prompt and targets once. Its hidden states predict the targets;
its memory is what the expert reads, except for the targets.

Knowledge insulation (arXiv 2505.23705) cuts the gradient at that memory: the expert learns from
the language model, which is shaped by its own tokens only.

The expert may be shown the first rows of a chunk as they are, at time 1, and then learns to go on
from them (training-time action conditioning, arXiv 2512.05964). What it is shown costs nothing.

A batch costs the mean over its samples, and a sample without text or without actions costs nothing
there. So a batch that is split over machines or steps costs what it costs whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pi05_ros.model import flow
from pi05_ros.model.pi05 import Context, Pi05
from pi05_ros.training.batch import Batch, Targets


@dataclass(frozen=True)
class LossConfig:
    """Which parts count, and where their gradients end. The defaults are post-training's."""

    alpha: float = 10.0  # Weight of the flow; 0 in pre-training, without expert (section IV-D).
    insulated: bool = True  # Whether the flow's gradient ends before the language model.
    max_prefix: int = 0  # Most rows of a chunk that the expert is shown; 0: none, as in the paper.
    # Weights that were trained with it say so in their checkpoint (`Training.max_prefix`).

    def __post_init__(self) -> None:
        if self.max_prefix < 0:
            raise ValueError(f"max_prefix {self.max_prefix} is below 0")
        if not self.alpha >= 0.0:
            raise ValueError(f"alpha {self.alpha} is below 0")


@dataclass(frozen=True)
class Losses:
    """What a batch costs, by sample."""

    text: Tensor  # (B,) cross-entropy of text tokens [nat a target token]; 0 without text.
    fast: Tensor  # (B,) the same of FAST tokens.
    flow: Tensor  # (B,) mean squared error of the velocity; 0 without actions, or where α is 0.
    alpha: float

    @property
    def total(self) -> Tensor:
        """What training lowers, a scalar."""
        return (self.text + self.fast + self.alpha * self.flow).mean()


def losses(
    model: Pi05,
    batch: Batch,
    config: LossConfig,
    noise: Tensor | None = None,
    tau: Tensor | None = None,
    prefix: Tensor | None = None,
) -> Losses:
    """Runs the model over a batch.

    Args:
        model: Any variant; one without expert wants α = 0.
        batch: On the model's device.
        config: α, insulation.
        noise: ω, (B, horizon, action_dim) float32; wanted where actions count. With R draws,
            (R, B, horizon, action_dim), the expert's error is the mean over them. The language
            model is read once all the same, which makes many draws cheap where it is large.
        tau: Flow times as the paper counts them, (B,) or (R, B), from `flow.sample_tau`; likewise.
        prefix: How many rows the expert is shown, of tau's shape, from `sample_prefix`; wanted
            where actions count and `config.max_prefix` is above 0, and only there.

    Raises:
        ValueError: Actions count, and noise, tau or prefix is missing, or their draws differ, or
            the chunk is no longer than `config.max_prefix`.
        VariantError: Actions count, and the model has no expert or the batch no state.
    """
    hidden, context = run_language_model(model, batch)
    nothing = hidden.new_zeros(len(hidden), dtype=torch.float32)
    text = fast = error = nothing
    if batch.targets is not None:
        targets = batch.targets
        entropies = cross_entropy(model, hidden, context, targets) * targets.weights
        count = _nonzero(targets.weights.sum(dim=1))
        text = (entropies * ~targets.is_fast).sum(dim=1) / count
        fast = (entropies * targets.is_fast).sum(dim=1) / count
    if batch.actions is not None and config.alpha:
        if noise is None or tau is None:
            raise ValueError("wanted noise and tau for the batch's actions, found none")
        _check_prefix(config, batch.actions.shape[1], tau, prefix)
        seen = context.detached() if config.insulated else context
        if noise.ndim == 3:
            noise, tau = noise[None], tau[None]
            prefix = None if prefix is None else prefix[None]
        error = _flow_means(model, seen, batch, noise, tau, prefix)
    return Losses(text, fast, error, config.alpha)


def sample_prefix(
    shape: tuple[int, ...], most: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draws how many rows of each chunk are shown: `shape` int64, 0 to `most` alike, on the CPU.

    0 belongs to it: the first chunk of a task goes on from nothing.
    """
    return torch.randint(0, most + 1, shape, generator=generator)


def _check_prefix(config: LossConfig, horizon: int, tau: Tensor, prefix: Tensor | None) -> None:
    """Raises ValueError where the drawn prefixes are not those that the config wants."""
    if config.max_prefix >= horizon:
        raise ValueError(
            f"wanted max_prefix below the horizon {horizon}, found {config.max_prefix}: a chunk "
            "that is shown whole teaches nothing"
        )
    if (prefix is None) != (config.max_prefix == 0):
        found = "none" if prefix is None else "some"
        raise ValueError(
            f"wanted drawn prefixes where max_prefix is above 0, and only there; found {found} "
            f"with max_prefix {config.max_prefix}"
        )
    if prefix is not None and prefix.shape != tau.shape:
        raise ValueError(
            f"wanted a prefix for each time, found {tuple(prefix.shape)} prefixes for "
            f"{tuple(tau.shape)} times"
        )


def _flow_means(
    model: Pi05,
    context: Context,
    batch: Batch,
    noise: Tensor,
    tau: Tensor,
    prefix: Tensor | None = None,
) -> Tensor:
    """Weighted mean of `flow_errors` of each sample, over R draws; 0 without actions.

    The expert runs on the acting samples alone. Each draw is a row of its own batch. Each draw's
    mean is over the rows that it was not shown, so that a long prefix weighs no less than none.

    Args:
        model: With an expert.
        context: From `read`, B rows, detached for knowledge insulation.
        batch: With actions.
        noise: (R, B, horizon, action_dim).
        tau: (R, B).
        prefix: (R, B) int64, or None: nothing is shown.

    Returns:
        (B,) float32.
    """
    if noise.shape[:2] != tau.shape:
        raise ValueError(
            f"wanted a time for each draw of noise, found {tuple(tau.shape)} times for "
            f"{tuple(noise.shape[:2])} draws; shape tau as the first dimensions of noise"
        )
    if batch.actions is None:
        raise ValueError("the batch has no actions")
    weights = batch.action_weights
    if weights is None:
        weights = torch.ones_like(batch.actions)
    acting = weights.flatten(1).any(dim=1).nonzero()[:, 0]  # (A,) indices.
    rows = acting.repeat(len(noise))  # (R · A,), draw by draw.
    acted = replace(
        batch,
        actions=batch.actions[rows],
        state=None if batch.state is None else batch.state[rows],
    )
    squares = flow_errors(
        model,
        context.rows(rows),
        acted,
        noise[:, acting].flatten(0, 1),
        tau[:, acting].flatten(),
        None if prefix is None else prefix[:, acting].flatten(),
    )
    draws = (len(noise), len(acting))
    if prefix is None:
        squares = squares.unflatten(0, draws).mean(dim=0)
        weights = weights[acting]
        means = (squares * weights).sum(dim=(1, 2)) / weights.sum(dim=(1, 2))
    else:
        hidden = ~_shown(prefix[:, acting].flatten(), batch.actions.shape[1])
        weights = weights[rows] * hidden.to(weights.device)[:, :, None]
        counts = _nonzero(weights.sum(dim=(1, 2)))  # 0 where all that counts was shown.
        means = ((squares * weights).sum(dim=(1, 2)) / counts).unflatten(0, draws).mean(dim=0)
    return means.new_zeros(len(batch.actions)).index_put((acting,), means)


def run_language_model(model: Pi05, batch: Batch) -> tuple[Tensor, Context]:
    """Pictures, prompts and targets through the language model.

    Returns:
        Normed hidden states (B, S, W), and the context that the expert reads; S = C · tokens of a
        picture + P + T.
    """
    pictures = model.embed_images(batch.images.flatten(0, 1))  # (B · C, tokens, W)
    per_picture = pictures.shape[1]
    parts = [pictures.unflatten(0, batch.cameras.shape).flatten(1, 2)]
    parts.append(model.language.embed(batch.prompt))
    valid = [batch.cameras.repeat_interleave(per_picture, dim=1), batch.prompt_valid]
    count = 0
    if batch.targets is not None:
        parts.append(model.language.embed(batch.targets.tokens))
        valid.append(batch.targets.valid)
        count = batch.targets.tokens.shape[1]
    return model.prefill(torch.cat(parts, dim=1), torch.cat(valid, dim=1), targets=count)


def cross_entropy(model: Pi05, hidden: Tensor, context: Context, targets: Targets) -> Tensor:
    """−log p of each target, given all that stands before it.

    Logits are float32, and are worked out where a target counts only: a vocabulary of 257152 makes
    them the largest tensor of the pass.

    Args:
        model: Whose embeddings the logits come from.
        hidden: (B, S, W), from `read`.
        context: From `read`.
        targets: The last T of the S positions.

    Returns:
        (B, T) float32; 0 where the weight is 0.
    """
    valid = context.valid
    if valid is None:
        raise ValueError("wanted the context of a padded batch, from `read`")
    index = torch.arange(valid.shape[1], device=valid.device)
    # What predicts a token is the last one before it that is no padding.
    latest = torch.where(valid, index, -1).cummax(dim=1).values  # (B, S)
    before = latest[:, -targets.tokens.shape[1] - 1 : -1]  # (B, T)
    rows, columns = targets.weights.nonzero(as_tuple=True)
    logits = model.language.logits(hidden[rows, before[rows, columns]])  # (counted, vocabulary)
    entropies = F.cross_entropy(logits, targets.tokens[rows, columns], reduction="none")
    result = entropies.new_zeros(targets.tokens.shape)
    return result.index_put((rows, columns), entropies)


def flow_errors(
    model: Pi05,
    context: Context,
    batch: Batch,
    noise: Tensor,
    tau: Tensor,
    prefix: Tensor | None = None,
) -> Tensor:
    """(ω − a − f(a^τ))² of each entry of the actions, padded ones included.

    openpi averages over all of them, so that padded dimensions are learned to be 0; LeRobot leaves
    them out of its mean. `Batch.action_weights` does either. But a dimension that weighs nothing
    is still drawn, and read back by the expert at the next Euler step, unlearned as it is.

    Args:
        model: With an expert.
        context: From `read`, detached for knowledge insulation.
        batch: With actions; for π0 with a state.
        noise: ω, (B, horizon, action_dim) float32.
        tau: Flow times, (B,), float64 where its last bit matters (see `expert.embed_time`).
        prefix: How many rows of each chunk the expert is shown as they are, at time 1, (B,) int64;
            None: none. Their errors mean nothing.

    Returns:
        (B, horizon, action_dim) float32.
    """
    actions = batch.actions
    if actions is None:
        raise ValueError("the batch has no actions")
    if prefix is not None:
        shown = _shown(prefix, actions.shape[1]).to(tau.device)
        tau = torch.where(shown, 1.0, tau[:, None])  # (B, horizon)
    modulation = model.modulate(tau)
    if batch.state is not None:
        context = model.append_state_token(context, batch.state)
    noisy = flow.interpolate(actions, noise, tau)
    velocity = model.velocity(noisy, modulation, context)
    return (flow.target(actions, noise) - velocity).square()


def _shown(prefix: Tensor, horizon: int) -> Tensor:
    """Which rows of each chunk are shown, for prefixes (B,): (B, horizon) bool."""
    return torch.arange(horizon, device=prefix.device) < prefix[:, None]


def _nonzero(count: Tensor) -> Tensor:
    """`count`, with 1 for 0: a sample without targets divides nothing by it."""
    return torch.where(count > 0, count, 1.0)
