"""Says afterwards how an episode went."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from pi05_ros.data.bags.facts import OUTCOMES, BagError, EpisodeFacts, describes_episode
from pi05_ros.data.bags.metadata import FILE, dump, read
from pi05_ros.data.bags.reader import check_closed
from pi05_ros.data.bags.sink import write_atomically


def grade(folder: Path, outcome: str, notes: str = "") -> EpisodeFacts:
    """Changes the outcome in a bag's metadata.yaml, and nothing else in it.

    The record at the head of the bag's files keeps what was known at the start; readers go by
    metadata.yaml.

    Args:
        folder: Of the bag.
        outcome: "success", "failure", or "" for not judged.
        notes: A line that is added to the notes; "": none.

    Returns:
        The facts as they stand now.

    Raises:
        BagError: There is no such bag, it was not closed, or it is no episode of ours.
    """
    if outcome not in OUTCOMES:
        raise BagError(f"outcome: wanted success or failure, not {outcome!r}")
    if not folder.is_dir():
        raise BagError(f"there is no bag {folder}: wanted its folder")
    check_closed(folder)
    custom = read(folder).custom_data
    if not describes_episode(custom):
        raise BagError(f"{folder} is no episode of ours: its {FILE} says nothing of one")
    facts = EpisodeFacts.from_custom_data(custom, str(folder))
    joined = "\n".join(part for part in (facts.notes, notes) if part)
    facts = dataclasses.replace(facts, outcome=outcome, notes=joined)
    # As it stands, so that what we do not know of in it stays.
    document: dict[str, Any] = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
    (information,) = document.values()
    information["custom_data"].update(facts.to_custom_data())
    try:
        write_atomically(folder / FILE, dump(document))
    except OSError as error:
        raise BagError(f"{folder} could not be graded ({error.strerror})") from error
    return facts
