"""Follows a run from its task to its end, and reports every wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from pi05_ros.demo.rearming import Rearming, Step
from pi05_ros.demo.stall import StallWatch
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.run_record import RunRecord

_SETTLE_S = 1.0  # Simulated time that is still recorded on video after the last point [s].
_ALIVE_S = 5.0  # A mock home that waits publishes that once a second [wall s].
_ANSWER_S = 10.0  # Longest wait for the answer of the bridge to a call of arm [wall s].


class BridgeClient(Protocol):
    """Client of the bridge's service `arm`: a DemoMonitor."""

    def arm(self, reset: bool) -> Any:
        """Call it, after a reset of the fault if `reset`; a future of a SetBool.Response."""

    def forget_arm(self, answer: Any) -> None:
        """Give up waiting for an answer."""


class RunWatch:
    """Decides, step by step, whether a run is over, and arms the bridge again where it may.

    Attributes:
        notice: Why nothing moves and what the demo does; empty: the run goes on.

    Args:
        record: Events of the run.
        seconds: Simulated time that the run may take [s].
        bridge: Client that arms the bridge.
        on_event: Called with a line for each event.
        now: A steady wall clock [s].
    """

    def __init__(
        self,
        record: RunRecord,
        seconds: float,
        bridge: BridgeClient,
        on_event: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record, self._seconds = record, seconds
        self._bridge, self._on_event, self._now = bridge, on_event, now
        self._rearming, self._stall_watch = Rearming(), StallWatch(now())
        self._answer: Any = None  # Future of the bridge's answer; None: no call is pending.
        self._asked_at = 0.0  # [wall s]
        self._full_since: float | None = None
        self.notice = ""

    def step(self) -> str:
        """Check the record; to be called several times a second.

        Returns:
            Why the run is over, as `ended` in summary.json; empty: it goes on.

        Raises:
            Pi05Error: The run has failed; with why nothing moved and what was tried.
        """
        record, now = self._record, self._record.sim_s
        if record.score.is_full and self._full_since is None:
            self._full_since = now
        if self._full_since is not None and now > self._full_since + _SETTLE_S:
            return "full score"
        if now >= self._seconds:
            if failure := self._rearming.failure_at_limit(record.robot):
                raise Pi05Error(failure)
            return "time"
        if record.outcome:
            return "task done" if record.outcome.done else f"planner: {record.outcome.message}"
        self._keep_going(now)
        return ""

    def _keep_going(self, sim_s: float) -> None:
        wall = self._now()
        self._take_answer(wall)
        record = self._record
        graph = "" if record.graph_state == "active" else record.graph_message
        steps = (
            self._stall_watch.step(
                sim_s,
                wall,
                record.simulation_waits_for,
                wall - record.simulation_reported_s < _ALIVE_S,
            ),
            self._rearming.step(record.robot, wall, graph),
        )
        for step in steps:
            self._apply(step, wall)
        self.notice = next((step.notice for step in steps if step.notice), "")

    def _apply(self, step: Step, wall_s: float) -> None:
        for line in step.lines:
            self._on_event(line)
        if step.failure:
            raise Pi05Error(step.failure)
        if step.arm:
            self._answer, self._asked_at = self._bridge.arm(step.reset), wall_s

    def _take_answer(self, wall_s: float) -> None:
        """Take the answer of the bridge to a call of arm, where there is one."""
        answer = self._answer
        if answer is None:
            return
        if answer.done():
            reply = answer.result()
            line = self._rearming.answered(reply.success, reply.message, wall_s)
        elif wall_s - self._asked_at > _ANSWER_S:
            self._bridge.forget_arm(answer)
            line = self._rearming.answered(False, f"nothing within {_ANSWER_S:.0f} s", wall_s)
        else:
            return
        self._answer = None
        self._on_event(line)
