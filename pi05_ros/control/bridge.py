"""The control bridge without ROS: modes, health, and the one command of each tick.

Modes and who changes them:

    DISARMED --arm--> HOLDING <--> RUNNING      (by itself: chunks and measurements)
       ^                 |            |
       |<----disarm------+------------+
    STOPPED <--stop-- any mode; --reset--> DISARMED

A hold is a software hold, never a safe stop: arms and torso stay where they are commanded, the
base ramps to zero within 100 ms.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.control.chunk import Chunk, ChunkRejected, check_chunk
from pi05_ros.control.limiter import Limiter
from pi05_ros.control.measurement import Measurement, StateAssembler
from pi05_ros.control.stream import ChunkStream
from pi05_ros.errors import MessageError
from pi05_ros.platforms import Platform

# Time may step back by so much (NTP does) before what belongs to it is void [s].
_STEP_BACK = 0.1


class Mode(enum.IntEnum):
    """Values are those of pi05_msgs/RobotState.MODE_*, from the least to the most severe."""

    RUNNING = 1
    HOLDING = 2
    DISARMED = 3
    FAULTED = 4
    STOPPED = 5


@dataclass(frozen=True)
class BridgeSettings:
    """When the bridge trusts what it gets."""

    measurement_timeout: float = 0.1  # Older joint states or odometry mean hold [s].
    chunk_max_age: float = 0.5  # A chunk from an older observation is rejected [s].
    chunk_max_lead: float = 0.05  # A chunk stamped further in the future is rejected [s].
    limit_tolerance: float = 0.05  # Share of a range by which a value may leave it and be clamped.
    recovery_time: float = 1.0  # Healthy input for this long ends a hold for bad measurements [s].
    max_bad_joint_states: int = 3  # So many faulty messages in a row mean hold.
    settle_time: float = 0.5  # After disarm or stop, holding commands go out at least so long [s].

    def __post_init__(self) -> None:
        if min(self.measurement_timeout, self.chunk_max_age, self.recovery_time) <= 0:
            raise ValueError("timeouts and recovery_time must be above 0 s")
        if not 0 <= self.limit_tolerance < 1:
            raise ValueError("limit_tolerance is a share of the range, from 0 to below 1")


@dataclass(frozen=True)
class Tick:
    """What one tick decided."""

    mode: Mode
    reason: str  # Why, in plain words; empty when there is nothing to say.
    command: np.ndarray | None  # (D,) float64 to send now, platform units; None: send nothing.
    measurement: Measurement | None  # None while the state is not known.


class Bridge:
    """Decides, tick by tick, what the controllers get. Its node holds one lock around it."""

    def __init__(
        self, platform: Platform, session: int, settings: BridgeSettings | None = None
    ) -> None:
        """Starts disarmed.

        Args:
            platform: The robot.
            session: Not 0, drawn anew at each activation; chunks of another session are rejected.
            settings: Trust settings; None takes the defaults.
        """
        self.platform = platform
        self.session = session
        self.epoch = 1
        self.settings = settings or BridgeSettings()
        self.mode = Mode.DISARMED
        self.reason = "not armed yet: call the service 'arm'"
        self.counts: Counter[str] = Counter()  # Accepted, rejected by rule, dropped messages.
        self._assembler = StateAssembler(platform)
        self._limiter = Limiter(platform)
        self._stream = ChunkStream(platform)
        self._commanded: np.ndarray | None = None
        self._newest = (0, 0)  # (stamp_ns, sequence) of the newest chunk of this epoch.
        self._bad_joint_states = 0
        self._bad_reason = ""
        self._unhealthy_ns: int | None = None  # When a measurement was last seen to be bad.
        self._ticked_ns: int | None = None  # When the last tick was.
        self._quiet_ns: int | None = None  # When holding commands end after disarm or stop.

    # What comes in.

    def add_joint_states(
        self, names: Sequence[str], positions: Sequence[float], stamp_ns: int, now_ns: int
    ) -> None:
        """Takes one JointState message; see StateAssembler.add_joint_states.

        Raises:
            MessageError: It was dropped.
        """
        try:
            self._assembler.add_joint_states(names, positions, stamp_ns, now_ns)
        except MessageError as error:
            self.counts["joint_states_dropped"] += 1
            self._bad_joint_states += 1
            self._bad_reason = str(error)
            raise
        self._bad_joint_states = 0

    def add_odometry(self, velocity: Sequence[float], stamp_ns: int, now_ns: int) -> None:
        """Takes one odometry twist; see StateAssembler.add_odometry.

        Raises:
            MessageError: It was dropped.
        """
        try:
            self._assembler.add_odometry(velocity, stamp_ns, now_ns)
        except MessageError:
            self.counts["odometry_dropped"] += 1
            raise

    def add_chunk(self, chunk: Chunk, now_ns: int) -> None:
        """Checks a chunk; when the bridge is armed and well, the next tick executes it.

        Raises:
            ChunkRejected: It breaks a rule; what was being executed goes on.
        """
        try:
            self._check_origin(chunk, now_ns)
            accepted = check_chunk(chunk, self.platform, self.settings.limit_tolerance)
        except ChunkRejected as error:
            self.counts[f"chunks_rejected_{error.rule}"] += 1
            raise
        self._newest = (chunk.stamp_ns, chunk.sequence)
        if self.mode not in (Mode.RUNNING, Mode.HOLDING):
            self.counts["chunks_unused"] += 1
            return
        if self._unhealthy_ns is not None:
            self.counts["chunks_unused"] += 1
            return
        self.counts["chunks_accepted"] += 1
        self.counts["values_clamped"] += accepted.clamped
        self._stream.replace(accepted)

    # What an operator says.

    def arm(self, now_ns: int) -> None:
        """Lets chunks move the robot, from where it stands now.

        Raises:
            MessageError: It cannot be armed now; the text says why.
        """
        if self.mode in (Mode.RUNNING, Mode.HOLDING):
            return
        if self.mode == Mode.STOPPED:
            raise MessageError(f"stopped ({self.reason}): call 'reset' first")
        measurement = self._assembler.measurement()
        if measurement is None:
            missing = self._assembler.missing()
            raise MessageError(f"no measurement yet of {', '.join(missing[:4])}")
        if problem := self.measurement_problem(now_ns):
            raise MessageError(problem)
        if problem := self._place_problem(measurement.values):
            raise MessageError(problem)
        if not self._limiter.at_rest:
            raise MessageError("still coming to rest: arm again in a moment")
        self._void_chunks()
        self._limiter.reset(measurement.values)
        self._quiet_ns = None
        self._unhealthy_ns = None
        self._change(Mode.HOLDING, "armed, waiting for a chunk")

    def disarm(self, now_ns: int, reason: str = "disarmed by an operator") -> None:
        """Brings the robot to rest and sends nothing from then on. A stop stays a stop."""
        if self.mode in (Mode.RUNNING, Mode.HOLDING):
            self._void_chunks()
            self._quiet_ns = now_ns + round(self.settings.settle_time * 1e9)
            self._change(Mode.DISARMED, reason)

    def stop(self, now_ns: int, reason: str) -> None:
        """Brings the robot to rest and latches: only reset and arm let it move again."""
        if self.mode in (Mode.RUNNING, Mode.HOLDING):
            self._quiet_ns = now_ns + round(self.settings.settle_time * 1e9)
        self._void_chunks()
        self._change(Mode.STOPPED, reason)

    def reset(self) -> None:
        """Leaves the stop; the robot still has to be armed."""
        if self.mode == Mode.STOPPED:
            self._change(Mode.DISARMED, "stop was reset: call 'arm'")

    def time_jumped_back(self, now_ns: int) -> None:
        """Voids what belongs to an earlier time: measurements, chunks, deadlines."""
        self._assembler.clear()
        self._void_chunks()
        self._unhealthy_ns = now_ns
        if self._quiet_ns is not None:
            self._quiet_ns = now_ns + round(self.settings.settle_time * 1e9)

    # What goes out.

    def tick(self, now_ns: int) -> Tick:
        """One period: updates the mode and gives the command to send.

        Args:
            now_ns: Time of the tick by the clock of the stamps [ns].
        """
        if self._ticked_ns is not None and (self._ticked_ns - now_ns) * 1e-9 > _STEP_BACK:
            self.time_jumped_back(now_ns)
        self._ticked_ns = now_ns
        measurement = self._assembler.measurement()
        if self.mode in (Mode.RUNNING, Mode.HOLDING):
            command = self._armed_command(now_ns)
        elif self._quiet_ns is not None and (now_ns < self._quiet_ns or not self._limiter.at_rest):
            command = self._limiter.hold().values
        else:
            command = None
        if command is not None:
            self._commanded = command
            self.counts["ticks_sent"] += 1
        return Tick(self.mode, self.reason, command, measurement)

    @property
    def commanded(self) -> np.ndarray:
        """What was last sent, (D,) float64; NaN where nothing was sent yet."""
        if self._commanded is None:
            return np.full(self.platform.size, np.nan)
        return self._commanded.copy()

    @property
    def at_rest(self) -> bool:
        """Whether what was last commanded stands still."""
        return self._limiter.at_rest

    def measurement_problem(self, now_ns: int) -> str:
        """What is wrong with the measurements, as one clause; empty when nothing is."""
        if self._bad_joint_states >= self.settings.max_bad_joint_states:
            return self._bad_reason
        missing = self._assembler.missing()
        if missing:
            return f"no measurement of {', '.join(missing[:4])}{' …' if len(missing) > 4 else ''}"
        age = self._assembler.age(now_ns)
        if age > self.settings.measurement_timeout:
            return f"the measured state is {age:.2f} s old"
        return ""

    def _armed_command(self, now_ns: int) -> np.ndarray:
        problem = self.measurement_problem(now_ns)
        if problem:
            self._unhealthy_ns = now_ns
            self._stream.clear()
        elif self._unhealthy_ns is not None:
            if (now_ns - self._unhealthy_ns) * 1e-9 < self.settings.recovery_time:
                problem = "measurements are back, waiting to trust them"
            else:
                self._unhealthy_ns = None
        target = None if problem else self._stream.target(now_ns)
        if target is None:
            self._change(Mode.HOLDING, problem or "no chunk to execute")
            return self._limiter.hold().values
        self._change(Mode.RUNNING, "")
        limited = self._limiter.step(target)
        if limited.limited.any():
            self.counts["ticks_limited"] += 1
        return limited.values

    def _place_problem(self, values: np.ndarray) -> str:
        """Which joint stands so far outside its limits that the first command would be a jump.

        Commands begin at the limit: farther away than one period at full speed, the controller
        would be asked for more than the joint's greatest velocity. Grippers keep their own pace.
        """
        platform = self.platform
        reach = platform.max_velocity * platform.period
        outside = (values < platform.lower - reach) | (values > platform.upper + reach)
        for index in np.flatnonzero(outside):
            dimension = platform.dimensions[index]
            if dimension.unit in ("rad", "m"):
                return (
                    f"{dimension.name} stands at {values[index]:.3f} {dimension.unit}, outside "
                    f"{dimension.lower:g} to {dimension.upper:g}: move it inside its limits first"
                )
        return ""

    def _check_origin(self, chunk: Chunk, now_ns: int) -> None:
        """Raises ChunkRejected when a chunk comes from another session, epoch or time."""
        if chunk.session != self.session:
            raise ChunkRejected(
                "session",
                f"it belongs to session {chunk.session}, this bridge's is {self.session}",
            )
        if chunk.epoch != self.epoch:
            raise ChunkRejected("epoch", f"it belongs to epoch {chunk.epoch}, now is {self.epoch}")
        age = (now_ns - chunk.stamp_ns) * 1e-9
        if age > self.settings.chunk_max_age:
            raise ChunkRejected(
                "age",
                f"its observation is {age:.2f} s old, at most {self.settings.chunk_max_age:g} s "
                "are allowed",
            )
        if age < -self.settings.chunk_max_lead:
            raise ChunkRejected("future", f"its observation lies {-age:.2f} s in the future")
        # By stamp first: a restarted policy counts its chunks from 1 again.
        if (chunk.stamp_ns, chunk.sequence) <= self._newest:
            raise ChunkRejected(
                "sequence", f"chunk {chunk.sequence} is not newer than chunk {self._newest[1]}"
            )

    def _void_chunks(self) -> None:
        """Makes every chunk up to now void: a new epoch."""
        self._stream.clear()
        self._newest = (0, 0)
        self.epoch += 1

    def _change(self, mode: Mode, reason: str) -> None:
        self.mode, self.reason = mode, reason
