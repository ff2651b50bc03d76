"""Decision on which node simulated time must wait for, from the nodes' heartbeats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class _Node:
    """Content of a node's newest heartbeat."""

    stamp_ns: int  # Simulated time at which it was sent [ns].
    pending_ns: int  # Time since which the node has unfinished work [ns]; 0: it has none.


class GraphWait:
    """Tracks the heartbeats of the nodes that the robot's motion depends on.

    On a robot, a node without a processor for 0.2 s is late and the robot holds. In a simulation
    the same stall would make scores depend on the machine. Simulated time therefore stops while a
    node's newest heartbeat is older than `max_lag_s`, or its work has been pending for longer than
    `max_work_s`, both in simulated time. A node that makes no progress for `patience_s` of wall
    time is considered dead: time no longer waits for it until its next heartbeat, and the bridge
    detects its silence.

    Args:
        max_lag_s: Largest age of a heartbeat [s, simulated]; below the bridge's `peer_timeout_s`.
        max_work_s: Longest inference that time does not wait for [s, simulated]. Shorter ones take
            their real duration, as on a robot.
        patience_s: Longest wait for one node [s, wall].
    """

    def __init__(self, max_lag_s: float, max_work_s: float, patience_s: float) -> None:
        self._max_lag_ns = round(max_lag_s * 1e9)
        self._max_work_ns = round(max_work_s * 1e9)
        self._patience = patience_s
        self._nodes: dict[str, _Node] = {}
        self._given_up: set[str] = set()
        self._late_since: dict[str, float] = {}  # Nodes that time waits for now [s, wall].

    def on_heartbeat(self, name: str, stamp_ns: int, pending_ns: int) -> None:
        """Record a heartbeat.

        Args:
            name: Name of the node.
            stamp_ns: Simulated time at which it was sent [ns].
            pending_ns: Time since which the node has unfinished work [ns]; 0: it has none.
        """
        self._nodes[name] = _Node(stamp_ns, pending_ns)
        self._given_up.discard(name)
        self._late_since.pop(name, None)

    def remove(self, name: str) -> None:
        """Stop tracking a node that announced its end."""
        self._nodes.pop(name, None)
        self._given_up.discard(name)
        self._late_since.pop(name, None)

    def blocking_node(self, now_ns: int, wall: float) -> str:
        """Name of the latest node that simulated time must wait for; empty: none.

        Args:
            now_ns: Simulated time [ns].
            wall: Time of a steady clock [s].
        """
        late = {
            name: lateness
            for name, node in self._nodes.items()
            if name not in self._given_up and (lateness := self._lateness_ns(node, now_ns)) > 0
        }
        self._late_since = {name: self._late_since.get(name, wall) for name in late}
        for name, since in self._late_since.items():
            if wall - since > self._patience:
                self._given_up.add(name)
                del late[name]
        return max(late, key=lambda name: late[name], default="")

    def describe(self, name: str, now_ns: int) -> str:
        """Describe how late a node is."""
        node = self._nodes[name]
        description = f"its last heartbeat is {(now_ns - node.stamp_ns) * 1e-9:.2f} s old"
        if node.pending_ns:
            description += f", its work pending for {(now_ns - node.pending_ns) * 1e-9:.2f} s"
        return description

    @property
    def given_up(self) -> tuple[str, ...]:
        """Nodes that time no longer waits for, in alphabetical order."""
        return tuple(sorted(self._given_up))

    def _lateness_ns(self, node: _Node, now_ns: int) -> int:
        """Time by which a node exceeds its limits [ns]; 0 or less: it is in time."""
        lag = now_ns - node.stamp_ns - self._max_lag_ns
        if not node.pending_ns:
            return lag
        return max(lag, now_ns - node.pending_ns - self._max_work_ns)
