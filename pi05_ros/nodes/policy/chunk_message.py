"""Message of a chunk, with its latency ledger."""

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
    """Build the message of a chunk.

    Args:
        platform: The robot.
        request: Request that it answers.
        release: Rows, start and sequence number to publish.
        ledger: Latency ledger; the time of publication is set here.
        published_ns: Time of publication [ns].
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
    """Build the latency ledger of a prediction; unknown durations are 0.

    Args:
        pictures: Pictures of the observation.
        started_ns: Start of inference [ns].
        prediction: The prediction.
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
