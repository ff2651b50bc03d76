"""Messages of the recorder's state."""

from __future__ import annotations

from collections.abc import Sequence

from builtin_interfaces.msg import Time

from pi05_msgs.msg import Episode, RecordedTopic, Recording
from pi05_ros.nodes.common.conversions import ns_to_time, seconds_to_duration
from pi05_ros.recording.episodes import EpisodeStatus
from pi05_ros.recording.tallies import TopicReport


def episode_message(status: EpisodeStatus, now: Time, notice: str) -> Episode:
    """Build a message of the topic `episode`.

    Args:
        status: Status of the episode.
        now: Stamp.
        notice: Further information for operators, beside `status.message`; empty: none.
    """
    facts = status.facts
    message = Episode(
        state=int(status.state),
        outcome=status.outcome,
        path=status.path,
        start=ns_to_time(status.start_ns),
        duration=seconds_to_duration(status.duration_ns * 1e-9),
        message_count=status.message_count,
        byte_count=status.byte_count,
        message="; ".join(filter(None, (status.message, notice))),
    )
    message.header.stamp = now
    if facts is not None:
        message.id, message.task, message.notes = facts.id, facts.task, facts.notes
        message.operator_name, message.home = facts.operator_name, facts.home
    return message


def recording_message(
    name: str,
    topics: Sequence[TopicReport],
    now: Time,
    *,
    queue_bytes: int,
    write_rate: float,
    free_bytes: int,
) -> Recording:
    """Build a message of the topic `recording`; see Recording.msg."""
    message = Recording(
        id=name,
        topics=[
            RecordedTopic(
                name=topic.name,
                type=topic.type,
                rate=topic.rate,
                message_count=topic.message_count,
                byte_count=topic.byte_count,
                lost=topic.lost,
                dropped=topic.dropped,
                problem=topic.problem,
            )
            for topic in topics
        ],
        queue_bytes=queue_bytes,
        write_rate=write_rate,
        free_bytes=free_bytes,
    )
    message.header.stamp = now
    return message
