"""Status of the run as a JSON object, for web pages and tools without ROS messages."""

from __future__ import annotations

import json
import math
from collections import deque
from typing import Any

from pi05_ros.data.episodes.episode import (
    MODE_DISARMED,
    MODE_FAULTED,
    MODE_HOLDING,
    MODE_RUNNING,
    MODE_STOPPED,
)
from pi05_ros.inspection.driver import CONTROL_NAMES
from pi05_ros.inspection.facts import (
    ChunkFacts,
    DecisionFacts,
    StateFacts,
    SubtaskFacts,
    TeleopFacts,
)

MODE_NAMES = {
    MODE_RUNNING: "running",
    MODE_HOLDING: "holding",
    MODE_DISARMED: "disarmed",
    MODE_FAULTED: "faulted",
    MODE_STOPPED: "stopped",
}
_WINDOW_NS = 5_000_000_000


class StampRate:
    """Rate of stamps over the last 5 s."""

    def __init__(self) -> None:
        self._stamps: deque[int] = deque()

    def add(self, stamp_ns: int) -> None:
        """Add a stamp [ns]; one that is not newer than the last is ignored."""
        if not self._stamps or stamp_ns > self._stamps[-1]:
            self._stamps.append(stamp_ns)
            self._forget(stamp_ns)

    def at(self, now_ns: int) -> float:
        """Return the rate at a time [ns] in Hz; 0 with fewer than two recent stamps."""
        self._forget(now_ns)
        if len(self._stamps) < 2:
            return 0.0
        return (len(self._stamps) - 1) / ((self._stamps[-1] - self._stamps[0]) * 1e-9)

    def _forget(self, now_ns: int) -> None:
        while self._stamps and self._stamps[0] < now_ns - _WINDOW_NS:
            self._stamps.popleft()


class StatusBoard:
    """Keeps the newest input of each kind. Keys and units: docs/design/inspector.md."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Discard all inputs."""
        self._subtask: SubtaskFacts | None = None
        self._decision: DecisionFacts | None = None
        self._state: StateFacts | None = None
        self._chunk: ChunkFacts | None = None
        self._teleop: tuple[TeleopFacts, int] | None = None
        self._rates = {
            name: StampRate() for name in ("robot_state", "action_chunk", "plan_decision")
        }

    def add_subtask(self, subtask: SubtaskFacts) -> None:
        """Store the planner's subtask."""
        self._subtask = subtask

    def add_decision(self, decision: DecisionFacts) -> None:
        """Store the planner's decision."""
        self._decision = decision
        self._rates["plan_decision"].add(decision.stamp_ns)

    def add_state(self, state: StateFacts) -> None:
        """Store the control bridge's robot state."""
        self._state = state
        self._rates["robot_state"].add(state.stamp_ns)

    def add_teleop(self, teleop: TeleopFacts, now_ns: int) -> None:
        """Store what the node teleop says."""
        self._teleop = (teleop, now_ns)

    def add_chunk(self, chunk: ChunkFacts) -> None:
        """Store the policy's chunk."""
        self._chunk = chunk
        self._rates["action_chunk"].add(chunk.stamp_ns)

    def as_json(self, now_ns: int) -> str:
        """Return the status as JSON without NaN; inputs not received are null."""
        return json.dumps(self.as_dict(now_ns), ensure_ascii=False, allow_nan=False)

    def as_dict(self, now_ns: int) -> dict[str, Any]:
        """Return the status as a dict of JSON-compatible values."""
        subtask, decision, state, chunk = self._subtask, self._decision, self._state, self._chunk

        def age(stamp_ns: int) -> float:
            return round((now_ns - stamp_ns) * 1e-9, 3)

        return {
            "stamp_s": round(now_ns * 1e-9, 3),
            "task": None if subtask is None else subtask.task,
            "subtask": subtask
            and {
                "id": subtask.id,
                "text": subtask.text,
                "source": subtask.source,
                "score": _number(subtask.score),
                "boxes": len(subtask.boxes),
                "model_text": subtask.model_text,
                "age_s": age(subtask.stamp_ns),
                "latency_s": _number(subtask.latency),
            },
            "decision": decision
            and {
                "trigger": decision.trigger,
                "outcome": decision.outcome,
                "answer": decision.answer,
                "reason": decision.reason,
                "age_s": age(decision.stamp_ns),
            },
            "robot": state
            and {
                "mode": MODE_NAMES.get(state.mode, "unknown"),
                "reason": state.reason,
                "control": CONTROL_NAMES.get(state.control_source, "none"),
                "age_s": age(state.stamp_ns),
            },
            "teleop": self._teleop
            and {
                "state": self._teleop[0].state,
                "device": self._teleop[0].device,
                "reason": self._teleop[0].reason,
                "alignment_error": _number(self._teleop[0].error),
                "age_s": age(self._teleop[1]),
            },
            "chunk": chunk
            and {
                "sequence": chunk.sequence,
                "subtask_id": chunk.subtask_id,
                "rows": len(chunk.actions),
                "committed": chunk.committed,
                "age_s": age(chunk.stamp_ns),
                "latency_s": _number(chunk.latency),
            },
            "executed": state
            and {"sequence": state.chunk_sequence, "row": _number(state.chunk_row)},
            "rates_hz": {name: round(rate.at(now_ns), 2) for name, rate in self._rates.items()},
        }


def _number(value: float) -> float | None:
    """Round a finite number for JSON; None for NaN and infinity."""
    return round(float(value), 4) if math.isfinite(value) else None
