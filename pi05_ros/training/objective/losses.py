"""One pass over a batch, and its losses (paper, section IV-D, equation 1).

    cross-entropy(text and FAST tokens) + α · ‖ω − a − f(a^τ)‖²

The language model runs once over pictures, prompt and targets. Its hidden states predict the
targets; the expert attends to its KV caches, except for the targets.

Knowledge insulation (arXiv 2505.23705) stops the gradient at the KV caches: the expert is trained
on top of the language model, which is trained by its own tokens only.

The expert can take the first actions of a chunk as input without noise, at time 1, and learns to
continue from them (training-time action conditioning, arXiv 2512.05964). These prefix actions are
not in the loss.

A model with grounding also learns where the things of its queries are, by the cross-entropy of its
heat maps.

The loss of a batch is the mean over its samples; a sample without text or without actions
contributes 0 to that part. So a batch split over devices or steps has the same loss as the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pi05_ros.model import flow
from pi05_ros.model.compact_vision import Pictures
from pi05_ros.model.context import Context
from pi05_ros.model.grounding import heat_targets
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.objective.batch import Batch, Targets

PARTS = ("text", "fast", "flow", "grounding")  # Names of the losses of a sample.


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses and their gradients.

    The defaults are those of post-training with knowledge insulation; the recipes set both.
    """

    # Weight of the flow loss; 0 in pre-training, without expert (section IV-D).
    alpha: float = 10.0
    insulated: bool = True  # Whether the flow's gradient stops at the language model.
    # Largest number of prefix actions; 0: none, as in the paper. Checkpoints of weights that were
    # trained with it state it (`Training.max_prefix`).
    max_prefix: int = 0
    # Weight of the heat maps' cross-entropy, where the model has grounding.
    grounding: float = 1.0

    def __post_init__(self) -> None:
        if self.max_prefix < 0:
            raise ValueError(f"max_prefix {self.max_prefix} is below 0")
        if not self.grounding >= 0.0:
            raise ValueError(f"grounding {self.grounding} is below 0")
        if not self.alpha >= 0.0:
            raise ValueError(f"alpha {self.alpha} is below 0")


@dataclass(frozen=True)
class Losses:
    """Losses of a batch, per sample."""

    text: Tensor  # (B,) cross-entropy of text tokens [nat per target token]; 0 without text.
    fast: Tensor  # (B,) cross-entropy of FAST tokens [nat per target token].
    flow: Tensor  # (B,) mean squared error of the velocity; 0 without actions or with α = 0.
    alpha: float  # Weight of `flow`.
    # (B,) cross-entropy of the heat maps [nat each] in excess of what their targets cannot go
    # below; 0 without points, or in a model without grounding.
    grounding: Tensor
    grounding_weight: float  # Weight of `grounding`.

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """The losses of `PARTS`, (B,) each, in that order."""
        return self.text, self.fast, self.flow, self.grounding

    @property
    def per_sample(self) -> Tensor:
        """The weighted sum of the parts, (B,)."""
        weighted = self.alpha * self.flow + self.grounding_weight * self.grounding
        return self.text + self.fast + weighted

    @property
    def total(self) -> Tensor:
        """The training loss, a scalar."""
        return self.per_sample.mean()


def losses(
    model: Pi05,
    batch: Batch,
    config: LossConfig,
    noise: Tensor | None = None,
    tau: Tensor | None = None,
    prefix: Tensor | None = None,
    *,
    reaches_all: bool = False,
) -> Losses:
    """Compute the losses of a batch.

    Noise, tau and prefix are required if the batch has actions and α is above 0.

    Args:
        model: Any variant; without expert α must be 0.
        batch: On the model's device.
        config: α, insulation, prefix.
        noise: ω, (B, horizon, action_dim) float32. With R samples of the noise, (R, B, horizon,
            action_dim), the flow loss is the mean over them. The language model runs only once,
            so several samples are cheap if it is large.
        tau: Flow times as in the paper, (B,) or (R, B), from `flow.sample_tau`.
        prefix: Number of prefix actions, of tau's shape, from `sample_prefix`; only if
            `config.max_prefix` is above 0.
        reaches_all: Whether every weight gets a gradient, of 0 if no sample needs the weight.
            Processes that share a model exchange gradients, and must have the same ones.

    Raises:
        ValueError: Noise, tau or prefix is missing, their shapes differ, or the chunk is not
            longer than `config.max_prefix`.
        VariantError: The flow loss is required, and the model has no expert or the batch no state.
    """
    pictures = embed_batch(model, batch)
    hidden, context = run_language_model(model, batch, pictures)
    zeros = hidden.new_zeros(len(hidden), dtype=torch.float32)
    text = fast = error = zeros
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
        expert_context = context.detached() if config.insulated else context
        if noise.ndim == 3:
            noise, tau = noise[None], tau[None]
            prefix = None if prefix is None else prefix[None]
        error = _flow_means(model, expert_context, batch, noise, tau, prefix)
    if reaches_all:
        text = text + _nothing(model, hidden, context, batch, config, noise, tau)
    grounding = zeros
    if model.config.grounding is not None:
        grounding = grounding_errors(model, batch, pictures, reaches_all=reaches_all)
    return Losses(text, fast, error, config.alpha, grounding, config.grounding)


def _nothing(
    model: Pi05,
    hidden: Tensor,
    context: Context,
    batch: Batch,
    config: LossConfig,
    noise: Tensor | None,
    tau: Tensor | None,
) -> Tensor:
    """Return 0 as a function of every weight that the losses of a stage can reach, a scalar.

    Hidden states depend on the picture tower and the language model. The expert runs on one row
    where no sample has actions.
    """
    nothing = 0.0 * hidden.float().sum()
    acts = batch.action_weights is None or bool(batch.action_weights.any())
    if not config.alpha or noise is None or tau is None or (batch.actions is not None and acts):
        return nothing
    first = torch.zeros(1, dtype=torch.long, device=hidden.device)
    noise = noise[0] if noise.ndim == 4 else noise
    tau = tau[0] if tau.ndim == 2 else tau
    row = replace(
        batch,
        actions=torch.zeros_like(noise[:1]),
        state=None if batch.state is None else batch.state[:1],
    )
    detached = context.detached() if config.insulated else context
    errors = flow_errors(model, detached.rows(first), row, noise[:1], tau[:1])
    return nothing + 0.0 * errors.sum()


def sample_prefix(
    shape: tuple[int, ...], most: int, generator: torch.Generator | None = None
) -> Tensor:
    """Sample numbers of prefix actions uniformly from 0 to `most`: `shape` int64, on the CPU.

    0 is included: the first chunk of a task has no prefix.
    """
    return torch.randint(0, most + 1, shape, generator=generator)


def _check_prefix(config: LossConfig, horizon: int, tau: Tensor, prefix: Tensor | None) -> None:
    """Raise ValueError if the prefixes do not match the config, the chunk and the times."""
    if config.max_prefix >= horizon:
        raise ValueError(
            f"wanted max_prefix below the horizon {horizon}, found {config.max_prefix}: a chunk "
            "that is all prefix has no loss"
        )
    if (prefix is None) != (config.max_prefix == 0):
        found = "none" if prefix is None else "some"
        raise ValueError(
            f"wanted prefixes where max_prefix is above 0, and only there; found {found} "
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
    """Weighted mean of `flow_errors` per sample, over R samples of the noise; 0 without actions.

    The expert runs on the A samples with actions only, in one batch of R · A rows. The mean of a
    row excludes its prefix actions, so that a long prefix has the same weight as none.

    Args:
        model: With an expert.
        context: From `run_language_model`, B rows, detached for knowledge insulation.
        batch: With actions.
        noise: (R, B, horizon, action_dim).
        tau: (R, B).
        prefix: (R, B) int64, or None: no prefix actions.

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
    rows = acting.repeat(len(noise))  # (R · A,)
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
        predicted = ~_in_prefix(prefix[:, acting].flatten(), batch.actions.shape[1])
        weights = weights[rows] * predicted.to(weights.device)[:, :, None]
        counts = _nonzero(weights.sum(dim=(1, 2)))  # 0 if all weighted actions are prefix.
        means = ((squares * weights).sum(dim=(1, 2)) / counts).unflatten(0, draws).mean(dim=0)
    return means.new_zeros(len(batch.actions)).index_put((acting,), means)


def embed_batch(model: Pi05, batch: Batch) -> Pictures:
    """Embed the pictures that the batch has, N of B · C, row by row."""
    present = batch.cameras.flatten().nonzero()[:, 0]
    views = None if batch.views is None else batch.views.flatten()[present]
    return model.embed_pictures(batch.images.flatten(0, 1)[present], views)


def run_language_model(
    model: Pi05, batch: Batch, pictures: Pictures | None = None
) -> tuple[Tensor, Context]:
    """Run the language model over pictures, prompts and targets.

    Pictures of missing cameras are not embedded: their tokens are zeros, which nothing attends to.

    Args:
        model: Any variant.
        batch: On the model's device.
        pictures: From `embed_batch`; None: embedded here.

    Returns:
        Normed hidden states (B, S, W), and the context for the expert; S = C · tokens of a
        picture + P + T. Tokens of a compact tower are at most those of a place's largest picture.
    """
    if pictures is None:
        pictures = embed_batch(model, batch)
    present = batch.cameras.flatten().nonzero()[:, 0]
    if model.config.grounding is not None and batch.queries is not None:
        rows = present // batch.cameras.shape[1]
        pictures = model.with_points(pictures, *_pointed(batch, rows))
    placed, placed_valid = _by_place(batch, pictures, present)
    parts = [placed, model.language.embed(batch.prompt)]
    valid = [placed_valid, batch.prompt_valid]
    count = 0
    if batch.targets is not None:
        parts.append(model.language.embed(batch.targets.tokens))
        valid.append(batch.targets.valid)
        count = batch.targets.tokens.shape[1]
    return model.prefill(torch.cat(parts, dim=1), torch.cat(valid, dim=1), targets=count)


def _pointed(batch: Batch, rows: Tensor) -> tuple[Tensor, Tensor]:
    """First query of the row of each picture, and which of its tokens count: (N, L) each."""
    assert batch.queries is not None and batch.queries_valid is not None
    assert batch.pointed is not None
    valid = batch.queries_valid[:, 0] & batch.pointed[:, None]
    return batch.queries[rows, 0], valid[rows]


def _by_place(batch: Batch, pictures: Pictures, present: Tensor) -> tuple[Tensor, Tensor]:
    """Put the tokens of N pictures in their places: (B, S, W), and which are valid, (B, S)."""
    tokens, shape = pictures.tokens, batch.cameras.shape
    placed = tokens.new_zeros(batch.cameras.numel(), *tokens.shape[1:])  # (B · C, T, W)
    placed = placed.index_put((present,), tokens).unflatten(0, shape)
    if pictures.valid is None:
        valid = batch.cameras[:, :, None].expand(-1, -1, tokens.shape[1])
        return placed.flatten(1, 2), valid.flatten(1)
    valid = torch.zeros(placed.shape[:3], dtype=torch.bool, device=tokens.device)
    valid.view(-1, tokens.shape[1])[present] = pictures.valid
    used = valid.any(dim=0).flatten()  # (C · T,): what no row uses is left out.
    return placed.flatten(1, 2)[:, used], valid.flatten(1)[:, used]


def grounding_errors(
    model: Pi05, batch: Batch, pictures: Pictures, *, reaches_all: bool = False
) -> Tensor:
    """Cross-entropy of the heat maps of the batch's queries, less the entropy of their targets.

    Args:
        model: With grounding.
        batch: On the model's device.
        pictures: From `embed_batch`.
        reaches_all: See `losses`.

    Returns:
        (B,) float32, the mean over what is known of a row; 0 where nothing is.
    """
    zeros = torch.zeros(len(batch.cameras), device=batch.cameras.device)
    if reaches_all:
        for parameter in model.grounding.parameters():
            zeros = zeros + 0.0 * parameter.float().sum()
    if batch.queries is None or batch.points is None or batch.queries_valid is None:
        return zeros
    rows, places = batch.cameras.nonzero(as_tuple=True)  # (N,) each, in the order of the pictures.
    points = batch.points[rows, :, places]  # (N, Q, POINTS, 3)
    asked = (points[..., 2] >= 0.0).any(dim=-1)  # (N, Q)
    which, number = asked.nonzero(as_tuple=True)  # M pairs of a picture and a query.
    if not len(which):
        return zeros
    queries = batch.queries[rows[which], number], batch.queries_valid[rows[which], number]
    points = points[which, number]  # (M, POINTS, 3)
    total, count = zeros, torch.zeros_like(zeros)
    grounded = model.ground_pairs(pictures, which, *queries)
    for maps, (pairs, logits) in zip(pictures.maps, grounded, strict=True):
        height, width = maps.fine.shape[-2:]
        wanted, own = points[pairs], rows[which[pairs]]
        known = wanted[..., 2] >= 0.0
        targets = heat_targets(wanted[..., :2], wanted[..., 2] > 0.0, height, width)
        errors = -(targets * logits.log_softmax(dim=-1)).sum(dim=-1)
        errors = errors + (targets * targets.clamp(min=1e-12).log()).sum(dim=-1)
        total = total.index_add(0, own, (errors * known).sum(dim=1))
        count = count.index_add(0, own, known.float().sum(dim=1))
    return total / _nonzero(count)


def cross_entropy(model: Pi05, hidden: Tensor, context: Context, targets: Targets) -> Tensor:
    """Cross-entropy −log p of each target token, given all tokens before it.

    Logits are float32, and are computed only for targets with a weight: with a vocabulary of
    257152 they are the largest tensor of the pass.

    Args:
        model: The model, for its embeddings.
        hidden: (B, S, W), from `run_language_model`.
        context: From `run_language_model`.
        targets: Of the last T of the S positions.

    Returns:
        (B, T) float32; 0 where the weight is 0.

    Raises:
        ValueError: The context has no `valid`.
    """
    logits, rows, columns = target_logits(model, hidden, context, targets)
    entropies = F.cross_entropy(logits, targets.tokens[rows, columns], reduction="none")
    result = entropies.new_zeros(targets.tokens.shape)
    return result.index_put((rows, columns), entropies)


def target_logits(
    model: Pi05, hidden: Tensor, context: Context, targets: Targets
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of the N target tokens with a weight; arguments and errors as in `cross_entropy`.

    Returns:
        (N, vocabulary) float32, and the row and the column of each in `targets`, (N,) int64.
    """
    valid = context.valid
    if valid is None:
        raise ValueError("wanted the context of a padded batch, from `run_language_model`")
    index = torch.arange(valid.shape[1], device=valid.device)
    # A token is predicted by the last valid position before it.
    latest = torch.where(valid, index, -1).cummax(dim=1).values  # (B, S)
    before = latest[:, -targets.tokens.shape[1] - 1 : -1]  # (B, T)
    rows, columns = targets.weights.nonzero(as_tuple=True)
    return model.language.logits(hidden[rows, before[rows, columns]]), rows, columns


def flow_errors(
    model: Pi05,
    context: Context,
    batch: Batch,
    noise: Tensor,
    tau: Tensor,
    prefix: Tensor | None = None,
) -> Tensor:
    """Squared error (ω − a − f(a^τ))² of each entry of the actions, padded ones included.

    openpi averages over all of them, so that padded entries are trained to be 0; LeRobot leaves
    them out of its mean. `Batch.action_weights` allows both, and the sources give padded entries a
    weight: inference samples every entry and feeds it back at the next Euler step.

    Args:
        model: With an expert.
        context: From `run_language_model`, detached for knowledge insulation.
        batch: With actions; for π0 with a state.
        noise: ω, (B, horizon, action_dim) float32.
        tau: Flow times, (B,), float64 if possible (see `expert.embed_time`).
        prefix: Number of prefix actions of each chunk, (B,) int64; they have time 1 and no noise,
            and their errors are meaningless. None: no prefix.

    Returns:
        (B, horizon, action_dim) float32.
    """
    actions = batch.actions
    if actions is None:
        raise ValueError("the batch has no actions")
    if prefix is not None:
        in_prefix = _in_prefix(prefix, actions.shape[1]).to(tau.device)
        tau = torch.where(in_prefix, 1.0, tau[:, None])  # (B, horizon)
    modulation = model.modulate(tau)
    if batch.state is not None:
        context = model.append_state_token(context, batch.state)
    noisy = flow.interpolate(actions, noise, tau)
    velocity = model.velocity(noisy, modulation, context)
    return (flow.target(actions, noise) - velocity).square()


def _in_prefix(prefix: Tensor, horizon: int) -> Tensor:
    """Mask of the prefix actions of each chunk, for prefixes (B,): (B, horizon) bool."""
    return torch.arange(horizon, device=prefix.device) < prefix[:, None]


def _nonzero(count: Tensor) -> Tensor:
    """Replace 0 by 1, for the division of samples without targets."""
    return torch.where(count > 0, count, 1.0)
