"""Which node simulated time waits for: a slow machine slows the simulation, not the robot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class _Node:
    """What the newest heartbeat of a node said."""

    stamp_ns: int  # Simulated time up to which the node has come.
    pending_ns: int  # Since when it has had unfinished work; 0: it has none.


class GraphWait:
    """Follows the heartbeats of the nodes that the robot moves by.

    On a robot a node that has no processor for 0.2 s is late, and the robot holds. In a simulation
    the same stall would make scores depend on the machine. So simulated time stands still while
    a node's newest heartbeat is older than `max_lag`, or its work has been pending for
    `max_work`, both in simulated time. A node that does not come any further for `patience` of
    wall time is dead or stopped: it is not waited for until it is heard again, and the bridge
    notices its silence.

    Args:
        max_lag: Below the bridge's `peer_timeout` [s, simulated].
        max_work: What an inference may take before time waits for it [s, simulated]. Faster ones
            take as long as they do, as on a robot.
        patience: [s, wall]
    """

    def __init__(self, max_lag: float, max_work: float, patience: float) -> None:
        self._max_lag_ns = round(max_lag * 1e9)
        self._max_work_ns = round(max_work * 1e9)
        self._patience = patience
        self._nodes: dict[str, _Node] = {}
        self._given_up: set[str] = set()
        self._late_since: dict[str, float] = {}  # Nodes that time waits for now [s, wall].

    def on_heartbeat(self, name: str, stamp_ns: int, pending_ns: int) -> None:
        """Takes a heartbeat.

        Args:
            name: The node.
            stamp_ns: Simulated time when it was sent [ns].
            pending_ns: Since when the node has had unfinished work [ns]; 0: it has none.
        """
        self._nodes[name] = _Node(stamp_ns, pending_ns)
        self._given_up.discard(name)
        self._late_since.pop(name, None)

    def remove(self, name: str) -> None:
        """Forgets a node that says that it ends."""
        self._nodes.pop(name, None)
        self._given_up.discard(name)
        self._late_since.pop(name, None)

    def blocking_node(self, now_ns: int, wall: float) -> str:
        """Which node must come further before simulated time may; empty: none.

        Args:
            now_ns: Simulated time [ns].
            wall: A clock that never steps [s].
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
        """How late a node is, in words."""
        node = self._nodes[name]
        said = f"its last heartbeat is {(now_ns - node.stamp_ns) * 1e-9:.2f} s old"
        if node.pending_ns:
            said += f", its work pending for {(now_ns - node.pending_ns) * 1e-9:.2f} s"
        return said

    @property
    def given_up(self) -> tuple[str, ...]:
        """Nodes that time no longer waits for, in alphabetical order."""
        return tuple(sorted(self._given_up))

    def _lateness_ns(self, node: _Node, now_ns: int) -> int:
        """By how much a node is later than it may be [ns]; not above 0: it is in time."""
        lag = now_ns - node.stamp_ns - self._max_lag_ns
        if not node.pending_ns:
            return lag
        return max(lag, now_ns - node.pending_ns - self._max_work_ns)
