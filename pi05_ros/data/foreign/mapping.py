"""The mapping of a foreign recording: which field of which topic is which entry, by rate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pi05_ros.brain.label_text import label_problem
from pi05_ros.errors import Pi05Error
from pi05_ros.foundation.strict_yaml import from_mapping, load_yaml

MAX_RATE_HZ = 1000.0
# Factors from the unit of a recorded number to the unit of an entry.
_FACTORS = {
    ("deg", "rad"): math.pi / 180,
    ("rad", "deg"): 180 / math.pi,
    ("deg/s", "rad/s"): math.pi / 180,
    ("rad/s", "deg/s"): 180 / math.pi,
    ("rpm", "rad/s"): 2 * math.pi / 60,
    ("mm", "m"): 1e-3,
    ("cm", "m"): 1e-2,
    ("mm/s", "m/s"): 1e-3,
    ("cm/s", "m/s"): 1e-2,
    ("km/h", "m/s"): 1 / 3.6,
    ("%", ""): 1e-2,
}
_UNITLESS = ("-", "–", "1")  # Ways to write that a number has no unit.


class ForeignBagError(Pi05Error):
    """A foreign recording does not fit its mapping: topic and key, wanted, found, what to do.

    Args:
        where: The bag or the mapping's file.
        problems: One sentence each.
    """

    def __init__(self, where: Path | str, problems: Sequence[str]) -> None:
        self.where, self.problems = str(where), tuple(problems)
        lines = problems if len(problems) == 1 else [f"\n  {one}" for one in problems]
        super().__init__(f"{where}: {''.join(lines)}")


@dataclass(frozen=True)
class Source:
    """Field of a topic that one entry of the state or the action is read from.

    The value is `scale` × (the number in the entry's unit) + `offset`, then clipped.
    """

    topic: str
    joint: str = ""  # JointState, JointTrajectory: the joint's name in the messages.
    # JointState, JointTrajectory: position (default), velocity, effort (trajectory: acceleration,
    # too). Other types: path of a number ("linear.x", "data", "pose.position.z", "data[3]").
    field: str = ""
    point: Literal["first", "last"] = "first"  # JointTrajectory: which of its points.
    index: int | None = None  # MultiArray: index in `data`.
    axis: int | None = None  # Joy: index in `axes`.
    button: int | None = None  # Joy: index in `buttons`.
    unit: str | None = None  # Of the recorded number ("deg"); None: that of the entry.
    scale: float = 1.0
    offset: float = 0.0  # In the entry's unit.
    clip: tuple[float, float] | None = None  # Lower and upper bound, in the entry's unit.
    # Value between two messages: that of the one before, or on the line between both.
    interpolation: Literal["hold", "linear"] = "hold"
    max_age_s: float | None = (
        None  # Age from which a value is no longer used [s]; None: mapping's.
    )
    when_old: float | None = None  # Value used instead of an old one; None: there is no value.

    def __post_init__(self) -> None:
        if not self.topic.startswith("/"):
            raise ValueError(f"topic: wanted a full name that begins with '/', not {self.topic!r}")
        for name in ("index", "axis", "button"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name}: wanted 0 or above, found {value}")
        ways = ("index", "axis", "button")
        given = [name for name in ways if getattr(self, name) is not None]
        given += [name for name in ("joint", "field") if getattr(self, name)]
        if len(given) > 1 and given != ["joint", "field"]:
            raise ValueError(f"wanted one way to find the number, found {', '.join(given)}")
        if self.clip is not None and not self.clip[0] < self.clip[1]:
            raise ValueError(f"clip: wanted a lower bound below the upper one, found {self.clip}")
        if self.scale == 0:
            raise ValueError("scale: wanted a number other than 0, which would hide every value")
        if self.max_age_s is not None and not self.max_age_s > 0:
            raise ValueError(f"max_age_s: wanted a time above 0 s, found {self.max_age_s}")

    @property
    def pick(self) -> Source:
        """The same field as recorded, without what is done with its number."""
        return Source(
            self.topic, self.joint, self.field, self.point, self.index, self.axis, self.button
        )


@dataclass(frozen=True)
class Entry:
    """One entry of the vectors. It is in the state, in the action, or in both."""

    name: str
    unit: str = ""  # "rad", "m", "m/s", "rad/s"; "": none.
    state: Source | None = None
    action: Source | None = None
    next_state: bool = False  # The action is the state of the next row: nothing was recorded.

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name: wanted a name")
        if self.next_state and (self.action is not None or self.state is None):
            raise ValueError(
                f"entry '{self.name}': next_state makes the action of the state: wanted `state` "
                "and no `action`"
            )
        if self.state is None and self.action is None:
            raise ValueError(f"entry '{self.name}': wanted `state`, `action`, or both")
        for kind, source in (("state", self.state), ("action", self.action)):
            if source is not None and factor(source.unit, self.unit) is None:
                raise ValueError(
                    f"entry '{self.name}': {kind}: unit: no factor from {source.unit!r} to "
                    f"{self.unit!r} is known; leave `unit` out and write `scale`"
                )

    @property
    def has_action(self) -> bool:
        """Whether the entry is in the action."""
        return self.action is not None or self.next_state


@dataclass(frozen=True)
class CameraSource:
    """Topic of a camera's pictures (Image or CompressedImage)."""

    name: str
    topic: str
    rotate: Literal[0, 90, 180, 270] = 0  # Clockwise turn that makes the pictures upright [deg].

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name: wanted a name")
        if not self.topic.startswith("/"):
            raise ValueError(f"topic: wanted a full name that begins with '/', not {self.topic!r}")


@dataclass(frozen=True)
class Split:
    """Division of a bag into episodes."""

    by: Literal["whole", "topic", "gaps"] = "whole"
    # Bool: an episode lasts while it is true. String: while its text stays the same; "" is none.
    topic: str = ""
    gap_s: float = 1.0  # Silence that separates two episodes [s], by: gaps.
    min_s: float = 1.0  # Shorter episodes are left out [s].

    def __post_init__(self) -> None:
        if (self.by == "topic") != bool(self.topic):
            raise ValueError("split: wanted `topic` with `by: topic`, and only then")
        if not self.gap_s > 0 or not self.min_s >= 0:
            raise ValueError("split: wanted gap_s above 0 s and min_s not below 0 s")


@dataclass(frozen=True)
class ForeignMapping:
    """How a foreign recording becomes episodes."""

    robot: str  # Name of the platform, of the suite or a name of your own.
    rate_hz: float  # Of the rows [Hz].
    entries: tuple[Entry, ...]
    cameras: tuple[CameraSource, ...] = ()
    task: str = ""  # Task of every episode.
    task_topic: str = ""  # String: the task, instead.
    subtask: str = ""  # Subtask of every row.
    subtask_topic: str = ""  # String: the subtask, instead; "" ends one.
    subtask_source: Literal["human", "external", "model"] = "human"
    outcome: Literal["", "success", "failure"] = ""  # Of every episode; "": not graded.
    outcome_topic: str = ""  # Bool or String ("success", "failure"): the last message counts.
    control_source: Literal["teleop", "policy"] = "teleop"  # Whose actions they are.
    max_age_s: float = 0.1  # Age from which a value is no longer used [s].
    log_time: tuple[str, ...] = ()  # Topics whose header stamps are ignored.
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        if not self.robot:
            raise ValueError("robot: wanted a name")
        if not 0 < self.rate_hz <= MAX_RATE_HZ:
            raise ValueError(f"rate_hz: wanted above 0 and at most {MAX_RATE_HZ:g} Hz")
        if not self.max_age_s > 0:
            raise ValueError(f"max_age_s: wanted a time above 0 s, found {self.max_age_s}")
        if not self.state_names or not self.action_names:
            missing = "state" if not self.state_names else "action"
            raise ValueError(
                f"entries: wanted at least one with `{missing}`"
                + (" or `next_state: true`" if missing == "action" else "")
            )
        for what, names in (
            ("entries", [entry.name for entry in self.entries]),
            ("cameras", [camera.name for camera in self.cameras]),
            ("cameras' topics", [camera.topic for camera in self.cameras]),
        ):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ValueError(f"{what}: '{twice[0]}' stands twice")
        for one, other in (
            ("task", "task_topic"),
            ("subtask", "subtask_topic"),
            ("outcome", "outcome_topic"),
        ):
            if getattr(self, one) and getattr(self, other):
                raise ValueError(f"wanted `{one}` or `{other}`, found both")
        problem = label_problem(self.subtask) if self.subtask else ""
        if problem:
            raise ValueError(f"subtask: {problem}")
        if all(s.when_old is not None for kind, _, s in self.sources() if kind == "state"):
            raise ValueError("entries: wanted a state without `when_old`: it says when rows exist")
        unused = set(self.log_time) - self.topics()
        if unused:
            raise ValueError(f"log_time: '{sorted(unused)[0]}' is no topic of the mapping")

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the state's entries."""
        return tuple(entry.name for entry in self.entries if entry.state is not None)

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the action's entries."""
        return tuple(entry.name for entry in self.entries if entry.has_action)

    def sources(self) -> Iterator[tuple[str, Entry, Source]]:
        """Yield "state" or "action", the entry, and its field."""
        for entry in self.entries:
            if entry.state is not None:
                yield "state", entry, entry.state
            if entry.action is not None:
                yield "action", entry, entry.action

    def text_topics(self) -> dict[str, str]:
        """Key of the mapping -> topic of its messages, for those that are set."""
        topics = {
            "task_topic": self.task_topic,
            "subtask_topic": self.subtask_topic,
            "outcome_topic": self.outcome_topic,
            "split: topic": self.split.topic,
        }
        return {key: topic for key, topic in topics.items() if topic}

    def topics(self) -> set[str]:
        """All topics of the mapping."""
        return (
            {source.topic for _, _, source in self.sources()}
            | {camera.topic for camera in self.cameras}
            | set(self.text_topics().values())
        )


def factor(recorded: str | None, wanted: str) -> float | None:
    """Factor from the unit of a recorded number to that of its entry; None: not known."""
    if recorded is None:
        return 1.0
    one, other = ("" if unit in _UNITLESS else unit for unit in (recorded, wanted))
    return 1.0 if one == other else _FACTORS.get((one, other))


def load_mapping(path: Path) -> ForeignMapping:
    """Read a mapping file.

    Raises:
        ConfigError: It is missing, is not YAML, or has unknown or contradictory keys.
    """
    return load_yaml(path, ForeignMapping)


def mapping_of(content: Mapping[str, Any], where: str) -> ForeignMapping:
    """Check the content of a mapping file; see `load_mapping`."""
    return from_mapping(ForeignMapping, content, where)
