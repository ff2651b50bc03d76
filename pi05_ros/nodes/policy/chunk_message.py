"""From a chunk to its message, with the ledger of where its time went."""

from __future__ import annotations

from pi05_msgs.msg import ActionChunk, ChunkLedger
from pi05_ros.brain.interface import ChunkPrediction
from pi05_ros.brain.observation_buffer import Pictures
from pi05_ros.chunking.scheduler import ChunkRelease, ChunkRequest
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.platforms.platform import Platform


def chunk_message(
    platform: Platform,
    request: ChunkRequest,
    release: ChunkRelease,
    ledger: ChunkLedger,
    published_ns: int,
) -> ActionChunk:
    """The message of a chunk.

    Args:
        platform: Its robot.
        request: What it was computed for.
        release: How it is published.
        ledger: Where its time went; publication is filled in here.
        published_ns: Now [ns].
    """
    ledger.publication = ns_to_time(published_ns)
    message = ActionChunk(
        session=request.session,
        epoch=request.epoch,
        sequence=release.sequence,
        subtask_id=request.subtask.id,
        start=ns_to_time(release.start_ns),
        names=list(platform.names),
        period=platform.period,
        horizon=len(release.actions),
        data=float_array(release.actions, "f"),
        committed=release.committed,
        ledger=ledger,
        latency=max(0.0, (published_ns - request.stamp_ns) * 1e-9),
    )
    message.header.stamp = ns_to_time(request.stamp_ns)
    message.header.frame_id = platform.base_frame
    return message


def chunk_ledger(pictures: Pictures, started_ns: int, prediction: ChunkPrediction) -> ChunkLedger:
    """Where the time of a prediction went; durations are 0 where the brain does not say.

    Args:
        pictures: What it was computed from.
        started_ns: When the brain was asked [ns].
        prediction: Its answer.
    """
    ledger = ChunkLedger(
        capture=ns_to_time(pictures.stamp_ns),
        ingestion=ns_to_time(pictures.published_ns),
        arrival=ns_to_time(pictures.arrival_ns),
        start=ns_to_time(started_ns),
    )
    times = prediction.times
    if times is not None:
        ledger.waited, ledger.vision = times.waited, times.vision
        ledger.prefix, ledger.flow = times.prefix, times.generation
    return ledger
