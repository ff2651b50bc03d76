"""Messages of chunks whose stages have given durations."""

from __future__ import annotations

from builtin_interfaces.msg import Time

from pi05_msgs.msg import ActionChunk, ChunkLedger, RobotState

MS = 1_000_000
S = 1_000_000_000
WALL = 1_790_000_000 * S  # Some time in the year 2026.
SESSION = 77
NAMES = ["left", "right", "torso"]


def time(ns: int) -> Time:
    """Convert nanoseconds to a stamp."""
    return Time(sec=ns // S, nanosec=ns % S)


def chunk(sequence: int, capture_ns: int, flow: float = 0.03) -> ActionChunk:
    """Return a chunk: ingestion 5 ms, transport 2 ms, queue 3 ms, computing 50 ms (rest 10 ms)."""
    ledger = ChunkLedger(
        capture=time(capture_ns),
        ingestion=time(capture_ns + 5 * MS),
        arrival=time(capture_ns + 7 * MS),
        start=time(capture_ns + 10 * MS),
        waited=0.001,
        vision=0.004,
        prefix=0.005,
        flow=flow,
        publication=time(capture_ns + 60 * MS),
    )
    message = ActionChunk(
        session=SESSION,
        sequence=sequence,
        ledger=ledger,
        names=NAMES,
        period=0.02,
        horizon=50,
        data=[0.5] * 150,
        latency=0.06,
    )
    message.header.stamp = time(capture_ns)
    return message


def state(stamp_ns: int, followed: ActionChunk | None, commanded_ns: int = 0) -> RobotState:
    """Return a state that follows a chunk, or none."""
    message = RobotState(session=SESSION, mode=RobotState.MODE_RUNNING, names=NAMES)
    message.measured = message.commanded = [0.1, 0.2, 0.3]
    message.header.stamp = time(stamp_ns)
    if followed is not None:
        message.chunk_sequence = followed.sequence
        message.chunk_stamp = followed.header.stamp
        message.commanded_stamp = time(commanded_ns)
    return message


def run(count: int, begin_ns: int = WALL, lost: tuple[int, ...] = ()) -> list:
    """Return `count` chunks, one in 400 ms, each but the lost followed 15 ms after publication.

    Returns:
        (stamp [ns], message), in order; the states come at 50 Hz and go on for a second.
    """
    messages: list = []
    followed = None
    for k in range(count):
        capture = begin_ns + k * 400 * MS
        made = chunk(k + 1, capture)
        messages.append((capture + 60 * MS, made))
        if k not in lost:
            followed = made
        last = 1000 if k == count - 1 else 400
        for j in range(last // 20):
            now = capture + 75 * MS + j * 20 * MS
            messages.append((now + MS, state(now, followed, now)))
    return messages
