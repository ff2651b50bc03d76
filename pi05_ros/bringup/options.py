"""Options of a bring-up: one table for launch arguments and the options of `pi05 up`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pi05_ros.brain.model_options import DTYPES, EXECUTIONS, ModelOptions
from pi05_ros.brain.options import BRAIN_NAMES, DESCRIPTIONS
from pi05_ros.checkpoints.shipped import named_checkpoint, valid_names
from pi05_ros.chunking.settings import AUTO, CHUNK_MODES
from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.sim.homes.difficulty import PRESETS, Difficulty
from pi05_ros.sim.homes.rooms import ROOMS
from pi05_ros.sim.tasks.registry import TASKS, text_in_home

LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")
MAX_TASK_LENGTH = 256  # Characters, as in ExecuteTask.action.


def _option(default: Any, description: str, choices: tuple[str, ...] = ()) -> Any:
    """A field that is also a launch argument and an option of `pi05 up`."""
    return dataclasses.field(
        default=default, metadata={"description": description, "choices": choices}
    )


@dataclass(frozen=True)
class Option:
    """One row of the table, as text for a command line."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...]  # Empty: any text.
    is_switch: bool  # true or false


@dataclass(frozen=True)
class BringupOptions:
    """Options of a bring-up. Their defaults are defined here and nowhere else."""

    sim: bool = _option(False, "Run a mock home (MuJoCo) in place of the robot.")
    home: int = _option(0, "Seed of the mock home: its layout, colours, objects and light.")
    difficulty: str = _option(
        "ideal",
        "Deviations of the mock home's light, cameras and sensors, and distractors: "
        f"{', '.join(PRESETS)}, then changes as in normal,image_noise=0.02.",
    )
    room: str = _option(
        "",
        f"Room of the mock home: {', '.join(ROOMS)}. Empty: the one that the task needs, and a "
        "kitchen without a task.",
    )
    brain: str = _option("model", DESCRIPTIONS["brain"], BRAIN_NAMES)
    checkpoint: str = _option("", DESCRIPTIONS["checkpoint"])
    device: str = _option(ModelOptions.device, DESCRIPTIONS["device"])
    dtype: str = _option(ModelOptions.dtype, DESCRIPTIONS["dtype"], DTYPES)
    execution: str = _option(ModelOptions.execution, DESCRIPTIONS["execution"], EXECUTIONS)
    seed: int = _option(ModelOptions.seed, DESCRIPTIONS["seed"])
    chunk_mode: str = _option(AUTO, DESCRIPTIONS["chunk_mode"], (AUTO, *CHUNK_MODES))
    task: str = _option(
        "",
        "Task to begin with. Empty: wait for one. A mock home accepts the tasks that it scores, "
        "by text or name, and is the room that the task needs: "
        + ", ".join(f'{name} ("{task.text}")' for name, task in TASKS.items())
        + ".",
    )
    separate: bool = _option(
        False, "Run planner and policy in a process each, each with its own copy of the weights."
    )
    teleop: bool = _option(
        False,
        "An operator may drive: leader arms, gamepad or hand poses of the platform's section "
        "`teleop`, and the web page.",
    )
    record: bool = _option(
        False,
        "Record the run as one episode, from the time when all nodes are active. Otherwise the "
        "recorder waits for start_episode.",
    )
    bags: str = _option("bags", "Folder of the recorded episodes, one bag each.")
    rviz: bool = _option(False, "Open RViz.")
    console: bool = _option(
        False, "Serve the operator's web page, to browsers on this machine; its address is logged."
    )
    console_host: str = _option(
        "127.0.0.1",
        "Address that the web page is served on. Any other than loopback needs a secret in the "
        "environment variable PI05_CONSOLE_TOKEN.",
    )
    console_port: int = _option(8805, "Port of the operator's web page; 0: a free one.")
    console_required: bool = _option(
        False,
        "Dead-man switch: the robot holds while no connected browser holds control. Implies "
        "console.",
    )
    namespace: str = _option("pi05", "Namespace of the suite's nodes and topics.")
    log_level: str = _option("info", "Least severe log messages of the suite's nodes.", LOG_LEVELS)
    mock_hardware: bool = _option(
        False, "Dry run: ros2_control with mock components in place of the robot's drivers."
    )

    def __post_init__(self) -> None:
        for option in option_table():
            value = getattr(self, option.name)
            if option.choices and not option.is_switch and value not in option.choices:
                raise ValueError(
                    f"{option.name}: wanted one of {', '.join(option.choices)}, found '{value}'"
                    + did_you_mean(value, option.choices)
                )
        for name in ("home", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: a seed is 0 or more, found {getattr(self, name)}")
        if self.room and self.room not in ROOMS:
            raise ValueError(
                f"room: wanted one of {', '.join(ROOMS)}, found '{self.room}'"
                + did_you_mean(self.room, ROOMS)
            )
        try:
            Difficulty.parse(self.difficulty)
        except ConfigError as error:
            raise ValueError(f"difficulty: {error.problem}") from error
        if self.brain == "expert" and not self.sim:
            raise ValueError(
                "brain: the expert reads a mock home's state, which no robot has; "
                "add sim, or take brain model"
            )
        if self.brain in ("expert", "none") and self.checkpoint:
            raise ValueError(f"checkpoint: brain {self.brain} has no weights; leave it out")
        if self.brain == "none" and not self.teleop:
            raise ValueError(
                "brain: with none only an operator moves the robot; add teleop, or take model"
            )
        continues = self.chunk_mode != AUTO and CHUNK_MODES[self.chunk_mode].continuation
        if self.brain == "expert" and continues:
            raise ValueError(
                f"chunk_mode: the expert has no flow that {self.chunk_mode} could guide; "
                "take auto, async or sync"
            )
        _check_checkpoint(self.checkpoint)
        if self.sim and self.mock_hardware:
            raise ValueError("mock_hardware: sim brings its own controllers; take one of the two")
        if self.console_port > 65535 or self.console_port < 0:
            raise ValueError(f"console_port: wanted 0 to 65535, found {self.console_port}")
        if not self.bags:
            raise ValueError("bags: wanted the path of a folder, found nothing")
        if len(self.task) > MAX_TASK_LENGTH or not (self.task == "" or self.task.isprintable()):
            raise ValueError(
                f"task: wanted one printable line of at most {MAX_TASK_LENGTH} characters"
            )
        if not is_namespace(self.namespace):
            raise ValueError(
                f"namespace: '{self.namespace}' is not a ROS name (letters, digits and '_', "
                "parts joined by '/', none beginning with a digit)"
            )

    @property
    def absolute_namespace(self) -> str:
        """The namespace with its leading slash ("/pi05", or "/" for none)."""
        return "/" + self.namespace.strip("/")

    @property
    def told_task(self) -> str:
        """What the robot is told: in a mock home the text of a task that is given by its name."""
        return text_in_home(self.task, self.home) if self.sim else self.task

    @property
    def logger_level(self) -> str:
        """The value for `--log-level`: the level of the suite's loggers, not of those of DDS."""
        logger = self.namespace.strip("/").replace("/", ".")
        return f"{logger}:={self.log_level}" if logger else self.log_level

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> BringupOptions:
        """Parse options from text, as they come from a command line.

        Args:
            texts: Option name -> value as text; one that is absent takes its default.

        Raises:
            ConfigError: An option is unknown, or its value is not valid.
        """
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if name not in hints:
                raise ConfigError(
                    f"option '{name}'",
                    f"there is none of that name{did_you_mean(name, hints)} "
                    f"(valid: {', '.join(hints)})",
                )
            values[name] = _parse_value(name, hints[name], text)
        try:
            return cls(**values)
        except ValueError as error:
            where, _, problem = str(error).partition(": ")
            raise ConfigError(f"option '{where}'", problem) from error


def is_namespace(text: str) -> bool:
    """Check whether a text is a ROS namespace; the slash at its front may be missing."""
    return bool(re.fullmatch(r"/?|/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", text, re.ASCII))


def option_table() -> tuple[Option, ...]:
    """The options as rows of text, in the order in which help shows them."""
    return tuple(
        Option(
            name=field.name,
            default=_text(field.default),
            description=field.metadata["description"],
            choices=("true", "false") if field.type == "bool" else field.metadata["choices"],
            is_switch=field.type == "bool",
        )
        for field in dataclasses.fields(BringupOptions)
    )


def _check_checkpoint(checkpoint: str) -> None:
    """Raise ValueError if a checkpoint is neither random nor a folder."""
    try:
        folder = named_checkpoint(checkpoint).folder
    except ConfigError as error:
        raise ValueError(f"checkpoint: {error.problem}") from error
    if folder is not None and not folder.is_dir():
        raise ValueError(f"checkpoint: '{checkpoint}' is not a folder; wanted {valid_names()}")


def _parse_value(name: str, kind: type, text: str) -> Any:
    """Parse one value."""
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"option '{name}'", f"wanted true or false, found '{text}'")
        return text.lower() == "true"
    if kind is int:
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
            raise ConfigError(f"option '{name}'", f"wanted a whole number, found '{text}'")
        return int(text)
    return text


def _text(value: Any) -> str:
    """Format a default as on a command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)
