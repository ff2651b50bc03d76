"""Points of the rows of a table, with intervals and paired differences over homes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pi05_ros.evaluation.trials.statistics import (
    Estimate,
    difference_on_homes,
    estimate,
    share_of_homes,
)

from .paper import Row
from .stored import ResultsError

Results = Mapping[str, Mapping[str, Any]]  # Stored results by plan.
Shares = dict[int, list[float]]  # Home -> share of the points of each trial.
ALL_TASKS = "mean of the tasks"
FIRST = "pick up … first"  # Kind of the criterion that the right thing was chosen.


@dataclass(frozen=True)
class Cell:
    """One variant on one task."""

    row: Row
    task: str
    shares: Mapping[str, Shares]  # By task; several for the mean of tasks.
    trials: int

    @property
    def points(self) -> Estimate:
        """Share of the points; over several tasks homes are resampled within each."""
        if len(self.shares) == 1:
            (shares,) = self.shares.values()
            return share_of_homes(shares)
        means = [np.array([np.mean(s[home]) for home in sorted(s)]) for s in self.shares.values()]
        return estimate(means)

    def minus(self, other: Cell) -> Estimate | None:
        """Return the mean difference to another variant, on the tasks and homes of both.

        None: they have none in common.
        """
        tasks = [task for task in self.shares if task in other.shares]
        return difference_on_homes(_by_home(self.shares, tasks), _by_home(other.shares, tasks))


def evaluations_of(
    results: Results, row: Row, platform: str, wanted: Callable[[str], bool]
) -> list[Mapping[str, Any]]:
    """Return the stored evaluations of a row that have trials of its mode.

    Args:
        results: Stored results.
        row: The row.
        platform: The robot.
        wanted: Whether a task belongs to the table.

    Raises:
        ResultsError: They are of several checkpoints, or a trial is there twice.
    """
    found, trials = [], Counter[tuple[Any, ...]]()
    for one in results[row.plan]["evaluations"] if row.plan in results else ():
        own = [_key(trial) for trial in one["trials"] if _belongs(trial, row, wanted)]
        if own and one["brain"] == row.brain and one["platform"] == platform:
            found.append(one)
            trials.update(own)
    hashes = {one["checkpoint"]["hash"] for one in found if one["checkpoint"] is not None}
    names = ", ".join(one["step"] for one in found)
    if len(hashes) > 1:
        raise ResultsError(
            f"{row.plan}: the evaluations {names} have trials of '{row.label}' with different "
            "checkpoints: keep those of one in its file"
        )
    double = next((key for key, count in trials.items() if count > 1), None)
    if double is not None:
        raise ResultsError(f"{row.plan}: {names}: the trial {double} is there twice")
    return found


def _belongs(trial: Mapping[str, Any], row: Row, wanted: Callable[[str], bool]) -> bool:
    return trial["mode"] == row.mode and wanted(trial["task"])


def _key(trial: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(trial[name] for name in ("task", "mode", "home", "seed"))


def cells_of(
    results: Results,
    rows: Sequence[Row],
    platform: str,
    wanted: Callable[[str], bool],
    share: Callable[[Mapping[str, Any]], float],
    with_mean: bool = True,
) -> list[Cell]:
    """Return the cells of all rows that have results: by task, then the mean of several tasks.

    Args:
        results: Stored results.
        rows: Of the table.
        platform: The robot.
        wanted: Whether a task belongs to it.
        share: Share of the points of a trial.
        with_mean: Whether rows with several tasks have a cell for their mean.
    """
    found = []
    for row in rows:
        by_task: dict[str, Shares] = defaultdict(lambda: defaultdict(list))
        for one in evaluations_of(results, row, platform, wanted):
            for trial in one["trials"]:
                if _belongs(trial, row, wanted):
                    by_task[trial["task"]][trial["home"]].append(share(trial))
        counts = {task: sum(map(len, shares.values())) for task, shares in by_task.items()}
        found += [Cell(row, task, {task: s}, counts[task]) for task, s in by_task.items()]
        if with_mean and len(by_task) > 1:
            found.append(Cell(row, ALL_TASKS, by_task, sum(counts.values())))
    return found


def points_share(trial: Mapping[str, Any]) -> float:
    """Return the share of the points of a trial, 0 to 1."""
    return trial["points"] / trial["max_points"] if trial["max_points"] > 0 else 0.0


def first_share(trial: Mapping[str, Any]) -> float:
    """Return 1 if the first thing that was picked up is the named one, else 0."""
    points, most = trial["criteria"][FIRST]
    return points / most


def _by_home(shares: Mapping[str, Shares], tasks: Collection[str]) -> Shares:
    """Return the shares of all these tasks by home."""
    found: Shares = defaultdict(list)
    for task in tasks:
        for home, values in shares[task].items():
            found[home] += values
    return found
