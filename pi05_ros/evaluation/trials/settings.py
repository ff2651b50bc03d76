"""Settings of an evaluation, and the list of trials that follows from them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pi05_ros.checkpoints.shipped import named_checkpoint, shipped_checkpoints, valid_names
from pi05_ros.chunking.settings import AUTO
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.evaluation.trials.external import ORACLE
from pi05_ros.evaluation.trials.modes import MODES
from pi05_ros.evaluation.trials.tasks import TrialTask
from pi05_ros.sim.homes.difficulty import Difficulty

BRAINS = ("model", "expert", "random")
_RANDOM_PRESET = "smoke"  # Size of a random model.
# A trial goes on for so long after the last point, or after its task has ended [s].
SETTLE_S = 1.0
_STREAM = 0x6576616C  # "eval": random numbers of their own.


class EvaluationError(Pi05Error):
    """Nothing can be evaluated as asked: what was wanted, what was found, and what to do."""


@dataclass(frozen=True)
class Weights:
    """The weights of a trial."""

    checkpoint: str  # A folder, a shipped name, `random:…`, or empty: a brain without weights.
    digest: str = ""  # SHA-256 of its manifest; empty: it has none.


@dataclass(frozen=True)
class EvaluationSettings:
    """What is evaluated. Equal settings give equal results. Times are simulated."""

    tasks: tuple[TrialTask, ...]
    homes: tuple[int, ...]  # Seeds.
    modes: tuple[str, ...] = ("full",)  # Of MODES.
    brain: str = "model"  # One of BRAINS.
    weights: tuple[Weights, ...] = (Weights(""),)
    platform: str = "mobile_18dof"  # Name, or path of a YAML file.
    seed: int = 0  # Of the first trial of each combination; the others follow.
    repeats: int = 1  # Trials of each combination.
    planner: str = ""  # Of mode external: FILE:NAME, or one of `external.REGISTERED`.
    ros: bool = False  # Through the graph of nodes.
    difficulty: str = "ideal"  # Of the homes; see `sim.homes.difficulty`.
    chunk_mode: str = AUTO  # One of CHUNK_MODES, or AUTO.
    delay: float = 0.1  # From an observation to what follows from it [s]; not with ros.
    interval: float = 0.4  # Between the observations of two chunks, at least [s]; not with ros.

    def __post_init__(self) -> None:
        Difficulty.parse(self.difficulty)
        for name, values in (("tasks", self.tasks), ("homes", self.homes), ("modes", self.modes)):
            if not values:
                raise EvaluationError(f"wanted at least one of {name}")
            if len(set(values)) < len(values):
                raise EvaluationError(f"{name}: one of them is named twice")
        if min(self.homes) < 0:
            raise EvaluationError(f"home {min(self.homes)}: a seed is 0 or more")
        for mode in self.modes:
            if mode not in MODES:
                raise EvaluationError(
                    f"there is no mode '{mode}'{did_you_mean(mode, MODES)} "
                    f"(valid: {', '.join(MODES)})"
                )
        if self.brain not in BRAINS:
            raise EvaluationError(
                f"there is no brain '{self.brain}'{did_you_mean(self.brain, BRAINS)} "
                f"(valid: {', '.join(BRAINS)})"
            )
        if self.brain == "expert" and not {"full", "human"} >= set(self.modes):
            raise EvaluationError(
                "the expert acts on its own subtasks: evaluate it in the mode full (human is the "
                "same), and the others with --brain model"
            )
        if ("external" in self.modes) != bool(self.planner):
            raise EvaluationError(
                "the mode external and --planner FILE:NAME go together: give both or none"
            )
        if self.ros and self.planner and self.planner != ORACLE:
            raise EvaluationError(
                f"through the graph the mode external takes --planner {ORACLE}; "
                f"evaluate '{self.planner}' without --ros"
            )
        if not 0 <= self.delay < math.inf or not 0 < self.interval < math.inf:
            raise EvaluationError("delay: wanted 0 or more [s]; interval: wanted more than 0 [s]")
        if self.repeats < 1 or self.seed < 0:
            raise EvaluationError("wanted 1 episode or more of each, and a seed of 0 or more")
        for task in self.tasks:
            if not 1.0 <= task.seconds <= 86400.0:
                raise EvaluationError(
                    f"seconds: wanted a time from 1 to 86400 s, found {task.seconds:g}"
                )

    def trials(self) -> list[Trial]:
        """Return all trials, homes innermost: a shard has some of each combination."""
        return [
            Trial(task, home, mode, weights, seed)
            for task in self.tasks
            for weights in self.weights
            for mode in self.modes
            for seed in range(self.seed, self.seed + self.repeats)
            for home in self.homes
        ]

    def name_of(self, trial: Trial) -> str:
        """Return the name of a trial, which is also its file's."""
        number = self.weights.index(trial.weights)
        which = f"_checkpoint{number + 1}" if len(self.weights) > 1 else ""
        return f"{trial.task.name}_{trial.mode}{which}_home{trial.home:05d}_seed{trial.seed}"

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EvaluationSettings:
        """Read what `as_json` returned.

        Raises:
            TypeError, KeyError: It is something else.
        """
        given = dict(values)
        given["tasks"] = tuple(TrialTask(**task) for task in given["tasks"])
        given["weights"] = tuple(Weights(**weights) for weights in given["weights"])
        given["homes"], given["modes"] = tuple(given["homes"]), tuple(given["modes"])
        return cls(**given)


@dataclass(frozen=True)
class Trial:
    """One brain, once, on one task in one home."""

    task: TrialTask
    home: int
    mode: str
    weights: Weights
    seed: int

    @property
    def text(self) -> str:
        """What the robot is told: a task may draw its text in the home."""
        return self.task.text_in(self.home)

    @property
    def random_seed(self) -> int:
        """Seed of its random numbers: equal for the modes and weights of a home."""
        words = [_STREAM, self.home, self.seed]
        return int(np.random.SeedSequence(words).generate_state(1)[0]) >> 1


@dataclass(frozen=True)
class Shard:
    """Every `count`-th trial, from the `number`-th on."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse "2/8".

        Raises:
            ValueError: It is no such text.
        """
        number, _, count = text.partition("/")
        shard = cls(int(number), int(count))
        if not 1 <= shard.number <= shard.count:
            raise ValueError(f"wanted I/N with I from 1 to N, found '{text}'")
        return shard

    def of(self, trials: list[Trial]) -> list[Trial]:
        """Return its trials."""
        return trials[self.number - 1 :: self.count]

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


WHOLE = Shard()


@dataclass(frozen=True)
class Machine:
    """How trials are run; it does not change their results on one kind of machine."""

    jobs: int = 1  # Processes.
    ray: str = ""  # "local", or the address of a cluster; empty: processes of this machine.
    device: str = "auto"  # Of the model.
    dtype: str = "auto"
    execution: str = "auto"


ONE_PROCESS = Machine()


@dataclass(frozen=True)
class TrialJob:
    """One trial to run, in whichever process."""

    settings: EvaluationSettings
    machine: Machine
    trial: Trial
    software: str


def default_jobs(device: str) -> int:
    """Return the number of processes: one for each core, or one where a GPU holds the weights."""
    import torch  # Here: the processes of an expert need none.

    on_gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    return 1 if on_gpu else len(os.sched_getaffinity(0))


def weights_of(brain: str, checkpoints: tuple[str, ...], seed: int) -> tuple[Weights, ...]:
    """Return the weights that a command line names.

    Args:
        brain: One of BRAINS.
        checkpoints: See `checkpoints.shipped.named_checkpoint`; (): none is named.
        seed: Of a random model.

    Raises:
        EvaluationError: A checkpoint is missing, or given to a brain without weights.
    """
    if brain != "model":
        if checkpoints:
            raise EvaluationError(f"the brain {brain} takes no --checkpoint")
        return (Weights(f"random:{_RANDOM_PRESET}?seed={seed}" if brain == "random" else ""),)
    if not checkpoints:
        raise EvaluationError(
            f"the brain model needs --checkpoint FOLDER: {valid_names()} (weights drawn at random "
            "also by --brain random)"
        )
    return tuple(_weights(checkpoint) for checkpoint in checkpoints)


def _weights(checkpoint: str) -> Weights:
    named = named_checkpoint(checkpoint)
    folder = named.folder
    if folder is None:
        return Weights(checkpoint)
    if not folder.is_dir():
        raise EvaluationError(f"checkpoint '{checkpoint}' is not a folder; wanted {valid_names()}")
    manifest = folder / "manifest.json"
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""
    # A shipped checkpoint has the same name on each machine; its hash tells versions apart.
    return Weights(named.name if named.name in shipped_checkpoints() else str(folder), digest)
