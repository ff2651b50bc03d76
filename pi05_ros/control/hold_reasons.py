"""Reasons to hold although the robot is armed, for whoever drives, and the end of such holds."""

from __future__ import annotations

from collections.abc import Collection

from pi05_ros.control.measured_state import MeasuredState
from pi05_ros.control.modes import RECOVERING
from pi05_ros.control.motion import Motion
from pi05_ros.control.peers import PeerWatch
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.control.teleop_source import TeleopSource

# Nodes that concern the model alone: an operator may drive while they report that they are not
# fit. Their silence holds all the same, since the graph is then not the one that was armed.
_MODEL_NODES = frozenset({"planner", "policy"})


class Recovery:
    """Ends a hold for bad input after `recovery_time_s` of healthy input.

    Args:
        recovery_time_s: That time [s].
    """

    def __init__(self, recovery_time_s: float) -> None:
        self._recovery_time_s = recovery_time_s
        self._unhealthy_ns: int | None = None  # When the input was last faulty; None: healthy.

    @property
    def healthy(self) -> bool:
        """True if the input may be used."""
        return self._unhealthy_ns is None

    def clear(self) -> None:
        """Count the input as healthy."""
        self._unhealthy_ns = None

    def fail(self, now_ns: int) -> None:
        """Count the input as faulty now."""
        self._unhealthy_ns = now_ns

    def update(self, problem: str, now_ns: int) -> str:
        """Return the reason to hold: the problem, or that its end was too recent."""
        if problem:
            self._unhealthy_ns = now_ns
        elif self._unhealthy_ns is not None:
            if (now_ns - self._unhealthy_ns) * 1e-9 < self._recovery_time_s:
                return RECOVERING
            self._unhealthy_ns = None
        return problem


class HoldReasons:
    """Decides at each tick whether the source that drives may be followed.

    Args:
        measured_state: Of the robot.
        peers: The other nodes.
        motion: Its targets may be out of reach.
        teleop: The operator's source.
        settings: Thresholds.

    Attributes:
        policy: Health of all that the policy's chunks need.
        machine: The same without the fitness of the model's nodes: what an operator needs.
    """

    def __init__(
        self,
        measured_state: MeasuredState,
        peers: PeerWatch,
        motion: Motion,
        teleop: TeleopSource,
        settings: BridgeSettings,
    ) -> None:
        self._measured_state, self._peers = measured_state, peers
        self._motion, self._teleop, self._settings = motion, teleop, settings
        self.policy = Recovery(settings.recovery_time_s)
        self.machine = Recovery(settings.recovery_time_s)
        self._operator = Recovery(settings.recovery_time_s)

    @property
    def healthy(self) -> bool:
        """True if the chunks of the source that drives may be used."""
        if self._teleop.engaged:
            return self.machine.healthy and self._operator.healthy
        return self.policy.healthy

    def clear(self) -> None:
        """Count everything as healthy, when the robot is armed."""
        for recovery in (self.policy, self.machine, self._operator):
            recovery.clear()

    def fail(self, now_ns: int) -> None:
        """Hold now, as after a backward jump of time."""
        self.policy.fail(now_ns)
        self.machine.fail(now_ns)

    def input_problem(
        self,
        output_problem: str,
        now_ns: int,
        steady_ns: int,
        excused: Collection[str] = (),
    ) -> str:
        """Return the fault of measurements, peers or outputs, as one clause; "" without one."""
        return (
            self._measured_state.problem(now_ns)
            or self._peers.problem(steady_ns, excused)
            or output_problem
        )

    def update(self, output_problem: str, now_ns: int, steady_ns: int) -> str:
        """Return the reason to hold, as one clause; empty: whoever drives may be followed.

        Args:
            output_problem: Why commands do not reach a controller; empty: they do.
            now_ns: Time by the clock of the stamps [ns].
            steady_ns: Time by the clock of the timeouts [ns].
        """
        problem = self.input_problem(output_problem, now_ns, steady_ns)
        of_machine = problem and self.input_problem(
            output_problem, now_ns, steady_ns, _MODEL_NODES
        )
        if self._motion.limiting > self._settings.limiting_hold_s:
            out_of_reach = "chunk targets exceed the robot's limits"
            problem, of_machine = problem or out_of_reach, of_machine or out_of_reach
        policy_reason = self.policy.update(problem, now_ns)
        machine_reason = self.machine.update(of_machine, now_ns)
        if not self._teleop.engaged:
            self._operator.clear()
            return policy_reason
        teleop_problem = self._teleop.problem(now_ns, steady_ns)
        operator_reason = self._operator.update(teleop_problem, now_ns)
        found = of_machine or teleop_problem
        return found or machine_reason or operator_reason or self._teleop.pause
