"""Who drives: the policy, or an operator who overrides it and gives the robot back."""

from __future__ import annotations

from collections import Counter

from pi05_ros.control.chunk import AcceptedChunk, ChunkRejected, ControlSource
from pi05_ros.control.gate import ChunkGate
from pi05_ros.control.hold_reasons import HoldReasons
from pi05_ros.control.motion import Motion
from pi05_ros.control.rest import Rest
from pi05_ros.control.teleop_source import TeleopCommand, TeleopSource


class Arbitration:
    """Hands the chunks of the source that drives to the motion.

    Args:
        gate: Tasks of the policy's chunks.
        motion: Executes chunks.
        teleop: The operator's source.
        rest: Learns when the robot is given back.
        holds: Health of both sources.
        counts: Takes the numbers of chunks by result.
    """

    def __init__(
        self,
        gate: ChunkGate,
        motion: Motion,
        teleop: TeleopSource,
        rest: Rest,
        holds: HoldReasons,
        counts: Counter[str],
    ) -> None:
        self._gate, self._motion, self._teleop = gate, motion, teleop
        self._rest, self._holds, self._counts = rest, holds, counts
        # Newest chunk of the policy that an operator overrides; None: none.
        self._overridden: AcceptedChunk | None = None

    def drop(self) -> None:
        """Forget the policy's chunk: it must not continue when the robot is given back."""
        self._overridden = None

    def follow_subtask(self, subtask_id: int, task: str, text: str) -> None:
        """Take the planner's subtask and drop the policy's chunks of another task."""
        self._gate.follow_subtask(subtask_id, task, text)
        allows = self._gate.tasks.allows
        if self._overridden is not None and not allows(self._overridden.subtask_id):
            self._overridden = None
        running = self._motion.chunk
        if running is None or running.source is ControlSource.TELEOP:
            return
        if not allows(running.subtask_id):
            self._motion.clear()

    def use_policy(self, chunk: AcceptedChunk, armed: bool) -> None:
        """Execute a chunk of the policy, or keep it while an operator drives."""
        if not armed or not self._holds.policy.healthy:
            self._counts["chunks_unused"] += 1
        elif self._teleop.engaged:
            self._counts["chunks_overridden"] += 1
            self._overridden = chunk
        else:
            self._counts["chunks_accepted"] += 1
            self._counts["values_clamped"] += chunk.clamped
            self._counts["rows_too_old"] += chunk.too_old
            self._motion.replace(chunk)

    def add_teleop(
        self, command: TeleopCommand, epoch: int, armed: bool, now_ns: int, steady_ns: int
    ) -> None:
        """Take a message of the node teleop: change who drives, and execute its chunk.

        Raises:
            ChunkRejected: Its chunk breaks a rule. Who drives has changed nevertheless.
        """
        was_engaged = self._teleop.engaged
        try:
            chunk = self._teleop.add(command, epoch, now_ns, steady_ns)
        except ChunkRejected as error:
            self._counts[f"teleop_rejected_{error.rule}"] += 1
            raise
        finally:
            if self._teleop.engaged and not was_engaged:
                self._take_over()
            elif was_engaged and not self._teleop.engaged:
                self._give_back(now_ns)
        if chunk is None:
            return
        if not armed or not self._holds.healthy:
            self._counts["teleop_unused"] += 1
            return
        self._counts["teleop_accepted"] += 1
        self._counts["values_clamped"] += chunk.clamped
        self._motion.replace(chunk)

    def tick(self) -> None:
        """Process one tick: a hold ends chunks, also one that waits for the return."""
        if not self._holds.policy.healthy:
            self._overridden = None

    def _take_over(self) -> None:
        """Begin to override the policy, and keep its running chunk for the return."""
        self._counts["takeovers"] += 1
        self._overridden = self._motion.chunk

    def _give_back(self, now_ns: int) -> None:
        """Continue with the newest chunk of the policy; without one, brake."""
        chunk, self._overridden = self._overridden, None
        self._rest.on_release(now_ns)
        if chunk is not None:
            self._motion.replace(chunk)
        else:
            self._motion.clear()
