"""The checks of an adopted bag: its topics are its mapping's, and its rows are made of them."""

from __future__ import annotations

import numpy as np

from pi05_ros.data.bags.adopted_file import ADOPTED, AdoptedFile
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.checks.expectations import Expected
from pi05_ros.data.checks.findings import CheckSettings, EpisodeFinding, Severity
from pi05_ros.data.checks.vectors import VectorSeries
from pi05_ros.data.episodes.episode import MODE_RUNNING
from pi05_ros.data.episodes.rows import label_of_row
from pi05_ros.data.foreign.episode import AdoptedEpisode
from pi05_ros.data.foreign.mapping import mapping_of
from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import Platform


def adopted_topics(adopted: AdoptedFile) -> dict[str, Expected]:
    """List the topics that the mapping names; see `expected_topics`.

    Topics of the state and cameras are needed throughout; commands may be silent.
    """
    try:
        mapping = mapping_of(adopted.mapping, ADOPTED)
    except Pi05Error:
        return {}  # `adopted_findings` reports it.
    wanted = {topic: Expected(None, False) for topic in sorted(mapping.topics())}
    for kind, _, source in mapping.sources():
        if kind == "state" and source.when_old is None:
            wanted[source.topic] = Expected(None, True)
    for camera in mapping.cameras:
        wanted[camera.topic] = Expected(None, True)
    return wanted


def adopted_findings(
    reader: BagReader, adopted: AdoptedFile, platform: Platform | None, settings: CheckSettings
) -> list[EpisodeFinding]:
    """Read the rows of an adopted bag's episodes and list the findings.

    Args:
        reader: The open bag.
        adopted: Its adopted.yaml.
        platform: The robot; None: not known.
        settings: The limits.
    """
    found: list[EpisodeFinding] = []
    for number, span in enumerate(adopted.spans):
        try:
            episode = AdoptedEpisode(reader.path, number, reader=reader)
            found += _rows_of(episode, platform, settings)
        except Pi05Error as error:
            found.append(EpisodeFinding(Severity.ERROR, span.id, str(error)))
    return found


def _rows_of(
    episode: AdoptedEpisode, platform: Platform | None, settings: CheckSettings
) -> list[EpisodeFinding]:
    running, labels = episode.modes == MODE_RUNNING, label_of_row(episode)
    series = VectorSeries()
    series.layouts[episode.facts.names] = len(episode)
    series.rows, series.running = list(episode.states), running.tolist()
    series.labelled = (labels >= 0).tolist()
    series.not_finite = int((~np.isfinite(episode.states).all(axis=1)).sum())
    for row in np.flatnonzero(running):
        source = episode.labels[labels[row]].source if labels[row] >= 0 else ""
        series.sources[source] += 1
    return series.findings(episode.facts.id, platform, settings)
