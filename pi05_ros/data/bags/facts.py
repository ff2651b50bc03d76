"""The facts that a bag holds about its episode: task, robot, checkpoint, outcome.

The facts stand in two places. `custom_data` of metadata.yaml is authoritative. The head of every
MCAP file holds the facts known when the file was begun, and a later record holds each update, so
that a file without its metadata.yaml can still be identified.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pi05_ros.errors import Pi05Error

PREFIX = "pi05."  # of the keys in custom_data
RECORD = "pi05_episode"  # name of the MCAP metadata records that hold facts
_ACTIONS = ("action_names", "action_units")  # Keys that only bags with such actions have.
OUTCOMES = ("", "success", "failure")  # values of Episode.OUTCOME_* that a bag can have


class BagError(Pi05Error):
    """A bag cannot be written, read or repaired: which bag, what was found, and what to do."""


@dataclass(frozen=True)
class EpisodeFacts:
    """The facts of one episode. An empty string means "not known" or "not given"."""

    id: str  # unique name, also the folder's
    task: str = ""
    operator_name: str = ""
    home: str = ""  # a house's name or a mock home's seed
    notes: str = ""
    platform: str = ""  # "mobile_18dof"
    names: tuple[str, ...] = ()  # of the state and action vectors' entries, in order
    units: tuple[str, ...] = ()  # their units, as many as names
    rate_hz: float = 0.0  # of the state vectors [Hz]; 0: not known
    cameras: Mapping[str, str] = field(default_factory=dict)  # camera name -> recorded topic
    # camera name -> clockwise turn that makes its recorded pictures upright [deg]; absent: 0
    rotations: Mapping[str, int] = field(default_factory=dict)
    namespace: str = "/pi05"  # of the suite's own topics
    brain: str = ""
    checkpoint: str = ""
    checkpoint_hash: str = ""
    software_version: str = ""
    simulated: bool = False  # log times are a simulator's
    started_ns: int = 0  # when recording began, log time [ns]
    outcome: str = ""  # one of OUTCOMES
    ended: str = ""  # why recording ended; "": by stop_episode
    recovered: str = ""  # "": never; else what recovery did. Trained on only when asked for.
    # Names of the action's entries where they are not the state's, as in some datasets of other
    # tools; (): both vectors have `names`, as on every robot of the suite.
    action_names: tuple[str, ...] = ()
    action_units: tuple[str, ...] = ()  # Of `action_names`, as many; (): not known.

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("an episode needs an id: its name and its folder's")
        if self.outcome not in OUTCOMES:
            raise ValueError(f"outcome: wanted 'success', 'failure' or '', not {self.outcome!r}")
        if self.units and len(self.units) != len(self.names):
            raise ValueError(
                f"units: wanted one for each of {len(self.names)} names, got {len(self.units)}"
            )
        if self.action_units and len(self.action_units) != len(self.action_names):
            raise ValueError(
                f"action_units: wanted one for each of {len(self.action_names)} action_names, got "
                f"{len(self.action_units)}"
            )
        for camera, degrees in self.rotations.items():
            if degrees not in (0, 90, 180, 270):
                raise ValueError(
                    f"rotations: wanted 0, 90, 180 or 270 for '{camera}', got {degrees!r}"
                )
        if not (math.isfinite(self.rate_hz) and self.rate_hz >= 0.0):
            raise ValueError(f"rate_hz: wanted a rate >= 0 [Hz], got {self.rate_hz}")

    @property
    def file_name(self) -> str:
        """The id as a file name: a dataset's author may choose an id that is no valid path."""
        return re.sub(r"[^\w.-]", "_", self.id)

    @property
    def units_of_actions(self) -> tuple[str, ...]:
        """Unit of each of the action's entries; "": not known."""
        if not self.action_names:
            return self.units or ("",) * len(self.names)
        if self.action_units:
            return self.action_units
        known = dict(zip(self.names, self.units, strict=False))
        return tuple(known.get(name, "") for name in self.action_names)

    def to_custom_data(self) -> dict[str, str]:
        """Return text by key ("pi05.task", …); lists and mappings are JSON."""
        return {
            PREFIX + part.name: _text(getattr(self, part.name))
            for part in dataclasses.fields(self)
            if part.name not in _ACTIONS or getattr(self, part.name)
        }

    @classmethod
    def from_custom_data(cls, data: Mapping[str, str], bag: str = "the bag") -> EpisodeFacts:
        """Read the facts from a bag's custom_data; other and unknown keys are ignored.

        Args:
            data: custom_data of metadata.yaml, or an MCAP metadata record.
            bag: The bag's name, for the error.

        Raises:
            BagError: There is no "pi05.id", or a value is not valid.
        """
        values: dict[str, Any] = {}
        for part in dataclasses.fields(cls):
            key = PREFIX + part.name
            if key not in data:
                continue
            try:
                values[part.name] = _value(part.name, data[key])
            except (ValueError, TypeError, AttributeError) as error:
                raise BagError(f"{bag}: {key} is {data[key]!r}: {error}") from error
        if "id" not in values:
            raise BagError(f"{bag} holds no facts of an episode: there is no {PREFIX}id")
        try:
            return cls(**values)
        except ValueError as error:
            raise BagError(f"{bag}: its facts contradict themselves: {error}") from error


def describes_episode(data: Mapping[str, str]) -> bool:
    """Check whether a bag's custom_data holds an episode's facts."""
    return PREFIX + "id" in data


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return json.dumps(list(value), ensure_ascii=False)
    return value if isinstance(value, str) else repr(value)


def _value(name: str, text: str) -> Any:
    if not isinstance(text, str):
        raise TypeError(f"wanted text, got {type(text).__name__}")
    if name in ("names", "units", *_ACTIONS):
        items = json.loads(text)
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError("wanted a JSON list of texts")
        return tuple(items)
    if name == "cameras":
        items = json.loads(text)
        if not isinstance(items, dict) or not all(isinstance(v, str) for v in items.values()):
            raise ValueError("wanted a JSON object of texts")
        return items
    if name == "rotations":
        items = json.loads(text)
        if not isinstance(items, dict) or not all(type(v) is int for v in items.values()):
            raise ValueError("wanted a JSON object of whole numbers [deg]")
        return items
    if name == "simulated":
        if text not in ("true", "false"):
            raise ValueError("wanted true or false")
        return text == "true"
    if name == "rate_hz":
        return float(text)
    if name == "started_ns":
        return int(text)
    return text
