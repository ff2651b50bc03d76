"""Follows a run from its task to its end, and sees to it that it never waits in silence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from pi05_ros.cli.demo.rearming import Rearming, Step
from pi05_ros.cli.demo.stall import Stall
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.run_record import RunRecord

_SETTLE_S = 1.0  # Simulated time that is still filmed after the last point [s].
_SPEAKS_S = 5.0  # A mock home that waits says so once a second [wall s].
_ANSWER_S = 10.0  # Patience with the bridge when it is asked to arm [wall s].


class Arms(Protocol):
    """Whoever can ask the bridge to arm: a DemoMonitor."""

    def arm(self, reset: bool) -> Any:
        """Asks, after resetting a fault where `reset`; gives a future of a SetBool.Response."""

    def forget_arm(self, answer: Any) -> None:
        """Gives up waiting for that."""


class Watch:
    """Says, step by step, whether a run is over, and does what keeps it going.

    Args:
        record: What happens.
        seconds: Simulated time that the run may take [s].
        bridge: Who arms it.
        say: Prints a line.
        now: A steady wall clock [s].
    """

    def __init__(
        self,
        record: RunRecord,
        seconds: float,
        bridge: Arms,
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record, self._seconds = record, seconds
        self._bridge, self._say, self._now = bridge, say, now
        self._rearming, self._stall = Rearming(), Stall(now())
        self._answer: Any = None  # Future of the bridge's answer; None: it was not asked.
        self._asked_at = 0.0  # [wall s]
        self._full_since: float | None = None
        self.notice = ""  # Why nothing moves and what the demo does; empty: all is well.

    def step(self) -> str:
        """Looks at the record; called several times a second.

        Returns:
            Why the run is over, as `ended` in summary.json; empty: it is not.

        Raises:
            Pi05Error: It failed; the sentence says why nothing moved and what was tried.
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
            self._stall.step(
                sim_s,
                wall,
                record.simulation_waits_for,
                wall - record.simulation_spoke_s < _SPEAKS_S,
            ),
            self._rearming.step(record.robot, wall, graph),
        )
        for step in steps:
            self._do(step, wall)
        self.notice = next((step.notice for step in steps if step.notice), "")

    def _do(self, step: Step, wall_s: float) -> None:
        for line in step.lines:
            self._say(line)
        if step.failure:
            raise Pi05Error(step.failure)
        if step.arm:
            self._answer, self._asked_at = self._bridge.arm(step.reset), wall_s

    def _take_answer(self, wall_s: float) -> None:
        """Hears the bridge's answer, if it was asked to arm."""
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
        self._say(line)
