"""Acceptance of chunks by session, epoch, task, age and order."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.control.chunk import Chunk, ChunkRejected
from pi05_ros.control.old_text import OldText


class TaskGate:
    """Rejects chunks of an earlier task.

    Subtask ids rise within one run of the planner. When the task changes, chunks for earlier
    subtasks are void; without a subtask every chunk is. Without a planner no chunk is void.
    """

    def __init__(self) -> None:
        self._first = 0  # The first subtask id whose chunks may be executed.
        self._newest = 0
        self._task: str | None = None

    @property
    def idle(self) -> bool:
        """True if the planner has published an empty subtask."""
        return self._first > self._newest > 0

    def follow(self, subtask_id: int, task: str, text: str) -> None:
        """Take a Subtask: its id, its task and its text (empty: nothing to do)."""
        started_anew = subtask_id < self._newest
        if not text:
            self._first = subtask_id + 1
        elif task != self._task or started_anew:
            self._first = subtask_id
        self._newest, self._task = subtask_id, task

    def allows(self, subtask_id: int) -> bool:
        """Check whether a chunk for this subtask may be executed."""
        return subtask_id >= self._first


@dataclass
class ChunkGate:
    """Checks the origin of a chunk and that each chunk is newer than the last.

    Attributes:
        session: Chunks of another session are rejected.
        max_age: A chunk from an older observation is rejected [s].
        max_lead_s: A chunk stamped further in the future is rejected [s].
        period: Period of the ticks [s].
        origin: What chunks are computed from, in the texts of rejections.
    """

    session: int
    max_age: float
    max_lead_s: float
    period: float = 0.02
    origin: str = "observation"

    def __post_init__(self) -> None:
        self.tasks = TaskGate()
        self.texts = OldText(self.max_age, self.period)
        self._newest = (0, 0)  # (stamp_ns, sequence) of the newest chunk of this epoch.

    def clear(self) -> None:
        """Begin a new epoch: forget the newest chunk."""
        self._newest = (0, 0)

    def check(self, chunk: Chunk, epoch: int, now_ns: int) -> None:
        """Raise ChunkRejected for a chunk of another session, epoch, task or time."""
        if chunk.session != self.session:
            raise ChunkRejected(
                "session",
                f"its session is {chunk.session}, the bridge is in session {self.session}",
            )
        if chunk.epoch != epoch:
            raise ChunkRejected(
                "epoch", f"its epoch is {chunk.epoch}, the current epoch is {epoch}"
            )
        if not self.tasks.allows(chunk.subtask_id):
            raise ChunkRejected(
                "task", f"its subtask {chunk.subtask_id} belongs to an earlier task"
            )
        if self.texts.is_over(chunk.subtask_id, now_ns):
            raise ChunkRejected(
                "subtask",
                f"its subtask {chunk.subtask_id} was replaced more than the delay of a chunk ago",
            )
        age = (now_ns - chunk.stamp_ns) * 1e-9
        if age > self.max_age:
            raise ChunkRejected(
                "age",
                f"its {self.origin} is {age:.2f} s old, the limit is {self.max_age:g} s",
            )
        if age < -self.max_lead_s:
            raise ChunkRejected(
                "future", f"its {self.origin} is stamped {-age:.2f} s in the future"
            )
        start = (chunk.start_ns - chunk.stamp_ns) * 1e-9
        if not 0.0 <= start <= age + self.max_lead_s:
            raise ChunkRejected(
                "start",
                f"row 0 is due {start:.2f} s after its {self.origin}, wanted 0 s to now",
            )
        # By stamp first: a restarted policy numbers its chunks from 1 again.
        if (chunk.stamp_ns, chunk.sequence) <= self._newest:
            raise ChunkRejected(
                "sequence", f"chunk {chunk.sequence} is not newer than chunk {self._newest[1]}"
            )

    def follow_subtask(self, subtask_id: int, task: str, text: str) -> None:
        """Take a Subtask: its id, its task and its text (empty: nothing to do)."""
        self.tasks.follow(subtask_id, task, text)
        self.texts.follow(subtask_id, text)

    def accepted(self, chunk: Chunk, now_ns: int) -> None:
        """Record the newest accepted chunk and its delay."""
        self._newest = (chunk.stamp_ns, chunk.sequence)
        self.texts.add_delay((now_ns - chunk.stamp_ns) * 1e-9)
