"""Reasons for an armed robot with healthy inputs to be at rest: no row to execute."""

from __future__ import annotations

from pi05_ros.control.chunk import ControlSource
from pi05_ros.control.gate import ChunkGate
from pi05_ros.control.motion import Motion
from pi05_ros.control.settings import BridgeSettings


class Rest:
    """Drops a chunk whose text is over, and says why no chunk is executed.

    Args:
        gate: Tasks and texts of the chunks.
        motion: Executes the chunks.
        settings: Thresholds.
    """

    def __init__(self, gate: ChunkGate, motion: Motion, settings: BridgeSettings) -> None:
        self._gate, self._motion, self._settings = gate, motion, settings
        # When the last chunk was dropped because its text was over; None: another end, or none.
        self._text_ended_ns: int | None = None
        # When an operator gave the robot back; None: the policy has driven since, or nobody did.
        self._released_ns: int | None = None
        self._policy_has_run = False  # Since the robot was armed.

    def clear(self) -> None:
        """Begin anew, when the robot is armed."""
        self._text_ended_ns = self._released_ns = None
        self._policy_has_run = False

    def on_release(self, now_ns: int) -> None:
        """Take note that an operator gave the robot back."""
        self._released_ns = now_ns

    def on_policy_row(self) -> None:
        """Take note that a row of the policy is executed."""
        self._released_ns, self._policy_has_run = None, True

    def tick(self, now_ns: int) -> None:
        """Drop the running chunk if it is of an earlier text whose time has ended."""
        running = self._motion.chunk
        if running is None or running.source is ControlSource.TELEOP:
            return
        is_over = self._gate.texts.is_over(running.subtask_id, now_ns)
        self._text_ended_ns = now_ns if is_over else None
        if is_over:
            self._motion.clear()

    @property
    def reason(self) -> str:
        """Reason for having no chunk to execute, as one clause."""
        if self._gate.tasks.idle:
            return "nothing to do"
        if self._text_ended_ns is not None:
            return "the subtask has changed, waiting for its first chunk"
        if self._released_ns is not None:
            return "an operator gave the robot back, waiting for a chunk"
        if not self._motion.has_run:
            return "armed, waiting for a chunk"
        if (last := self._motion.chunk) is not None and last.too_old:
            age_s = self._settings.max_execution_age_s
            return (
                f"the last chunk's observation is {age_s:g} s old and no new chunk arrived: check "
                "the policy"
            )
        return "the last chunk has ended and no new one arrived"

    def is_expected(self, now_ns: int) -> bool:
        """Check whether the rest is no fault: no task, no chunk yet, or a change of subtask.

        The first chunk of a new subtask may take as long as a chunk may be late.
        """
        if self._text_ended_ns is not None:
            waited_s = (now_ns - self._text_ended_ns) * 1e-9
            if waited_s <= self._settings.chunk_max_age_s:
                return True
        if self._released_ns is not None:
            waited_s = (now_ns - self._released_ns) * 1e-9
            if waited_s <= self._settings.chunk_max_age_s or not self._policy_has_run:
                return True
        return not self._motion.has_run or self._gate.tasks.idle
