"""Brings managed nodes up in order and keeps them up: the logic, without ROS and without a clock.

`nodes/lifecycle_manager` asks the nodes for their states, tells this class what it hears and
makes the one call that it wants next. Two rules make the order:

* The last node (the control bridge, which moves the robot) is active only while all others are.
  When one of them is not, deactivating the last comes before anything else.
* All nodes are configured as soon as they answer, since loading weights takes long; they are
  activated one after the other, in order.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from pi05_ros.bringup.lifecycle_config import LifecycleConfig


class State(enum.Enum):
    """What is known of a managed node."""

    SILENT = "silent"  # Not up yet, gone, or hung: it does not answer.
    UNCONFIGURED = "unconfigured"
    INACTIVE = "inactive"
    ACTIVE = "active"
    FINALIZED = "finalized"  # Only a new process helps.
    CHANGING = "changing"  # In a transition.


class Transition(enum.Enum):
    """What a managed node can be asked to do."""

    CONFIGURE = "configure"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


class Phase(enum.Enum):
    """How the whole graph stands."""

    STARTING = "starting"  # Coming up for the first time.
    ACTIVE = "active"  # All nodes are active.
    RECOVERING = "recovering"  # Was active; something is being brought back.
    FAILED = "failed"  # A node has refused several times; still trying, ever more slowly.


@dataclass(frozen=True)
class Call:
    """A transition to ask a node for."""

    node: str
    transition: Transition
    limit_s: float  # How long it may take [s].


@dataclass(frozen=True)
class Event:
    """Something worth a line in the log."""

    level: str  # "info", "warn" or "error"
    text: str


_START = {
    Transition.CONFIGURE: State.UNCONFIGURED,
    Transition.ACTIVATE: State.INACTIVE,
    Transition.DEACTIVATE: State.ACTIVE,
}
_GOAL = {
    Transition.CONFIGURE: State.INACTIVE,
    Transition.ACTIVATE: State.ACTIVE,
    Transition.DEACTIVATE: State.INACTIVE,
}


class LifecycleSequence:
    """Decides which transition comes next.

    Times are seconds of any clock that never steps.

    Args:
        names: Managed nodes in the order of activation; the last one moves the robot.
        config: Limits and delays.
        now: Time of the start [s].
    """

    def __init__(self, names: Sequence[str], config: LifecycleConfig, now: float) -> None:
        if not names or len(set(names)) != len(names):
            raise ValueError(f"managed nodes: wanted unique names, found {list(names)}")
        self.config = config
        self._nodes = {name: _Managed(name, since=now) for name in names}
        self._last = names[-1]
        self._pending: Call | None = None
        self._pending_since = now
        self._was_active = False
        self._events: list[Event] = []

    def observe(self, name: str, state: State, asked: float, now: float) -> None:
        """Takes a node's answer to "what is your state?".

        Args:
            name: The node.
            state: Its answer.
            asked: When it was asked [s]; answers from before its last change do not count.
            now: The time [s].
        """
        node = self._nodes[name]
        if asked <= node.changed:
            return
        if self._pending is not None and self._pending.node == name:
            self._observe_pending(self._pending, state, asked, now)
            return
        if state is node.state:
            return
        if node.state is State.ACTIVE:
            self._say("warn", f"{name} was active and is now {state.value}")
        elif node.state is State.SILENT:
            self._say("info", f"{name} answers ({state.value})")
        if state is State.FINALIZED:
            self._say("error", f"{name} is finalized: it must be started anew")
        node.enter(state, now)
        self._note_whether_active(now)

    def silent(self, name: str, now: float) -> None:
        """Notes that a node does not answer, or that its services are gone."""
        node = self._nodes[name]
        pending = self._pending is not None and self._pending.node == name
        if node.state is State.SILENT or pending:
            return
        self._say("warn", f"{name} was {node.state.value} and does not answer any more")
        node.forgive()  # What answers next is a new process, most likely.
        node.enter(State.SILENT, now)

    def gone(self, name: str, now: float) -> None:
        """Notes that a node's services have vanished, even while it was in a transition."""
        if self._pending is not None and self._pending.node == name:
            self._finish(False, now, "it went away")
        self.silent(name, now)

    def finished(self, call: Call, success: bool, now: float) -> None:
        """Takes a node's reply to a call."""
        if self._pending is call:
            self._finish(success, now, "it refused; its own log says why")

    def next_call(self, now: float) -> Call | None:
        """The transition to ask for now, if any. At most one is under way at a time."""
        if self._pending is not None:
            if now - self._pending_since > self._pending.limit_s:
                self._finish(False, now, f"no reply within {self._pending.limit_s:g} s")
            return None
        call = self._choose(now)
        if call is not None:
            self._pending, self._pending_since = call, now
        return call

    def drain_events(self) -> list[Event]:
        """What has happened since the last time."""
        events, self._events = self._events, []
        return events

    @property
    def phase(self) -> Phase:
        """How the whole graph stands."""
        if all(node.state is State.ACTIVE for node in self._nodes.values()):
            return Phase.ACTIVE
        if any(
            node.refusals >= self.config.failed_after or node.state is State.FINALIZED
            for node in self._nodes.values()
        ):
            return Phase.FAILED
        return Phase.RECOVERING if self._was_active else Phase.STARTING

    def states(self) -> dict[str, State]:
        """The state of each node, in order."""
        return {name: node.state for name, node in self._nodes.items()}

    def active_in_reverse(self) -> tuple[str, ...]:
        """What to deactivate when all ends: the last first."""
        return tuple(n for n, node in reversed(self._nodes.items()) if node.state is State.ACTIVE)

    def describe(self, now: float) -> str:
        """In plain words, what stands and what is being waited for."""
        if self.phase is Phase.ACTIVE:
            return f"all {len(self._nodes)} nodes are active"
        if self._pending is not None:
            call, waited = self._pending, now - self._pending_since
            return (
                f"waiting for {call.node} to {call.transition.value} "
                f"({waited:.0f} s, at most {call.limit_s:g} s)"
            )
        waits = [text for node in self._nodes.values() if (text := node.describe(now))]
        return "waiting: " + ", ".join(waits) if waits else "about to go on"

    def _choose(self, now: float) -> Call | None:
        nodes = self._nodes
        last = nodes[self._last]
        if last.state is State.CHANGING:
            return None  # It may still move the robot: what to do depends on how that ends.
        others_active = all(n.state is State.ACTIVE for n in nodes.values() if n is not last)
        if last.state is State.ACTIVE and not others_active:
            return self._call(last, Transition.DEACTIVATE) if now >= last.not_before else None
        for node in nodes.values():
            if node.state is State.UNCONFIGURED and now >= node.not_before:
                return self._call(node, Transition.CONFIGURE)
        for node in nodes.values():
            if node.state is State.INACTIVE and now >= node.not_before:
                return self._call(node, Transition.ACTIVATE)
            if node.state is not State.ACTIVE:
                return None
        return None

    def _call(self, node: _Managed, transition: Transition) -> Call:
        return Call(node.name, transition, self.config.limit_s(transition.value))

    def _observe_pending(self, call: Call, state: State, asked: float, now: float) -> None:
        """The reply to a call may be lost, or its node replaced: its state tells."""
        settled = asked - self._pending_since > self.config.reply_grace_s
        if state is _GOAL[call.transition] and settled:
            self._finish(True, now, "")
        elif state is not State.CHANGING and settled:
            started_anew = state is State.UNCONFIGURED and _START[call.transition] is not state
            why = "it was started anew" if started_anew else "it refused; its own log says why"
            self._finish(False, now, why, state)

    def _finish(self, success: bool, now: float, why: str, state: State | None = None) -> None:
        """Closes the pending call."""
        call = self._pending
        assert call is not None
        self._pending = None
        node = self._nodes[call.node]
        node.changed = now
        verb = call.transition.value
        if success:
            node.not_before = float("-inf")
            if call.transition is Transition.ACTIVATE:
                node.forgive()  # Not earlier: it may configure well and refuse to activate.
            node.enter(_GOAL[call.transition], now)
            took = now - self._pending_since
            self._say("info", f"{call.node}: {verb}d ({took:.1f} s)")
            self._note_whether_active(now)
            return
        # Where it stands now, its next answer tells.
        node.enter(state or State.CHANGING, now)
        delay = node.refuse(self.config, now)
        level = "error" if node.refusals >= self.config.failed_after else "warn"
        self._say(level, f"{call.node} did not {verb}: {why}; next try in {delay:g} s")

    def _note_whether_active(self, now: float) -> None:
        """Tells, once, that the whole graph is active; called when a node has become so."""
        if self.phase is Phase.ACTIVE:
            self._was_active = True
            self._say("info", self.describe(now))

    def _say(self, level: str, text: str) -> None:
        self._events.append(Event(level, text))


@dataclass(eq=False)
class _Managed:
    """What is known of one node."""

    name: str
    since: float  # When it entered `state`.
    state: State = State.SILENT
    changed: float = float("-inf")  # When its last call ended.
    refusals: int = 0  # In a row.
    not_before: float = field(default=float("-inf"))  # No call before this time.

    def enter(self, state: State, now: float) -> None:
        if state is not self.state:
            self.state, self.since = state, now

    def forgive(self) -> None:
        self.refusals, self.not_before = 0, float("-inf")

    def refuse(self, config: LifecycleConfig, now: float) -> float:
        """Notes a refusal; returns the delay before the next try [s]."""
        self.refusals += 1
        delay = config.retry_delay_s(self.refusals)
        self.not_before = now + delay
        return delay

    def describe(self, now: float) -> str:
        """What it is waited for; "" when it is active."""
        if self.state is State.ACTIVE:
            return ""
        waited = f"{now - self.since:.0f} s"
        if self.refusals and self.not_before > now:
            return f"{self.name} (refused {self.refusals} times, tried again soon)"
        if self.state is State.SILENT:
            return f"{self.name} (no answer for {waited})"
        return f"{self.name} ({self.state.value} for {waited})"
