"""Publisher of `mock_home/statistics`: counts of the witnesses, for the demo and for people.

One DiagnosticStatus for the simulation, named as the node, one named `graph` for what simulated
time waits for, and one for each controller. Counts only rise. A status is ERROR if a value that is
not finite arrived during the last second, WARN if a command was rejected or broke a limit.
"""

from __future__ import annotations

from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.nodes.mock_home.cameras import CameraThread
from pi05_ros.sim.controllers.witness import FAULTS, NOT_FINITE, GroupWitness
from pi05_ros.sim.pacing import Pacer
from pi05_ros.sim.simulation import Simulation

STATISTICS_TICKS = 50  # 1 Hz.
_MEANING = {
    "not_finite": "NaN or infinity",
    "rejected": "commands rejected by the controller",
    "position_limit": "positions beyond the limits",
    "velocity_limit": "velocities beyond the limits",
    "reach_limit": "first points out of reach in their time",
    "set_point_jump": "set-points that moved faster than the limits allow",
}


class Statistics:
    """Publishes the counts once a second of simulated time, or of wall time while it waits."""

    def __init__(
        self, node: Node, simulation: Simulation, pacer: Pacer, cameras: CameraThread
    ) -> None:
        self._name = node.get_name()
        self._simulation = simulation
        self._pacer = pacer
        self._cameras = cameras
        self._publisher = node.create_publisher(
            DiagnosticArray, "mock_home/statistics", qos.DRIVER_OUTPUT
        )
        self._reported: dict[str, dict[str, int]] = {}

    def publish(self) -> None:
        """Publish if due. Called after each tick."""
        if self._simulation.ticks % STATISTICS_TICKS == 0:
            self.publish_now()

    def publish_now(self) -> None:
        """Publish now, also while simulated time waits."""
        simulation = self._simulation
        waiting = _status("graph", {"waiting for": simulation.waiting_for}, [])
        message = DiagnosticArray(status=[self._overall(), waiting])
        for name, witness in simulation.manager.witnesses.items():
            with simulation.lock:
                counted = counts(witness)
                last = {
                    "last_rejection": witness.last_rejection,
                    "last_fault": witness.last_fault,
                }
            new = self._new_faults(name, {fault: counted[fault] for fault in FAULTS})
            message.status.append(_status(name, {**counted, **last}, new))
        message.header.stamp = ns_to_time(simulation.now_ns)
        self._publisher.publish(message)

    def _overall(self) -> DiagnosticStatus:
        simulation = self._simulation
        refused = {NOT_FINITE: simulation.manager.not_finite_set_points}
        values = {
            "ticks": simulation.ticks,
            "real_time_factor": round(self._pacer.factor, 3),
            "slips": self._pacer.slips,
            "waited_s": round(simulation.waited, 3),
            "pictures": self._cameras.rendered,
            "not_finite_set_points": refused[NOT_FINITE],
        }
        return _status(self._name, values, self._new_faults(self._name, refused))

    def _new_faults(self, name: str, faults: dict[str, int]) -> list[str]:
        """Return the faults counted since the last message."""
        reported = self._reported.get(name, {})
        self._reported[name] = faults
        return [fault for fault, count in faults.items() if count > reported.get(fault, 0)]


def counts(witness: GroupWitness) -> dict[str, int]:
    """Return the counts of one controller, by their published names."""
    return {
        "commands": witness.commands,
        "ticks": witness.ticks,
        "ticks_missed": witness.ticks_missed,
        "longest_gap": witness.longest_gap,
        "ticks_since_command": witness.ticks_since_command,
        **{fault: witness.faults[fault] for fault in FAULTS},
    }


def _status(name: str, values: dict[str, Any], new: list[str]) -> DiagnosticStatus:
    """Build a status; level and text follow from the new faults."""
    level = DiagnosticStatus.OK
    if new:
        level = DiagnosticStatus.ERROR if NOT_FINITE in new else DiagnosticStatus.WARN
    return DiagnosticStatus(
        level=level,
        name=name,
        message="; ".join(_MEANING[fault] for fault in new) or "OK",
        hardware_id="mock_home",
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )
