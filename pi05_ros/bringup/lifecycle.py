"""Order of lifecycle transitions that brings managed nodes up and keeps them up. No ROS, no clock.

`nodes/lifecycle_manager` requests the states of the nodes, passes the answers to this class and
makes the one call that it returns. Two rules make the order:

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


class NodeState(enum.Enum):
    """State of a managed node, as far as it is known."""

    SILENT = "silent"  # Not up yet, gone, or hung: it does not answer.
    UNCONFIGURED = "unconfigured"
    INACTIVE = "inactive"
    ACTIVE = "active"
    FINALIZED = "finalized"  # Only a new process helps.
    CHANGING = "changing"  # In a transition.


class Transition(enum.Enum):
    """Transition of a managed node."""

    CONFIGURE = "configure"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


class Phase(enum.Enum):
    """State of the whole graph."""

    STARTING = "starting"  # Coming up for the first time.
    ACTIVE = "active"  # All nodes are active.
    RECOVERING = "recovering"  # Was active; something is being brought back.
    FAILED = "failed"  # A node has refused several times; tried again, ever more slowly.


@dataclass(frozen=True)
class Call:
    """A transition to request from a node."""

    node: str
    transition: Transition
    limit_s: float  # Longest duration [s].


@dataclass(frozen=True)
class Event:
    """A line for the log."""

    level: str  # "info", "warn" or "error"
    text: str


_START = {
    Transition.CONFIGURE: NodeState.UNCONFIGURED,
    Transition.ACTIVATE: NodeState.INACTIVE,
    Transition.DEACTIVATE: NodeState.ACTIVE,
}
_GOAL = {
    Transition.CONFIGURE: NodeState.INACTIVE,
    Transition.ACTIVATE: NodeState.ACTIVE,
    Transition.DEACTIVATE: NodeState.INACTIVE,
}


class LifecycleSequence:
    """Decides which transition comes next.

    Times are seconds of any steady clock.

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

    def observe(self, name: str, state: NodeState, asked: float, now: float) -> None:
        """Take the state of a node.

        Args:
            name: The node.
            state: Its state.
            asked: When it was requested [s]; requests before its last change do not count.
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
        if node.state is NodeState.ACTIVE:
            self._log("warn", f"{name} was active and is now {state.value}")
        elif node.state is NodeState.SILENT:
            self._log("info", f"{name} answers ({state.value})")
        if state is NodeState.FINALIZED:
            self._log("error", f"{name} is finalized: it must be started anew")
        node.enter(state, now)
        self._check_active(now)

    def silent(self, name: str, now: float) -> None:
        """Note that a node does not answer, or that its services are gone."""
        node = self._nodes[name]
        pending = self._pending is not None and self._pending.node == name
        if node.state is NodeState.SILENT or pending:
            return
        self._log("warn", f"{name} was {node.state.value} and does not answer any more")
        node.reset_refusals()  # What answers next is a new process, most likely.
        node.enter(NodeState.SILENT, now)

    def gone(self, name: str, now: float) -> None:
        """Note that the services of a node are gone, even while it was in a transition."""
        if self._pending is not None and self._pending.node == name:
            self._finish(False, now, "it went away")
        self.silent(name, now)

    def finished(self, call: Call, success: bool, now: float) -> None:
        """Take the reply of a node to a call."""
        if self._pending is call:
            self._finish(success, now, "it refused; see its log")

    def next_call(self, now: float) -> Call | None:
        """The transition to request now, if any. At most one is pending at a time."""
        if self._pending is not None:
            if now - self._pending_since > self._pending.limit_s:
                self._finish(False, now, f"no reply within {self._pending.limit_s:g} s")
            return None
        call = self._choose(now)
        if call is not None:
            self._pending, self._pending_since = call, now
        return call

    def drain_events(self) -> list[Event]:
        """Events since the last call."""
        events, self._events = self._events, []
        return events

    @property
    def phase(self) -> Phase:
        """State of the whole graph."""
        if all(node.state is NodeState.ACTIVE for node in self._nodes.values()):
            return Phase.ACTIVE
        if any(
            node.refusals >= self.config.failed_after or node.state is NodeState.FINALIZED
            for node in self._nodes.values()
        ):
            return Phase.FAILED
        return Phase.RECOVERING if self._was_active else Phase.STARTING

    def states(self) -> dict[str, NodeState]:
        """The state of each node, in order."""
        return {name: node.state for name, node in self._nodes.items()}

    def active_in_reverse(self) -> tuple[str, ...]:
        """Active nodes in the order of deactivation at shutdown: the last first."""
        return tuple(
            n for n, node in reversed(self._nodes.items()) if node.state is NodeState.ACTIVE
        )

    def describe(self, now: float) -> str:
        """Describe the state of the graph and what is being waited for."""
        if self.phase is Phase.ACTIVE:
            return f"all {len(self._nodes)} nodes are active"
        if self._pending is not None:
            call, waited = self._pending, now - self._pending_since
            return (
                f"waiting for {call.node} to {call.transition.value} "
                f"({waited:.0f} s, at most {call.limit_s:g} s)"
            )
        waits = [text for node in self._nodes.values() if (text := node.describe(now))]
        return "waiting: " + ", ".join(waits) if waits else "continuing"

    def _choose(self, now: float) -> Call | None:
        nodes = self._nodes
        last = nodes[self._last]
        if last.state is NodeState.CHANGING:
            return None  # It may still move the robot: what to do depends on how that ends.
        others_active = all(n.state is NodeState.ACTIVE for n in nodes.values() if n is not last)
        if last.state is NodeState.ACTIVE and not others_active:
            return self._call(last, Transition.DEACTIVATE) if now >= last.not_before else None
        for node in nodes.values():
            if node.state is NodeState.UNCONFIGURED and now >= node.not_before:
                return self._call(node, Transition.CONFIGURE)
        for node in nodes.values():
            if node.state is NodeState.INACTIVE and now >= node.not_before:
                return self._call(node, Transition.ACTIVATE)
            if node.state is not NodeState.ACTIVE:
                return None
        return None

    def _call(self, node: _Managed, transition: Transition) -> Call:
        return Call(node.name, transition, self.config.limit_s(transition.value))

    def _observe_pending(self, call: Call, state: NodeState, asked: float, now: float) -> None:
        """Settle a call whose reply was lost, or whose node was replaced, by the node's state."""
        settled = asked - self._pending_since > self.config.reply_grace_s
        if state is _GOAL[call.transition] and settled:
            self._finish(True, now, "")
        elif state is not NodeState.CHANGING and settled:
            started_anew = state is NodeState.UNCONFIGURED and _START[call.transition] is not state
            why = "it was started anew" if started_anew else "it refused; see its log"
            self._finish(False, now, why, state)

    def _finish(self, success: bool, now: float, why: str, state: NodeState | None = None) -> None:
        """Close the pending call."""
        call = self._pending
        assert call is not None
        self._pending = None
        node = self._nodes[call.node]
        node.changed = now
        verb = call.transition.value
        if success:
            node.not_before = float("-inf")
            if call.transition is Transition.ACTIVATE:
                node.reset_refusals()  # Not earlier: it may configure well and refuse to activate.
            node.enter(_GOAL[call.transition], now)
            took = now - self._pending_since
            self._log("info", f"{call.node}: {verb}d ({took:.1f} s)")
            self._check_active(now)
            return
        # The next answer of the node tells its state.
        node.enter(state or NodeState.CHANGING, now)
        delay = node.refuse(self.config, now)
        level = "error" if node.refusals >= self.config.failed_after else "warn"
        self._log(level, f"{call.node} did not {verb}: {why}; next try in {delay:g} s")

    def _check_active(self, now: float) -> None:
        """Log, once, that the whole graph is active; called when a node has become active."""
        if self.phase is Phase.ACTIVE:
            self._was_active = True
            self._log("info", self.describe(now))

    def _log(self, level: str, text: str) -> None:
        self._events.append(Event(level, text))


@dataclass(eq=False)
class _Managed:
    """A managed node."""

    name: str
    since: float  # When it entered `state`.
    state: NodeState = NodeState.SILENT
    changed: float = float("-inf")  # When its last call ended.
    refusals: int = 0  # In a row.
    not_before: float = field(default=float("-inf"))  # No call before this time.

    def enter(self, state: NodeState, now: float) -> None:
        if state is not self.state:
            self.state, self.since = state, now

    def reset_refusals(self) -> None:
        self.refusals, self.not_before = 0, float("-inf")

    def refuse(self, config: LifecycleConfig, now: float) -> float:
        """Count a refusal; returns the delay before the next try [s]."""
        self.refusals += 1
        delay = config.retry_delay_s(self.refusals)
        self.not_before = now + delay
        return delay

    def describe(self, now: float) -> str:
        """Describe what the node is waited for; empty when it is active."""
        if self.state is NodeState.ACTIVE:
            return ""
        waited = f"{now - self.since:.0f} s"
        if self.refusals and self.not_before > now:
            return f"{self.name} (refused {self.refusals} times, tried again soon)"
        if self.state is NodeState.SILENT:
            return f"{self.name} (no answer for {waited})"
        return f"{self.name} ({self.state.value} for {waited})"
