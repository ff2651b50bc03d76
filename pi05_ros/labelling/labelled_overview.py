"""The overview of a bag for `bags list`, with the labels beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.overview import Overview, overview
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.label_spans import LabelFile


@dataclass(frozen=True)
class LabelledOverview:
    """Contents and condition of a bag, and its labels."""

    bag: Overview
    labels: LabelFile | None = None  # None: there are none, or they cannot be used.
    problem: str = ""  # Why they cannot be used; "": they can.

    @property
    def subtasks(self) -> tuple[str, ...]:
        """Texts that a reader of the episode finds, in order, a repeated one once."""
        if self.labels is None:
            return self.bag.subtasks
        texts = [span.text for span in self.labels.spans]
        return tuple(t for n, t in enumerate(texts) if n == 0 or texts[n - 1] != t)

    @property
    def sources(self) -> dict[str, float]:
        """Share of the labelled time by source."""
        if self.labels is None:
            return self.bag.sources
        times: dict[str, int] = {}
        for span in self.labels.spans:
            times[span.source] = times.get(span.source, 0) + span.stop_ns - span.start_ns
        total = sum(times.values())
        return {source: time / total for source, time in times.items()}


def labelled_overview(path: Path) -> LabelledOverview:
    """Inspect a bag and the labels beside it. Damage is not an error: `problem` describes it."""
    found = overview(path)
    if found.facts is None:
        return LabelledOverview(found)
    try:
        labels, _ = label_file.read(label_file.folder_of(path), found.facts)
    except BagError as error:
        return LabelledOverview(found, problem=str(error))
    return LabelledOverview(found, labels)
