"""Liveness and fitness of the other nodes, from their heartbeats."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass
class _Peer:
    """Last heartbeat of one node."""

    instance: int
    received_ns: int  # [ns]
    reason: str  # Reason for not being fit; empty: it is fit.


class PeerWatch:
    """Checks heartbeats on the clock of its owner: steady, or simulated time in a simulation.

    A node without a heartbeat for `timeout`, or one that reports that it is not fit, makes the
    robot hold. One without a heartbeat for `gone_after`, or one that was restarted, disarms the
    robot, since its new instance does not know the state of the task.

    Args:
        required: Names of the nodes to watch. Empty: every node from its first heartbeat on.
        timeout: Silence after which the robot holds [s].
        gone_after: Silence after which the robot is disarmed [s].
    """

    def __init__(self, required: Sequence[str], timeout: float, gone_after: float) -> None:
        self._required = tuple(required)
        self._timeout_ns = round(timeout * 1e9)
        self._gone_ns = round(gone_after * 1e9)
        self._peers: dict[str, _Peer] = {}
        self._armed_with: dict[str, int] = {}  # Instances at the time of arming.

    def on_heartbeat(self, name: str, instance: int, reason: str, steady_ns: int) -> None:
        """Take one heartbeat.

        Args:
            name: Name of the node.
            instance: Number of its activation.
            reason: Reason for not being fit; empty: it is fit.
            steady_ns: Time of arrival [ns].
        """
        if not self._required or name in self._required:
            self._peers[name] = _Peer(instance, steady_ns, reason)

    def on_time_jump(self, steady_ns: int) -> None:
        """Take a backward jump of the clock: no heartbeat arrived later than now."""
        for peer in self._peers.values():
            peer.received_ns = min(peer.received_ns, steady_ns)

    def on_armed(self) -> None:
        """Record the present instances: from now on another instance counts as restarted."""
        self._armed_with = {name: peer.instance for name, peer in self._peers.items()}

    def missing(self, steady_ns: int) -> tuple[str, ...]:
        """Return required nodes without a recent heartbeat."""
        return tuple(
            name
            for name in self._required
            if name not in self._peers or self._silence_ns(name, steady_ns) > self._timeout_ns
        )

    def problem(self, steady_ns: int, excused: Collection[str] = ()) -> str:
        """Return the reason to hold, as one clause; empty if there is none.

        Args:
            steady_ns: Present time [ns].
            excused: Nodes that may report that they are not fit; they must not be silent.
        """
        for name, peer in self._peers.items():
            silence_ns = self._silence_ns(name, steady_ns)
            if silence_ns > self._timeout_ns:
                return f"no heartbeat from {name} for {silence_ns * 1e-9:.1f} s"
            if peer.reason and name not in excused:
                return f"{name}: {peer.reason}"
        missing = self.missing(steady_ns)
        return f"no heartbeat yet from {', '.join(missing)}" if missing else ""

    def gone(self, steady_ns: int) -> str:
        """Return which node present at arming is gone or restarted; empty if none."""
        for name, instance in self._armed_with.items():
            if self._peers[name].instance != instance:
                return f"{name} was restarted"
            if self._silence_ns(name, steady_ns) > self._gone_ns:
                return f"{name} is gone (no heartbeat for over {self._gone_ns * 1e-9:g} s)"
        return ""

    def remove_gone(self, steady_ns: int) -> None:
        """Stop watching nodes that are gone, unless they are required by name."""
        if not self._required:
            for name in list(self._peers):
                if self._silence_ns(name, steady_ns) > self._gone_ns:
                    del self._peers[name]
        self._armed_with = {}

    def ages(self, steady_ns: int) -> dict[str, float]:
        """Return the time since the last heartbeat of each node [s]."""
        return {name: self._silence_ns(name, steady_ns) * 1e-9 for name in self._peers}

    def _silence_ns(self, name: str, steady_ns: int) -> int:
        return steady_ns - self._peers[name].received_ns
