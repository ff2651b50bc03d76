"""adopted.yaml in a bag's folder: a recording of another stack read as episodes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pi05_ros.data.bags.facts import OUTCOMES, BagError, EpisodeFacts
from pi05_ros.data.bags.metadata import dump
from pi05_ros.data.bags.sink import write_atomically

ADOPTED = "adopted.yaml"
_VERSION = 1
_KEYS = {"version", "facts", "episodes", "mapping"}


@dataclass(frozen=True)
class AdoptedSpan:
    """One episode of an adopted bag: the rows from `start_ns` to before `stop_ns`, log time."""

    id: str
    start_ns: int
    stop_ns: int
    task: str = ""
    outcome: str = ""  # That of the recording or of the mapping, one of OUTCOMES.
    graded: str = ""  # Given afterwards, and valid instead; "": none was.

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("an episode needs an id")
        if not self.start_ns < self.stop_ns:
            raise ValueError(f"{self.id}: wanted start_ns before stop_ns")
        if self.outcome not in OUTCOMES or self.graded not in OUTCOMES:
            raise ValueError(f"{self.id}: outcome: wanted success, failure or ''")


@dataclass(frozen=True)
class AdoptedFile:
    """Content of adopted.yaml."""

    facts: EpisodeFacts  # Of the bag; each episode has its own id, task and outcome.
    spans: tuple[AdoptedSpan, ...]  # In the order of time.
    mapping: Mapping[str, Any]  # As in the mapping file.

    def facts_of(self, span: AdoptedSpan) -> EpisodeFacts:
        """The facts of one episode."""
        return dataclasses.replace(
            self.facts,
            id=span.id,
            task=span.task,
            outcome=span.graded or span.outcome,
            started_ns=span.start_ns,
        )

    def with_grades_of(self, older: AdoptedFile) -> AdoptedFile:
        """Take over the grades that episodes of the same span have in an older file."""
        grades = {(span.start_ns, span.stop_ns): span.graded for span in older.spans}
        spans = tuple(
            dataclasses.replace(span, graded=grades.get((span.start_ns, span.stop_ns), ""))
            for span in self.spans
        )
        outcome = (spans[0].graded if len(spans) == 1 else "") or self.facts.outcome
        facts = dataclasses.replace(self.facts, outcome=outcome)
        return dataclasses.replace(self, facts=facts, spans=spans)

    def to_yaml(self) -> str:
        """The text of the file."""
        return dump(
            {
                "version": _VERSION,
                "facts": self.facts.to_custom_data(),
                "episodes": [dataclasses.asdict(span) for span in self.spans],
                "mapping": dict(self.mapping),
            }
        )


def read_adopted(folder: Path) -> AdoptedFile | None:
    """Read adopted.yaml; None: the folder has none.

    Raises:
        BagError: The file is broken.
    """
    path = folder / ADOPTED
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _broken(path, f"it cannot be read ({type(error).__name__})") from error
    if not isinstance(content, dict) or set(content) != _KEYS:
        found = ", ".join(map(str, content)) if isinstance(content, dict) else "no keys"
        raise _broken(path, f"wanted the keys {', '.join(sorted(_KEYS))}, found {found}")
    if content["version"] != _VERSION:
        raise _broken(path, f"wanted version {_VERSION}, found {content['version']!r}")
    try:
        facts = EpisodeFacts.from_custom_data(content["facts"], str(path))
        spans = tuple(AdoptedSpan(**span) for span in content["episodes"])
        if not spans or not isinstance(content["mapping"], dict):
            raise ValueError("wanted at least one episode, and a mapping")
        return AdoptedFile(facts, spans, content["mapping"])
    except (TypeError, ValueError) as error:
        raise _broken(path, str(error)) from error


def write_adopted(folder: Path, adopted: AdoptedFile) -> Path:
    """Write adopted.yaml, atomically.

    Raises:
        BagError: The folder cannot be written to.
    """
    path = folder / ADOPTED
    try:
        write_atomically(path, adopted.to_yaml())
    except OSError as error:
        raise BagError(
            f"{path} cannot be written ({error.strerror}); --out FOLDER keeps it elsewhere, with "
            "links to the bag's files"
        ) from error
    return path


def _broken(path: Path, why: str) -> BagError:
    return BagError(f"{path}: {why}; `./pi05 bags adopt` writes it again")
