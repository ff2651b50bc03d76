"""Setting the outcome of a recorded episode."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from pi05_ros.data.bags.adopted_file import ADOPTED, AdoptedFile, read_adopted, write_adopted
from pi05_ros.data.bags.facts import OUTCOMES, BagError, EpisodeFacts, describes_episode
from pi05_ros.data.bags.metadata import FILE, dump, read
from pi05_ros.data.bags.reader import check_closed
from pi05_ros.data.bags.sink import write_atomically


def grade(folder: Path, outcome: str, notes: str = "") -> EpisodeFacts:
    """Change the outcome in a bag's metadata.yaml and nothing else in the bag.

    The record at the head of the bag's files keeps the facts known at the start; readers use
    metadata.yaml.

    Args:
        folder: The bag's folder.
        outcome: "success", "failure", or "" for not graded.
        notes: A line that is added to the notes; "": none.

    Returns:
        The facts after the change.

    Raises:
        BagError: There is no such bag, it was not closed, or it is no episode of the suite.
    """
    if outcome not in OUTCOMES:
        raise BagError(f"outcome: wanted success or failure, not {outcome!r}")
    if not folder.is_dir():
        raise BagError(f"there is no bag {folder}: wanted its folder")
    check_closed(folder)
    custom = read(folder).custom_data
    adopted = None if describes_episode(custom) else read_adopted(folder)
    if adopted is not None:
        return _grade_adopted(folder, adopted, outcome, notes)
    if not describes_episode(custom):
        raise BagError(f"{folder} is no episode of the suite: its {FILE} has no facts of one")
    facts = _graded(EpisodeFacts.from_custom_data(custom, str(folder)), outcome, notes)
    # Edited as loaded YAML, so that unknown keys are kept.
    document: dict[str, Any] = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
    (information,) = document.values()
    information["custom_data"].update(facts.to_custom_data())
    try:
        write_atomically(folder / FILE, dump(document))
    except OSError as error:
        raise BagError(f"{folder} could not be graded ({error.strerror})") from error
    return facts


def _graded(facts: EpisodeFacts, outcome: str, notes: str) -> EpisodeFacts:
    joined = "\n".join(part for part in (facts.notes, notes) if part)
    return dataclasses.replace(facts, outcome=outcome, notes=joined)


def _grade_adopted(folder: Path, adopted: AdoptedFile, outcome: str, notes: str) -> EpisodeFacts:
    """Change the outcome in adopted.yaml: the bag has no facts of its own."""
    if len(adopted.spans) > 1:
        raise BagError(
            f"{folder} holds {len(adopted.spans)} episodes: write `graded` of each into its "
            f"{ADOPTED}, or name an `outcome_topic` in the mapping and adopt it again"
        )
    facts = _graded(adopted.facts, outcome, notes)
    span = dataclasses.replace(adopted.spans[0], graded=outcome)
    write_adopted(folder, dataclasses.replace(adopted, facts=facts, spans=(span,)))
    return facts
