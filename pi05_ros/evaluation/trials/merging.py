"""Shards of an evaluation joined to the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.result import TrialResult
from pi05_ros.evaluation.trials.settings import WHOLE, EvaluationError, EvaluationSettings

_NAMED = 5  # Trials in a message.


def merge(
    parts: Sequence[Path], out: EvaluationFolder
) -> tuple[EvaluationSettings, list[TrialResult]]:
    """Write the results of shards into one folder.

    Args:
        parts: Folders of shards, of any division into shards.
        out: A new or empty folder, or one that was merged from the same settings.

    Returns:
        The settings, and all results in the order of the trials.

    Raises:
        EvaluationError: The settings of two folders differ, or trials are missing or double.
        OSError: The disk is full.
    """
    if not parts:
        raise EvaluationError("merge: wanted at least one folder of a shard")
    folders = [EvaluationFolder(path) for path in parts]
    settings = folders[0].settings()[0]
    for folder in folders[1:]:
        other = folder.settings()[0]
        if other != settings:
            mine, theirs = settings.as_json(), other.as_json()
            key = next(key for key in mine if mine[key] != theirs[key])
            raise EvaluationError(
                f"{folder.path} has other settings than {folders[0].path}: {key} differs; only "
                "shards of one evaluation can be merged"
            )
    found: dict[str, list[tuple[Path, TrialResult]]] = defaultdict(list)
    names = [settings.name_of(trial) for trial in settings.trials()]
    for folder in folders:
        for name in names:
            result = folder.result(name)
            if result is not None:
                found[name].append((folder.path, result))
    double = [name for name, those in found.items() if len(those) > 1]
    if double:
        where = " and ".join(str(path) for path, _ in found[double[0]])
        raise EvaluationError(
            f"{_listed(double)}: in more than one folder ({where}); leave one of them out"
        )
    missing = [name for name in names if name not in found]
    if missing:
        raise EvaluationError(
            f"{_listed(missing)}: in none of the folders; run the missing shard, or go on with "
            "one that was interrupted"
        )
    results = [found[name][0][1] for name in names]
    out.claim(settings, WHOLE)
    with out.exclusive():
        for result in results:
            out.add(result)
    return settings, results


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} trials ({', '.join(names[:_NAMED])}{more})"
