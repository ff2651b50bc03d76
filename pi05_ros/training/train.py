"""One training run, from a recipe to checkpoints."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import torch

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.training.loading.loader import Samples, check_division
from pi05_ros.training.preparation.data_facts import data_of
from pi05_ros.training.preparation.episodes import check_paths
from pi05_ros.training.preparation.preparation import Prepared, prepare
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.reporting.page import PageReporter
from pi05_ros.training.reporting.tensorboard import TensorBoardReporter
from pi05_ros.training.reporting.terminal import TerminalReporter
from pi05_ros.training.reporting.together import Reporters
from pi05_ros.training.runs.beginning import begin_checkpoint
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.measured import keep_measured, wait_for_measured, with_measured
from pi05_ros.training.runs.processes import Processes, opened_processes
from pi05_ros.training.runs.records import Reporter
from pi05_ros.training.runs.trainer import Trainer
from pi05_ros.training.validation.validation import Validation


def train(recipe: Recipe, out: Path, device: str = "auto") -> bool:
    """Train in a folder, or go on there.

    Ctrl-C ends the run after the present step, with a state from which the same call goes on; a
    second one ends it at once.

    Args:
        recipe: The run.
        out: Folder of the run.
        device: "auto", "cpu" or "cuda".

    Returns:
        True if the run is complete, False if it was stopped.

    Raises:
        Pi05Error: The recipe, its data or the folder cannot be used, or the loss diverged.
    """
    run = RunFolder(out)
    with ExitStack() as stack:
        processes = stack.enter_context(opened_processes(device))
        check_division(recipe, processes.count)
        check_paths(recipe)
        if processes.is_first:
            stack.enter_context(run.locked())
            run.begin(recipe, _facts(processes))
        processes.barrier()
        terminal = TerminalReporter(recipe.batch.size)
        report = terminal.print if processes.is_first else lambda _: None
        if not processes.is_first:
            wait_for_measured(run)
        settled, begun = with_measured(run, recipe, begin_checkpoint(recipe))
        report(f"model: from {begun.source}")
        decoded = terminal.on_decoded if processes.is_first else None
        prepared = prepare(settled, begun, CacheFolder(), report, decoded)
        if processes.is_first:
            keep_measured(run, prepared.checkpoint)
        model = prepared.checkpoint.model.to(processes.device)
        config = model.config
        for name, share in prepared.shares.items():
            report(f"source {name}: share {share:.4f}")
        if processes.is_first:
            run.keep_data(data_of(prepared.sources))
            run.add_facts({"fast": [use.as_json() for use in prepared.fast]})
        samples = Samples(
            recipe, prepared.sources, prepared.mixture, config.horizon, config.action_dim
        )
        validation = Validation(prepared, recipe) if prepared.validation else None
        trainer = Trainer(
            recipe,
            dataclasses.replace(prepared.checkpoint, model=model),
            samples,
            prepared.sources,
            run,
            processes,
            _reporters(recipe, run, terminal, prepared) if processes.is_first else Reporters(()),
            validation,
        )
        stack.enter_context(_ends_on_interrupt(trainer))
        return trainer.run()


def _reporters(
    recipe: Recipe, run: RunFolder, terminal: TerminalReporter, prepared: Prepared
) -> Reporter:
    return Reporters(
        (
            terminal,
            TensorBoardReporter(run.path / "tensorboard", recipe.batch.size),
            PageReporter(run, recipe, prepared.shares),
        )
    )


@contextmanager
def _ends_on_interrupt(trainer: Trainer) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM end the run after the present step."""

    def stop(number: int, frame: FrameType | None) -> None:
        trainer.stop()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _facts(processes: Processes) -> dict[str, object]:
    """Return what ran, for run.json."""
    return {
        "suite": _suite_version(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processes": processes.count,
        "device": str(processes.device),
    }


def _suite_version() -> str:
    try:
        return importlib.metadata.version("pi05_ros")
    except importlib.metadata.PackageNotFoundError:
        return "checkout"
