"""Resumable states: weights, average and optimiser, by torch.distributed.checkpoint.

A state saved by some number of processes can be read by another number.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor

from pi05_ros.checkpoints.storage.files import sync
from pi05_ros.errors import Pi05Error
from pi05_ros.training.runs.processes import Processes

_FILE = "state.json"


class StateError(Pi05Error):
    """A state that cannot be read: it is cut, of another run, or of another model."""


def save_state(
    target: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], processes: Processes
) -> None:
    """Write a state; `target` appears when it is complete on the disk. Called by all processes.

    Raises:
        StateError: It cannot be written, as on a full disk; nothing is left of it.

    Args:
        target: A folder that does not exist.
        tensors: By name; the same names in every process.
        facts: JSON beside them: the step, the recipe's hash, counts.
        processes: Of the run.
    """
    temporary = target.with_name(f".{target.name}.unfinished")
    if processes.is_first:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    processes.barrier()
    try:
        _quiet(dcp.save, dict(tensors), checkpoint_id=str(temporary))
    except (dcp.CheckpointException, OSError, RuntimeError) as error:
        if processes.is_first:
            shutil.rmtree(temporary, ignore_errors=True)
        raise StateError(f"{target}: cannot be written: {_reason(error)}") from error
    processes.barrier()
    if processes.is_first:
        sizes = {path.name: path.stat().st_size for path in temporary.iterdir()}
        content = {**facts, "names": sorted(tensors), "files": sizes}
        (temporary / _FILE).write_text(json.dumps(content))
        for path in (*temporary.iterdir(), temporary):
            sync(path)
        temporary.rename(target)
        sync(target.parent)
    processes.barrier()


def read_facts(folder: Path) -> dict[str, Any]:
    """Read the facts of a state and check that its files are whole.

    Raises:
        StateError: A file is missing or has another size.
    """
    try:
        content: dict[str, Any] = json.loads((folder / _FILE).read_text())
        files: dict[str, int] = content["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(f"{folder / _FILE}: not the file of a whole state ({error})") from error
    for name, size in files.items():
        path = folder / name
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            raise StateError(
                f"{path}: wanted {size} bytes, found {'no file' if found is None else found}"
            )
    return content


def load_state(folder: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read a state into tensors of the same names and shapes. Called by all processes.

    Returns:
        The facts.

    Raises:
        StateError: It is not whole, or has other tensors.
    """
    facts = read_facts(folder)
    missing = sorted(set(tensors) - set(facts["names"]))
    unknown = sorted(set(facts["names"]) - set(tensors))
    if missing or unknown:
        which = f"'{missing[0]}' is missing" if missing else f"'{unknown[0]}' is not the model's"
        raise StateError(f"{folder}: is of another model: {which}")
    try:
        _quiet(dcp.load, dict(tensors), checkpoint_id=str(folder))
    except (dcp.CheckpointException, ValueError, RuntimeError) as error:
        raise StateError(f"{folder}: cannot be read: {error}") from error
    return facts


def _reason(error: BaseException) -> str:
    """Return the first reason of an error of DCP, whose text has a traceback for each process."""
    if isinstance(error, dcp.CheckpointException):
        for failure in error.failures.values():
            return str(failure[0])
    return str(error)


def _quiet(function: Any, *arguments: Any, **named: Any) -> None:
    """Call a function of DCP without its warning that there is one process."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("ignore", category=UserWarning, module="torch.distributed")
        function(*arguments, **named)
