"""The loop over the steps of a run."""

from __future__ import annotations

import dataclasses
import math
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pi05_ros.checkpoints.checkpoint import Checkpoint, save_checkpoint
from pi05_ros.errors import Pi05Error
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.loading.loader import LoadedBatch, Loader, Samples, Share
from pi05_ros.training.objective.losses import PARTS, Losses
from pi05_ros.training.optimization.ema import Average
from pi05_ros.training.optimization.lora import merged
from pi05_ros.training.optimization.optimizer import (
    make_optimizer,
    optimizer_tensors,
    prepare_states,
    set_learning_rate,
)
from pi05_ros.training.optimization.schedule import learning_rate
from pi05_ros.training.recipes.files import recipe_hash
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.runs.folder import BEST, LAST, RunFolder
from pi05_ros.training.runs.objective_module import Objective, prepare
from pi05_ros.training.runs.processes import Processes
from pi05_ros.training.runs.records import Reporter, SourceLosses, StepRecord
from pi05_ros.training.runs.state import load_state, read_facts, save_state
from pi05_ros.training.sources.source import Source

_COLUMNS = ("samples", *PARTS, "total")  # Columns of the sums of a step.
# The share of bad samples is of so many at least, so that the first one does not end a run.
_MIN_SAMPLES = 200

Validate = Callable[[Pi05, int], Mapping[str, float]]  # Figures; "loss" chooses the best.


class DivergedError(Pi05Error):
    """A loss that is not finite."""


class BadDataError(Pi05Error):
    """More samples cannot be read than the recipe allows."""


class Trainer:
    """Trains one model in one folder.

    Args:
        recipe: The run.
        checkpoint: The model to begin from, on the device, with what its checkpoints hold beside
            the weights.
        samples: Of the run.
        sources: Of the samples, in their order.
        folder: Of the run, begun and locked.
        processes: Of the run.
        reporter: Takes the records.
        validate: Computes figures of the averaged weights; None: there is no validation, and the
            last checkpoint is the best.
    """

    def __init__(
        self,
        recipe: Recipe,
        checkpoint: Checkpoint,
        samples: Samples,
        sources: Sequence[Source],
        folder: RunFolder,
        processes: Processes,
        reporter: Reporter,
        validate: Validate | None = None,
    ) -> None:
        self._recipe, self._checkpoint, self._folder = recipe, checkpoint, folder
        self._sources, self._processes = tuple(sources), processes
        self._reporter, self._validate = reporter, validate
        precision = torch.bfloat16 if recipe.batch.precision == "bfloat16" else torch.float32
        self.model = checkpoint.model.train()
        self._objective = Objective(self.model, recipe.loss, precision)
        prepare(self._objective, recipe.batch, processes)
        self._optimizer = make_optimizer(self._objective, recipe.optimizer)
        self._average = Average(self._objective, recipe.optimizer.ema)
        self._loader = Loader(samples, recipe, Share(processes.rank, processes.count))
        self._used: Counter[str] = Counter()  # Samples of each source.
        self._bad = 0
        self._best = math.inf
        self._stop = False

    def stop(self) -> None:
        """End the run after the present step, with a state."""
        self._stop = True

    def run(self) -> bool:
        """Train from the newest whole state, or from the beginning, to the last step.

        Returns:
            True if the run is complete, False if it was stopped.

        Raises:
            DivergedError: A loss is not finite.
            BadDataError: Too many samples cannot be read.
        """
        first = self._resume()
        if self._processes.is_first:
            self._folder.cut_metrics(first)
            self._reporter.on_begin(first, self._recipe.steps)
        batches = self._loader.batches(first)
        try:
            for step in range(first, self._recipe.steps):
                self._step(step, batches)
                done = step + 1
                stop = self._stops()
                if (
                    done % self._recipe.saving.every_steps == 0
                    or done == self._recipe.steps
                    or stop
                ):
                    self._save(done)
                if stop and done < self._recipe.steps:
                    return False
            return True
        finally:
            if self._processes.is_first:
                self._reporter.on_end()

    def _step(self, step: int, batches: Iterator[LoadedBatch]) -> None:
        begin = time.perf_counter()
        waited, bad, clipped = 0.0, list[str](), 0
        sums = torch.zeros(len(self._sources), len(_COLUMNS), dtype=torch.float64)
        passes = self._loader.passes
        for _ in range(passes):
            asked = time.perf_counter()
            loaded = next(batches)
            waited += time.perf_counter() - asked
            bad += loaded.bad
            clipped += loaded.clipped
            parts = self._objective(loaded.batch.to(self.model.device), loaded.draws)
            self._check_finite(parts, loaded, step)
            (parts.total / passes).backward()
            sums += _sums(parts, loaded, len(self._sources))
        _complete_gradients(self._objective)
        norm = torch.nn.utils.clip_grad_norm_(
            self._objective.parameters(), self._recipe.optimizer.clip_norm
        )
        length = float(_full(norm))  # In every process: a shard's is summed over all of them.
        if not math.isfinite(length):
            raise DivergedError(
                f"step {step}: the loss is finite and its gradient is not (norm {length}); "
                f"{self._advice()}"
            )
        rate = learning_rate(step, self._recipe.steps, self._recipe.optimizer)
        set_learning_rate(self._optimizer, rate)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._average.update(self._objective, step)
        sums = self._processes.sum(sums)
        bad = self._processes.gather(bad)
        clipped = round(self._processes.sum(torch.tensor([float(clipped)])).item())
        self._count(sums, bad)
        if self._processes.is_first:
            record = StepRecord(
                step=step,
                loss=float(sums[:, -1].sum() / sums[:, 0].sum()),
                gradient_norm=length,
                learning_rate=rate,
                seconds=time.perf_counter() - begin,
                waited_s=waited,
                sources=self._losses(sums),
                memory_bytes=_memory(self.model.device),
                bad=tuple(bad),
                clipped=clipped,
            )
            self._folder.append_metrics(record.as_json())
            self._reporter.on_step(record)

    def _check_finite(self, parts: Losses, loaded: LoadedBatch, step: int) -> None:
        """Raise DivergedError in every process if a loss of any is not finite."""
        per_sample = parts.per_sample.detach()
        broken = (~torch.isfinite(per_sample)).nonzero()[:, 0].tolist()
        if not self._processes.sum(torch.tensor([float(len(broken))])).item():
            return
        found = [
            f"number {loaded.numbers[row]} of source '{self._sources[loaded.sources[row]].name}'"
            for row in broken
        ]
        found = self._processes.gather(found)
        raise DivergedError(
            f"step {step}: the loss is not finite for {', '.join(found[:4])}"
            f"{' …' if len(found) > 4 else ''}; {self._advice()}"
        )

    def _advice(self) -> str:
        return (
            f"the last good state is that of step {max(self._folder.state_steps(), default=0)}: "
            "lower optimizer.learning_rate, or look at the samples of this step"
        )

    def _count(self, sums: Tensor, bad: list[str]) -> None:
        for index, source in enumerate(self._sources):
            self._used[source.name] += int(sums[index, 0])
        self._bad += len(bad)
        total = sum(self._used.values()) + self._bad
        if self._bad > self._recipe.max_bad_share * max(total, _MIN_SAMPLES):
            raise BadDataError(
                f"{self._bad} of {total} samples cannot be read, wanted a share of at most "
                f"{self._recipe.max_bad_share:g} (max_bad_share); the last: {bad[-1]}"
            )

    def _losses(self, sums: Tensor) -> dict[str, SourceLosses]:
        found = {}
        for source, row in zip(self._sources, sums.tolist(), strict=True):
            count = int(row[0])
            if count:
                means = (value / count for value in row[1:])
                found[source.name] = SourceLosses(count, *means)
        return found

    def _stops(self) -> bool:
        """Check in all processes whether one is to stop."""
        return bool(self._processes.sum(torch.tensor([float(self._stop)])).item())

    # States and checkpoints.

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"weights/{n}": p.detach() for n, p in self._objective.named_parameters()}
        tensors |= {f"average/{name}": value for name, value in self._average.tensors.items()}
        states = optimizer_tensors(self._optimizer, self._objective)
        return tensors | {f"optimizer/{name}": value for name, value in states.items()}

    def _resume(self) -> int:
        """Read the newest state, if there is one; return the first step to compute."""
        steps = self._folder.state_steps()
        if not steps:
            return 0
        state = self._folder.state_path(steps[-1])
        names = {
            name.split("/")[1]
            for name in read_facts(state)["names"]
            if name.startswith("optimizer/")
        }
        prepare_states(self._optimizer, self._objective, names)
        facts = load_state(state, self._tensors())
        if facts["recipe_hash"] != recipe_hash(self._recipe):
            raise Pi05Error(
                f"{state}: is of another recipe "
                f"({facts['recipe_hash']}); remove it, or train in another folder"
            )
        self._used, self._bad = Counter(facts["used"]), facts["bad"]
        self._best = math.inf if facts["best"] is None else facts["best"]
        return int(facts["step"])

    def _save(self, step: int) -> None:
        figures: Mapping[str, float] = {}
        with self._average.applied(self._objective):
            checkpoint = self._export(step)
            if self._validate is not None and self._processes.is_first and checkpoint is not None:
                figures = self._validate(checkpoint.model, step)
        result = figures.get("loss", -math.inf if self._validate is None else math.inf)
        if math.isnan(result):
            result = math.inf  # No later one would be less than it.
        is_best = result <= self._best or not (self._folder.path / BEST).exists()
        if is_best:
            self._best = result
        if checkpoint is not None:
            self._publish(step, checkpoint, is_best, figures)
        facts = {
            "step": step,
            "recipe_hash": recipe_hash(self._recipe),
            "used": dict(self._used),
            "bad": self._bad,
            "best": self._best if math.isfinite(self._best) else None,
        }
        target = self._folder.state_path(step)
        if not target.exists():
            save_state(target, self._tensors(), facts, self._processes)
        if self._processes.is_first:
            self._folder.prune(self._recipe.saving)

    def _export(self, step: int) -> Checkpoint | None:
        """Return the whole model with its average, in the first process; None in others."""
        weights = {
            name: _full(value).detach().cpu() for name, value in self.model.state_dict().items()
        }
        if not self._processes.is_first:
            return None
        recipe = self._recipe.model
        if recipe.lora_rank:
            weights = merged(weights, recipe.lora_alpha / recipe.lora_rank)
        model = Pi05(self.model.config)
        model.load_state_dict(weights)
        training = dataclasses.replace(self._checkpoint.training, step=step)
        return dataclasses.replace(self._checkpoint, model=model.eval(), training=training)

    def _publish(
        self, step: int, checkpoint: Checkpoint, is_best: bool, figures: Mapping[str, float]
    ) -> None:
        """Write a checkpoint and point the links to it."""
        target: Path = self._folder.checkpoints / f"step_{step:09d}"
        if not target.exists():
            save_checkpoint(target, checkpoint)
        self._folder.set_link(LAST, target)
        if is_best:
            self._folder.set_link(BEST, target)
        if figures:
            self._reporter.on_validation(step, figures)
        self._reporter.on_saved(step, target, is_best)


def _complete_gradients(objective: Objective) -> None:
    """Give weights that no sample of the step needed a gradient of 0.

    The optimiser would leave them out, and their moments and step would depend on how the samples
    of a step are divided over processes.
    """
    for parameter in objective.parameters():
        if parameter.requires_grad and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)


def _sums(parts: Losses, loaded: LoadedBatch, count: int) -> Tensor:
    """Sum the losses of a batch by source, (sources, columns) float64; see `_COLUMNS`."""
    total = parts.per_sample
    columns = [torch.ones_like(total), *parts.parts, total]
    values = torch.stack([column.detach().double().cpu() for column in columns], dim=1)
    sums = torch.zeros(count, len(_COLUMNS), dtype=torch.float64)
    return sums.index_add(0, torch.tensor(loaded.sources), values)


def _full(value: Tensor) -> Tensor:
    """Return a tensor gathered from all processes."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
