"""What can be asked of a bring-up: one table for launch arguments and `pi05 up`'s flags."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from pi05_ros.brain.model_options import DTYPES, EXECUTIONS, ModelOptions
from pi05_ros.chunking.settings import AUTO, CHUNK_MODES
from pi05_ros.errors import ConfigError, did_you_mean

LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")
BRAINS = ("model", "expert")
MAX_TASK_LENGTH = 256  # Characters; as ExecuteTask.action says.


def _option(default: Any, description: str, choices: tuple[str, ...] = ()) -> Any:
    """A field that is also a launch argument and a flag."""
    return dataclasses.field(
        default=default, metadata={"description": description, "choices": choices}
    )


@dataclass(frozen=True)
class Option:
    """One row of the table, as text: what a command line shows and takes."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...]  # Empty: any text.
    is_switch: bool  # true or false


@dataclass(frozen=True)
class BringupOptions:
    """What can be asked of a bring-up. The defaults stand here and nowhere else."""

    sim: bool = _option(False, "Run a mock home (MuJoCo) in place of the robot.")
    home: int = _option(0, "Seed of the mock home: its layout, colours, objects and light.")
    brain: str = _option(
        "model",
        "What thinks: the pi0.5 model, or a scripted expert that knows a mock home's state.",
        BRAINS,
    )
    checkpoint: str = _option(
        "", "Folder of the model's weights. Empty: nano size, weights drawn at random."
    )
    device: str = _option(
        ModelOptions.device, "Where the model runs: cpu, cuda, cuda:1, or auto for a GPU if any."
    )
    dtype: str = _option(
        ModelOptions.dtype,
        "Numbers that the model computes in; auto: bfloat16 on a GPU, float32 on a CPU.",
        DTYPES,
    )
    execution: str = _option(
        ModelOptions.execution,
        "How the model's passes run; compiled and graphs are faster and take a minute to start. "
        "auto: graphs on a GPU, eager on a CPU.",
        EXECUTIONS,
    )
    seed: int = _option(
        ModelOptions.seed, "Seed of what the model draws at random: noise and tokens."
    )
    chunk_mode: str = _option(
        AUTO,
        "How action chunks follow each other: sync stands and waits, async switches, rtc and "
        "trained_rtc go on without a seam. auto: trained_rtc where it was taught, else async.",
        (AUTO, *CHUNK_MODES),
    )
    task: str = _option(
        "", 'Task to begin with ("put the dishes in the sink"). Empty: wait for one.'
    )
    separate: bool = _option(
        False, "Run planner and policy in a process each, with weights of their own."
    )
    record: bool = _option(
        False,
        "Record the run as one episode, from when all nodes are active. Else the recorder waits "
        "for start_episode.",
    )
    bags: str = _option("bags", "Folder of the recorded episodes, one bag each.")
    rviz: bool = _option(False, "Open RViz.")
    console: bool = _option(
        False, "Serve the operator's web page, to browsers on this machine; its address is logged."
    )
    console_host: str = _option(
        "127.0.0.1",
        "Address that the web page is served on. Another than loopback needs a secret in the "
        "environment variable PI05_CONSOLE_TOKEN.",
    )
    console_port: int = _option(8805, "Port of the operator's web page; 0: a free one.")
    console_required: bool = _option(
        False,
        "Dead-man switch: the robot holds while no awake browser holds control. Implies console.",
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
        if self.brain == "expert" and not self.sim:
            raise ValueError(
                "brain: the expert reads a mock home's state, which no robot gives; "
                "add sim, or take brain model"
            )
        if self.brain == "expert" and self.checkpoint:
            raise ValueError("checkpoint: the expert has no weights; leave it out")
        goes_on = self.chunk_mode != AUTO and CHUNK_MODES[self.chunk_mode].continuation
        if self.brain == "expert" and goes_on:
            raise ValueError(
                f"chunk_mode: the expert has no flow that {self.chunk_mode} could guide; "
                "take auto, async or sync"
            )
        drawn = self.checkpoint.startswith("random:")  # See inference.model_brain.
        if self.checkpoint and not drawn and not Path(self.checkpoint).expanduser().is_dir():
            raise ValueError(f"checkpoint: '{self.checkpoint}' is not a folder")
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
        if not re.fullmatch(r"/?|/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", self.namespace, re.ASCII):
            raise ValueError(
                f"namespace: '{self.namespace}' is not a ROS name (letters, digits and '_', "
                "parts joined by '/', none beginning with a digit)"
            )

    @property
    def absolute_namespace(self) -> str:
        """The namespace with its leading slash ("/pi05", or "/" for none)."""
        return "/" + self.namespace.strip("/")

    @property
    def logger_level(self) -> str:
        """The log level in the form of `--log-level`: of the suite's loggers, not of DDS's."""
        logger = self.namespace.strip("/").replace("/", ".")
        return f"{logger}:={self.log_level}" if logger else self.log_level

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> BringupOptions:
        """Reads options from text, as they come from a command line.

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


def _parse_value(name: str, kind: type, text: str) -> Any:
    """One value from its text."""
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
    """A default as a command line writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
