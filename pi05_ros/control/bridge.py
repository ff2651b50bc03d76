"""The control bridge without ROS: acceptance of chunks, and one command a tick.

A hold is a software hold, never a safe stop: arms and torso keep their last commanded position,
the base ramps to zero within 100 ms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.control.arbitration import Arbitration
from pi05_ros.control.chunk import (
    MALFORMED,
    Chunk,
    ChunkRejected,
    ControlSource,
    accept_chunk,
)
from pi05_ros.control.gate import ChunkGate
from pi05_ros.control.gripper_goals import GripperGoals
from pi05_ros.control.hold_reasons import HoldReasons
from pi05_ros.control.measured_state import MeasuredState
from pi05_ros.control.measurement import Measurement
from pi05_ros.control.modes import ARM_AGAIN, Mode, StateMachine
from pi05_ros.control.motion import Motion
from pi05_ros.control.peers import PeerWatch
from pi05_ros.control.rest import Rest
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.control.stream import Target
from pi05_ros.control.teleop_source import TeleopCommand, TeleopSource
from pi05_ros.errors import MessageError
from pi05_ros.platforms.platform import Platform

# Backward steps of time up to this one (by NTP) void nothing [s].
_STEP_BACK = 0.1
_OLD_SESSION_NS = 500_000_000  # For this long after arming, chunks may carry the last session.


@dataclass(frozen=True)
class Tick:
    """Result of one tick."""

    mode: Mode
    reason: str  # Reason of the mode, one clause; empty while RUNNING.
    command: np.ndarray | None  # (D,) float64 to send now, platform units; None: send nothing.
    measurement: Measurement | None  # None until every entry was measured.
    target: Target | None  # Target that the command follows; None: no chunk.

    @property
    def control_source(self) -> ControlSource:
        """Whose actions the command follows."""
        return ControlSource.NONE if self.target is None else self.target.chunk.source


class Bridge:
    """Computes the command of each tick. Not thread-safe: its node holds a lock around it.

    Stamps and `now_ns` use the node's clock, which may jump. Timeouts of peers are measured by
    `steady_ns`: a clock that never jumps, or simulated time in a simulation.

    It starts disarmed. An operator who drives (`add_teleop`) comes before the policy.

    Args:
        platform: The robot.
        session: Not 0, random for each activation; chunks of another session are rejected.
        settings: Thresholds; None takes the defaults.
        gripper_goals: Last goals of the grippers, also from before; None: there are none.
    """

    def __init__(
        self,
        platform: Platform,
        session: int,
        settings: BridgeSettings | None = None,
        gripper_goals: GripperGoals | None = None,
    ) -> None:
        self.platform = platform
        self.session = session
        self.settings = settings = settings or BridgeSettings()
        self.state = StateMachine()
        # Chunks accepted, chunks rejected by rule, messages dropped.
        self.counts: Counter[str] = Counter()
        self.measured_state = MeasuredState(platform, settings)
        self.peers = PeerWatch(settings.peers, settings.peer_timeout_s, settings.peer_gone_after_s)
        self._gate = ChunkGate(
            session, settings.chunk_max_age_s, settings.max_lead_s, platform.period
        )
        self.motion = Motion(platform, settings)
        self.teleop = TeleopSource(platform, session, settings)
        self._rest = Rest(self._gate, self.motion, settings)
        self._holds = HoldReasons(
            self.measured_state, self.peers, self.motion, self.teleop, settings
        )
        self._sources = Arbitration(
            self._gate, self.motion, self.teleop, self._rest, self._holds, self.counts
        )
        self._gripper_goals = gripper_goals or GripperGoals(platform)
        # Why commands do not reach a controller, one clause; the node that sends them sets it.
        self.output_problem = ""
        self._bad_chunks = 0  # Malformed chunks in a row.
        self._ticked_ns: int | None = None  # Time of the last tick.
        self._settle_until_ns: int | None = (
            None  # End of holding commands after disarm, fault or stop.
        )
        self._armed_ns = 0  # Time of the last arming.

    # Inputs.

    def add_joint_states(
        self,
        names: Sequence[str],
        positions: Sequence[float],
        stamp_ns: int,
        now_ns: int,
        topic: str = "",
    ) -> None:
        """Take one JointState message; see StateAssembler.add_joint_states.

        Raises:
            MessageError: The message was dropped.
        """
        try:
            jump = self.measured_state.add_joint_states(names, positions, stamp_ns, now_ns, topic)
        except MessageError:
            self.counts["joint_states_dropped"] += 1
            raise
        if jump and self.mode.is_armed:
            self.fault(now_ns, jump)

    def add_odometry(self, velocity: Sequence[float], stamp_ns: int, now_ns: int) -> None:
        """Take one odometry twist; see StateAssembler.add_odometry.

        Raises:
            MessageError: The message was dropped.
        """
        try:
            self.measured_state.add_odometry(velocity, stamp_ns, now_ns)
        except MessageError:
            self.counts["odometry_dropped"] += 1
            raise

    def follow_subtask(self, subtask_id: int, task: str, text: str) -> None:
        """Take the planner's subtask and stop executing a chunk of another task.

        An empty text means that there is nothing to do.
        """
        self._sources.follow_subtask(subtask_id, task, text)

    def add_chunk(self, chunk: Chunk, now_ns: int) -> None:
        """Check a chunk; the next tick executes it if the bridge is armed and inputs are healthy.

        While an operator drives it is not executed, and kept until the next one.

        Raises:
            ChunkRejected: It breaks a rule; the running chunk continues.
        """
        try:
            self._gate.check(chunk, self.epoch, now_ns)
            accepted = accept_chunk(chunk, self.platform, self.settings)
        except ChunkRejected as error:
            self.reject(error, now_ns)
            if error.rule == "session":
                self._check_foreign_session(chunk, now_ns)
            raise
        self._gate.accepted(chunk, now_ns)
        self._bad_chunks = 0
        self._sources.use_policy(accepted, self.mode.is_armed)

    def add_teleop(self, command: TeleopCommand, now_ns: int, steady_ns: int) -> None:
        """Take a message of the node teleop; see TeleopSource.

        While it is engaged the policy does not drive. When it is released, the policy's newest
        chunk continues, if it still has rows.

        Raises:
            ChunkRejected: Its chunk breaks a rule; the last one continues, but not for long.
        """
        try:
            self._sources.add_teleop(command, self.epoch, self.mode.is_armed, now_ns, steady_ns)
        except ChunkRejected as error:
            bad = self.teleop.bad_chunks
            if bad >= self.settings.max_bad_chunks and self.mode.is_armed:
                self.fault(now_ns, f"{bad} malformed chunks of teleop in a row: {error}")
            raise
        finally:
            conflict = self.teleop.conflict(steady_ns)
            if conflict and self.mode < Mode.FAULTED:
                self.fault(now_ns, conflict)

    def reject(self, error: ChunkRejected, now_ns: int) -> None:
        """Count a rejected chunk; several malformed ones in a row latch a fault.

        While an operator drives they are counted and latch nothing: they move nothing.
        """
        self.counts[f"chunks_rejected_{error.rule}"] += 1
        if error.rule in MALFORMED and not self.teleop.engaged:
            self._bad_chunks += 1
            if self._bad_chunks >= self.settings.max_bad_chunks and self.mode.is_armed:
                self.fault(now_ns, f"{self._bad_chunks} malformed chunks in a row: {error}")

    # Requests of operators, and faults.

    def arm(self, now_ns: int, steady_ns: int) -> None:
        """Arm the robot at its measured position.

        Raises:
            MessageError: It cannot be armed now; the text gives the reason.
        """
        if self.mode.is_armed:
            return
        self.state.check_arm()
        self._arm(now_ns, steady_ns)

    def resume(self, now_ns: int, steady_ns: int) -> None:
        """Resume after an operator's stop, at the measured position.

        Raises:
            MessageError: It is not stopped, a fault is latched, or it cannot be armed.
        """
        self.state.check_resume()
        self._arm(now_ns, steady_ns)

    def disarm(self, now_ns: int, reason: str = "disarmed by an operator") -> None:
        """Brake, then send no commands. A latched stop stays latched."""
        self._begin_settling(self.state.disarm(reason), now_ns)

    def fault(self, now_ns: int, reason: str) -> None:
        """Brake and latch a fault: only reset and arm let the robot move again."""
        self._begin_settling(self.state.fault(reason), now_ns)

    def stop(self, now_ns: int, reason: str) -> None:
        """Brake and latch a stop, until resume, or reset and arm."""
        self._begin_settling(self.state.stop(reason), now_ns)

    def reset(self) -> None:
        """Clear a fault or a stop; the robot still has to be armed."""
        self.state.reset()
        self._gate.clear()
        self.teleop.clear()

    def time_jumped_back(self, now_ns: int) -> None:
        """Void measurements, chunks and deadlines after a backward jump of time."""
        self.measured_state.clear()
        self.state.void()
        self._void_chunks()
        self._holds.fail(now_ns)
        if self._settle_until_ns is not None:
            self._settle_until_ns = now_ns + round(self.settings.settle_time_s * 1e9)

    # Output.

    def tick(self, now_ns: int, steady_ns: int) -> Tick:
        """Update the mode and return the command for one period.

        Args:
            now_ns: Time of the tick by the clock of the stamps [ns].
            steady_ns: Time of the tick by the clock of the peers' timeouts [ns].
        """
        if self._ticked_ns is not None and (self._ticked_ns - now_ns) * 1e-9 > _STEP_BACK:
            self.time_jumped_back(now_ns)
            self.peers.on_time_jump(steady_ns)
            self.teleop.on_time_jump(now_ns, steady_ns)
        self._ticked_ns = now_ns
        self._gate.texts.tick(now_ns)
        measurement = self.measured_state.measurement()
        self._check_latches(measurement, now_ns, steady_ns)
        target = None
        if self.mode.is_armed:
            target = self._armed_tick(now_ns, steady_ns)
            if measurement is not None:
                commands_grippers = self.motion.has_run  # Not before a chunk moves them.
                self._gripper_goals.update(
                    self.motion.commanded if commands_grippers else None, measurement.values
                )
        elif self._settle_until_ns is not None and (
            now_ns < self._settle_until_ns or not self.motion.at_rest
        ):
            self.motion.hold()
        else:
            return Tick(self.mode, self.reason, None, measurement, None)
        self.counts["ticks_sent"] += 1
        return Tick(self.mode, self.reason, self.motion.commanded, measurement, target)

    @property
    def mode(self) -> Mode:
        """Current mode."""
        return self.state.mode

    @property
    def reason(self) -> str:
        """Reason of the mode, one clause."""
        return self.state.reason

    @property
    def epoch(self) -> int:
        """Epoch that chunks must carry; rises whenever earlier ones become void."""
        return self.state.epoch

    @property
    def control_source(self) -> ControlSource:
        """Whose actions the last command followed."""
        chunk = self.motion.chunk
        running = self.mode is Mode.RUNNING and chunk is not None
        return chunk.source if running and chunk is not None else ControlSource.NONE

    @property
    def is_idle(self) -> bool:
        """True if the robot is at rest because it has no task, not because of a fault."""
        if self.mode is not Mode.HOLDING:
            return self.mode is Mode.DISARMED
        if self.teleop.engaged:
            return self._holds.healthy
        return self._holds.healthy and self._rest.is_expected(self._ticked_ns or 0)

    def input_problem(self, now_ns: int, steady_ns: int) -> str:
        """Return the fault of measurements, peers or outputs, as one clause; "" without one."""
        return self._holds.input_problem(self.output_problem, now_ns, steady_ns)

    def _arm(self, now_ns: int, steady_ns: int) -> None:
        measurement = self.measured_state.require(now_ns)
        missing = self.peers.missing(steady_ns)
        if missing:
            raise MessageError(
                f"no heartbeat from {', '.join(missing)}: check that they are active"
            )
        if self.output_problem:
            raise MessageError(self.output_problem)
        if not self.motion.at_rest:
            raise MessageError("the robot is still braking: try again when it is at rest")
        self.state.arm()
        self.peers.on_armed()
        self._gate.clear()
        self.motion.begin(self._gripper_goals.start(measurement.values))
        self._bad_chunks = 0
        self._settle_until_ns = None
        self.teleop.clear()
        self._sources.drop()
        self._holds.clear()
        self._armed_ns = now_ns
        self._rest.clear()

    def _check_foreign_session(self, chunk: Chunk, now_ns: int) -> None:
        """Latch a fault on a chunk of another session with an observation newer than arming.

        By then this graph's policy has received the current session.
        """
        if self.mode.is_armed and chunk.stamp_ns > self._armed_ns + _OLD_SESSION_NS:
            self.fault(
                now_ns, f"chunks of unknown session {chunk.session}: stop the other policy node"
            )

    def _check_latches(self, measurement: Measurement | None, now_ns: int, steady_ns: int) -> None:
        """Disarm when a peer is gone, fault when a joint does not track its command."""
        if not self.mode.is_armed:
            return
        if gone := self.peers.gone(steady_ns):
            self.disarm(now_ns, f"{gone}: {ARM_AGAIN}")
            self.peers.remove_gone(steady_ns)
            return
        if measurement is not None and (off := self.motion.tracking_problem(measurement.values)):
            self.fault(now_ns, off)

    def _armed_tick(self, now_ns: int, steady_ns: int) -> Target | None:
        """Follow the chunk if inputs are healthy, else hold; return the followed target."""
        problem = self._holds.update(self.output_problem, now_ns, steady_ns)
        self._rest.tick(now_ns)
        if problem:
            self.motion.clear()
        self._sources.tick()
        target = None if problem else self.motion.follow(now_ns)
        if target is None:
            self.motion.hold()
            ended = "waiting for the next chunk of teleop" if self.teleop.engaged else ""
            self.state.hold(problem or ended or self._rest.reason)
        else:
            self.state.run()
            if target.chunk.source is ControlSource.POLICY:
                self._rest.on_policy_row()
        return target

    def _begin_settling(self, was_armed: bool, now_ns: int) -> None:
        """Brake for `settle_time_s` if it was armed, and void chunks."""
        if was_armed:
            self._settle_until_ns = now_ns + round(self.settings.settle_time_s * 1e9)
        self._void_chunks()

    def _void_chunks(self) -> None:
        self.motion.clear()
        self._gate.clear()
        self.teleop.void()
        self._sources.drop()
