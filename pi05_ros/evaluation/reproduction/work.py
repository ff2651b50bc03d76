"""Steps at a scale, as command lines that run in the folder of the steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Work:
    """One step, ready to run: `./pi05 VERB… --out NAME` in the folder of the steps."""

    name: str
    kind: str  # scenes, collect, train or eval
    verb: tuple[str, ...]  # With its position arguments: ("homes", "collect").
    options: Mapping[str, str | tuple[str, ...]]  # "" is an option without a value.
    amount: int
    unit: str  # Of the amount: "episodes".
    core_seconds: float  # Estimated [s].
    inputs: tuple[str, ...] = ()  # Steps that it uses.
    facts: Mapping[str, Any] = field(default_factory=dict)  # What else counts: the recipe's hash.

    @property
    def settings(self) -> dict[str, Any]:
        """What is done, as JSON types; where and in how many processes does not count."""
        options = json.loads(json.dumps(dict(self.options)))
        return {"verb": " ".join(self.verb), **options, **self.facts}

    def arguments(self, jobs: int) -> list[str]:
        """Return the command line after `./pi05`."""
        words = list(self.verb)
        for key, value in self.options.items():
            for one in (value,) if isinstance(value, str) else value:
                words += [key, one] if one else [key]
        if self.kind != "train":
            words += ["--jobs", str(jobs)]
        return [*words, "--out", self.name]

    def digest(self, inputs: Mapping[str, str]) -> str:
        """Return the hash of its settings and of those of its inputs, 12 hexadecimal digits.

        Args:
            inputs: Name -> digest of each of its inputs.
        """
        used = {name: inputs[name] for name in self.inputs}
        text = json.dumps([self.settings, used], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def digests(steps: Sequence[Work]) -> dict[str, str]:
    """Return the digest of each step, by name; the steps are in their order."""
    found: dict[str, str] = {}
    for work in steps:
        found[work.name] = work.digest(found)
    return found


def plan_digest(steps: Sequence[Work]) -> str:
    """Return one hash of all steps, 12 hexadecimal digits."""
    text = json.dumps(digests(steps), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def all_inputs(steps: Sequence[Work], name: str) -> list[str]:
    """Return every step that a step depends on, directly or not, in their order."""
    by_name = {work.name: work for work in steps}
    needed: set[str] = set()

    def add(one: str) -> None:
        for used in by_name[one].inputs:
            if used not in needed:
                needed.add(used)
                add(used)

    add(name)
    return [work.name for work in steps if work.name in needed]
