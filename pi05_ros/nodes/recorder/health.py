"""Health of the recorder for /diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.nodes.common.health import ERROR, OK, WARN, Health
from pi05_ros.recording.disk import in_bytes
from pi05_ros.recording.episodes import EpisodeStatus, RecorderState
from pi05_ros.recording.tallies import UNKNOWN, TopicReport


def idle_health(status: EpisodeStatus, folder: str, space_problem: str, notice: str) -> Health:
    """Return the health while no episode is recorded.

    Args:
        status: Status of the last episode.
        folder: Folder of the bags.
        space_problem: Why no episode can start, one clause; empty: one can.
        notice: Result of recovery.
    """
    values = {"folder": folder}
    if status.state is RecorderState.ERROR:
        return Health(ERROR, f"recording stopped on an error: {status.message}", values)
    if space_problem:
        return Health(WARN, f"no episode can be started: {space_problem}", values)
    idle = "closing the bag" if status.state is RecorderState.CLOSING else "no episode is open"
    return Health(OK, "; ".join(filter(None, (idle, notice))), values)


def recording_health(
    status: EpisodeStatus, topics: Sequence[TopicReport], problems: str, drops: int
) -> Health:
    """Return the health while an episode is recorded, with rate, losses and drops by topic.

    Args:
        status: Status of the episode.
        topics: Reports of its topics.
        problems: Problems of recording; empty: none.
        drops: Messages dropped so far; 0 if none were dropped since the last call.
    """
    values = {}
    for topic in topics:
        lost = "unknown" if topic.lost == UNKNOWN else topic.lost
        said = f"{topic.rate:.1f} Hz, {lost} lost, {topic.dropped} dropped"
        values[topic.name] = f"{said}; {topic.problem}" if topic.problem else said
    level, said = OK, f"{len(topics)} topics, {in_bytes(status.byte_count)}"
    if problems:
        level, said = WARN, problems
    if drops:
        level, said = WARN, f"the disk is too slow: {drops} messages dropped so far"
    name = status.facts.id if status.facts else ""
    return Health(level, f"recording {name}: {said}", values)
