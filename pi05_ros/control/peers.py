"""Which of the graph's other nodes live, as their heartbeats tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class _Peer:
    """What was last heard of one node."""

    instance: int
    received_ns: int  # [ns]
    reason: str  # Why it is not fit; empty: it is.


class PeerWatch:
    """Judges heartbeats on a clock of its owner: steady, or simulated in a simulation.

    A node that is silent for `timeout`, or says that it is not fit, means hold. One that is
    silent for `gone_after`, or was started anew, is gone: the robot is disarmed, since whoever
    comes back knows nothing of what was going on.

    Args:
        required: Names of the nodes to watch. Empty: every node from its first heartbeat on.
        timeout: [s]
        gone_after: [s]
    """

    def __init__(self, required: Sequence[str], timeout: float, gone_after: float) -> None:
        self._required = tuple(required)
        self._timeout_ns = round(timeout * 1e9)
        self._gone_ns = round(gone_after * 1e9)
        self._peers: dict[str, _Peer] = {}
        self._armed_with: dict[str, int] = {}  # Instances at the time of arming.

    def on_heartbeat(self, name: str, instance: int, reason: str, steady_ns: int) -> None:
        """Takes one heartbeat. reason: why the node is not fit; empty: it is."""
        if not self._required or name in self._required:
            self._peers[name] = _Peer(instance, steady_ns, reason)

    def on_time_jump(self, steady_ns: int) -> None:
        """Takes a jump back of the clock: nobody was heard later than now."""
        for peer in self._peers.values():
            peer.received_ns = min(peer.received_ns, steady_ns)

    def on_armed(self) -> None:
        """Remembers who is there: from now on another instance is a stranger."""
        self._armed_with = {name: peer.instance for name, peer in self._peers.items()}

    def missing(self, steady_ns: int) -> tuple[str, ...]:
        """Required nodes that are not heard now."""
        return tuple(
            name
            for name in self._required
            if name not in self._peers or self._silence_ns(name, steady_ns) > self._timeout_ns
        )

    def problem(self, steady_ns: int) -> str:
        """Why the robot must hold, as one clause; empty: it need not."""
        for name, peer in self._peers.items():
            silence_ns = self._silence_ns(name, steady_ns)
            if silence_ns > self._timeout_ns:
                return f"no heartbeat from {name} for {silence_ns * 1e-9:.1f} s"
            if peer.reason:
                return f"{name}: {peer.reason}"
        missing = self.missing(steady_ns)
        return f"no heartbeat yet from {', '.join(missing)}" if missing else ""

    def gone(self, steady_ns: int) -> str:
        """Which node of those that were there at arming is gone, as one clause; empty: none."""
        for name, instance in self._armed_with.items():
            if self._peers[name].instance != instance:
                return f"{name} was restarted"
            if self._silence_ns(name, steady_ns) > self._gone_ns:
                return f"{name} is gone (no heartbeat for over {self._gone_ns * 1e-9:g} s)"
        return ""

    def remove_gone(self, steady_ns: int) -> None:
        """Without a list of names: forgets who is gone, so that the others can go on."""
        if not self._required:
            for name in list(self._peers):
                if self._silence_ns(name, steady_ns) > self._gone_ns:
                    del self._peers[name]
        self._armed_with = {}

    def ages(self, steady_ns: int) -> dict[str, float]:
        """Time since the last heartbeat of each node [s]."""
        return {name: self._silence_ns(name, steady_ns) * 1e-9 for name in self._peers}

    def _silence_ns(self, name: str, steady_ns: int) -> int:
        return steady_ns - self._peers[name].received_ns
