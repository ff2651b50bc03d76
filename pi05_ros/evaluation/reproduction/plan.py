"""A plan: the steps from mock homes to a checkpoint and its points, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pi05_ros.errors import ConfigError, Pi05Error, did_you_mean
from pi05_ros.evaluation.collection.scenes import ALL
from pi05_ros.foundation.based_yaml import read_based
from pi05_ros.foundation.resources import resource_path
from pi05_ros.foundation.strict_yaml import from_mapping

_PLATFORM = "mobile_18dof"
WEIGHTS = ("best", "last")  # Of a training run; a reference "STEP" is "STEP/best".


class PlanError(Pi05Error):
    """A plan cannot be run as asked: what was wanted, what was found, and what to do."""


@dataclass(frozen=True)
class ScenesStep:
    """`./pi05 homes scenes`."""

    homes: str  # "1000-4999"
    platform: str = _PLATFORM
    room: str = ALL
    sets: int = 8  # Sets of pictures of each home.
    difficulty: str = "ideal"
    cameras: str = ""  # Separated by commas; "": all.
    seed: int = 0


@dataclass(frozen=True)
class CollectStep:
    """`./pi05 homes collect`."""

    homes: str
    episodes: int = 1  # In each home.
    platform: str = _PLATFORM
    task: str = "dishes"
    noise: float = 0.0
    wrong_chunks: float = 0.0
    other_tasks: float = 0.0
    restarts: bool = False
    visited: str = ""  # Training step whose weights drive for spans.
    verbal: str = ""  # Training step whose weights act under spoken subtasks.
    picture_rate: float = 0.0  # [Hz]; 0: the cameras' own rate.
    max_seconds: float = 120.0  # Simulated [s].
    difficulty: str = "ideal"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise ValueError(f"episodes {self.episodes} is below 1")


@dataclass(frozen=True)
class TrainStep:
    """`./pi05 train`."""

    recipe: str  # Name in config/recipes, or a YAML file.
    steps: int
    init: str = ""  # Training step whose weights it begins from; "": weights drawn at random.
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # Source -> steps.
    settings: tuple[str, ...] = ()  # Other keys of the recipe, as "batch.size=16".

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps {self.steps} is below 1")


@dataclass(frozen=True)
class EvalStep:
    """`./pi05 eval`, without videos."""

    homes: str
    checkpoint: str = ""  # Training step that is evaluated; "" for brains without weights.
    task: str = "dishes"  # Names joined by commas, or the text of a task.
    mode: str = "full"
    planner: str = ""  # Of the mode external: one of `trials.external.REGISTERED`.
    brain: str = "model"
    platform: str = _PLATFORM
    difficulty: str = "ideal"
    seconds: float = 0.0  # Longest trial, simulated [s]; 0: that of the task.
    seed: int = 0


@dataclass(frozen=True)
class Step:
    """One step: exactly one of the four."""

    scenes: ScenesStep | None = None
    collect: CollectStep | None = None
    train: TrainStep | None = None
    eval: EvalStep | None = None

    def __post_init__(self) -> None:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"wanted one of {', '.join(KINDS)}, found {' and '.join(given) or 'none'}"
            )

    @property
    def kind(self) -> str:
        """Name of the verb: scenes, collect, train or eval."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    def uses(self) -> dict[str, tuple[str, ...]]:
        """Return the steps that it needs, each with the kinds that it may be of."""
        weights: tuple[str, ...] = ()
        data: dict[str, None] = {}  # Keys in order.
        if self.collect is not None:
            weights = (self.collect.visited, self.collect.verbal)
        elif self.train is not None:
            weights = (self.train.init,)
            data = {name: None for names in self.train.paths.values() for name in names}
        elif self.eval is not None:
            weights = (self.eval.checkpoint,)
        found: dict[str, tuple[str, ...]] = {step_of(one): ("train",) for one in weights if one}
        return found | dict.fromkeys(data, ("scenes", "collect"))


KINDS = ("scenes", "collect", "train", "eval")


@dataclass(frozen=True)
class Costs:
    """What one unit costs, for estimates only [s of one core]."""

    scene_set: float = 0.035  # A set of pictures of a static scene.
    episode: float = 5.0
    visited_episode: float = 10.0  # With weights that drive, for spans or all the time.
    sample: float = 0.05  # Forward, backward and its share of validation.
    trial: float = 40.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0.0:
                raise ValueError(f"{name} {value} is not above 0")


@dataclass(frozen=True)
class Plan:
    """Named steps."""

    name: str
    steps: Mapping[str, Step]
    description: str = ""
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        for name, step in self.steps.items():
            if not name.replace("_", "").isalnum() or not name.isascii():
                raise ValueError(f"steps: '{name}' is not a name of letters, digits and _")
            for used, kinds in step.uses().items():
                if used not in self.steps:
                    near = did_you_mean(used, self.steps)
                    raise ValueError(f"steps: {name}: there is no step '{used}'{near}")
                if self.steps[used].kind not in kinds:
                    raise ValueError(
                        f"steps: {name}: '{used}' is a step {self.steps[used].kind}, wanted "
                        f"{' or '.join(kinds)}"
                    )
        self.order()

    def order(self) -> tuple[str, ...]:
        """Return the names of the steps, each after those that it uses, else as written.

        Raises:
            ValueError: Steps use each other in a circle.
        """
        done: dict[str, None] = {}

        def add(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                raise ValueError(f"steps: a circle: {' -> '.join((*above, name))}")
            if name not in done:
                for used in self.steps[name].uses():
                    add(used, (*above, name))
                done[name] = None

        for name in self.steps:
            add(name, ())
        return tuple(done)


def step_of(reference: str) -> str:
    """Return the step of a reference to weights, "posttrain" or "posttrain/last"."""
    return reference.partition("/")[0]


def weights_path(reference: str) -> str:
    """Return the folder of weights of a reference, relative to the folder of the steps.

    Raises:
        PlanError: It names other weights than `best` and `last`.
    """
    step, _, which = reference.partition("/")
    which = which or WEIGHTS[0]
    if which not in WEIGHTS:
        raise PlanError(f"'{reference}': wanted STEP, or STEP/{' or STEP/'.join(WEIGHTS)}")
    return f"{step}/{which}"


def plan_names() -> tuple[str, ...]:
    """Names of the plans in config/plans."""
    return tuple(sorted(path.stem for path in resource_path("config/plans").glob("*.yaml")))


def load_plan(reference: str) -> Plan:
    """Load a plan by its name in config/plans, or from a file.

    A file may have `base:`, a plan whose keys it replaces; a step that is null is left out.

    Raises:
        ConfigError: There is no such plan, or a key or value is not valid.
    """
    content = read_based(_path_of(reference), "Plan", _path_of)
    steps = content.get("steps")
    if isinstance(steps, Mapping):
        content["steps"] = {name: step for name, step in steps.items() if step is not None}
    return from_mapping(Plan, content, f"plan '{reference}'")


def _path_of(reference: str) -> Path:
    if "/" in reference or reference.endswith((".yaml", ".yml")):
        return Path(reference).expanduser()
    names = plan_names()
    if reference not in names:
        raise ConfigError(
            f"plan '{reference}'",
            f"there is none of that name{did_you_mean(reference, names)} (valid: "
            f"{', '.join(names)}; or the path of a YAML file)",
        )
    return resource_path(f"config/plans/{reference}.yaml")
