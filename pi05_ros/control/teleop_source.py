"""The operator as a source of chunks: the commands of the node teleop, and when to follow them."""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from dataclasses import dataclass

from pi05_ros.control.chunk import (
    MALFORMED,
    AcceptedChunk,
    Chunk,
    ChunkRejected,
    ControlSource,
    accept_chunk,
)
from pi05_ros.control.gate import ChunkGate
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.platforms.platform import Platform

# A sequence that falls is a new activation of the node, once. Twice within this time, two nodes
# publish: a node is not restarted that fast [ns].
_CONFLICT_NS = 1_000_000_000


class TeleopState(enum.IntEnum):
    """State of the dead-man switch; values as in pi05_msgs/TeleopCommand."""

    RELEASED = 0
    ALIGNING = 1
    ENGAGED = 2


@dataclass(frozen=True)
class TeleopCommand:
    """One message of the node teleop."""

    sequence: int
    state: TeleopState
    device: str  # "leader", "gamepad", "hand_pose", "page"; empty: none.
    reason: str  # Why the device does not move the robot, one clause; empty: it does.
    chunk: Chunk | None  # Targets of ENGAGED. None: another state, or a malformed stamp.


class TeleopSource:
    """Follows the state of the dead-man switch, and checks the operator's chunks.

    Control is taken by the first ENGAGED and given back by RELEASED only: neither silence nor old
    or malformed chunks return the robot to the policy.

    Chunks pass the checks of the policy's, with an age limit and sequences of their own. Tasks and
    subtasks do not concern them.

    Args:
        platform: The robot.
        session: Of the bridge.
        settings: Thresholds.

    Attributes:
        engaged: True from ENGAGED to RELEASED: the policy does not drive.
        device: Device that has control; empty: none.
        bad_chunks: Malformed chunks in a row.
    """

    def __init__(self, platform: Platform, session: int, settings: BridgeSettings) -> None:
        self.engaged = False
        self.device = ""
        self.bad_chunks = 0
        self._platform, self._settings = platform, settings
        self._gate = ChunkGate(
            session,
            settings.teleop_max_age_s,
            settings.max_lead_s,
            platform.period,
            origin="input",
        )
        self._arrived_ns = 0  # When the last message arrived (steady).
        self._engaged_ns = 0  # When control was taken.
        self._newest_ns: int | None = None  # Stamp of the last accepted chunk; None: none yet.
        self._rejection = ""  # Why the last chunk was rejected; empty: it was accepted.
        self._reason = ""  # Why the device does not move the robot; empty: it does.
        self._is_aligning = False
        self._sequence = 0
        self._falls_ns: deque[int] = deque(maxlen=2)  # When the sequence fell (steady).

    def clear(self) -> None:
        """Forget who drove, when the robot is armed or reset; a held switch counts again."""
        self.engaged = False
        self._sequence = 0
        self._falls_ns.clear()
        self.void()

    def void(self) -> None:
        """Begin a new epoch: earlier chunks no longer count."""
        self._gate.clear()
        self._newest_ns = None
        self.bad_chunks = 0

    def on_time_jump(self, now_ns: int, steady_ns: int) -> None:
        """Take a backward jump of the clock: nothing arrived later than now."""
        self._arrived_ns = min(self._arrived_ns, steady_ns)
        self._engaged_ns = min(self._engaged_ns, now_ns)

    def add(
        self, command: TeleopCommand, epoch: int, now_ns: int, steady_ns: int
    ) -> AcceptedChunk | None:
        """Take one message.

        Args:
            command: The message.
            epoch: Of the bridge.
            now_ns: Time of arrival by the clock of the stamps [ns].
            steady_ns: Time of arrival by the clock of the timeouts [ns].

        Returns:
            The chunk to follow; None: there is none in this state.

        Raises:
            ChunkRejected: The switch is held, and the chunk breaks a rule.
        """
        if command.sequence <= self._sequence:
            self._falls_ns.append(steady_ns)
        self._sequence, self._arrived_ns = command.sequence, steady_ns
        self.device, self._reason = command.device, command.reason
        self._is_aligning = command.state is TeleopState.ALIGNING
        if command.state is TeleopState.RELEASED:
            self.engaged = False
            return None
        if self._is_aligning:
            return None
        if not self.engaged:
            self.engaged, self._engaged_ns = True, now_ns
            self._newest_ns, self._rejection = None, ""
            self._gate.clear()  # Stamps of another device may be behind those of the last one.
        try:
            return self._accept(command.chunk, epoch, now_ns)
        except ChunkRejected as error:
            self._rejection = str(error)
            self.bad_chunks += error.rule in MALFORMED
            raise

    def conflict(self, steady_ns: int) -> str:
        """Return that two nodes publish commands, as one clause; empty: they do not."""
        if len(self._falls_ns) < 2 or steady_ns - self._falls_ns[0] > _CONFLICT_NS:
            return ""
        return "two nodes publish teleop_command: stop one of them"

    def problem(self, now_ns: int, steady_ns: int) -> str:
        """Return why the held switch is not to be believed, as one clause; empty: it is."""
        if not self.engaged:
            return ""
        silence_s = (steady_ns - self._arrived_ns) * 1e-9
        silent = f"teleop is silent for {silence_s:.1f} s"
        if silence_s > self._settings.teleop_silence_s:
            return silent
        if self._is_aligning:
            return ""
        newest_ns = self._engaged_ns if self._newest_ns is None else self._newest_ns
        age_s = (now_ns - newest_ns) * 1e-9
        if age_s <= self._settings.teleop_max_age_s:
            return ""
        if silence_s > 0.5 * self._settings.teleop_silence_s:  # The cause of the age.
            return silent
        if self._reason:
            return f"teleop: {self._reason}"
        if self._rejection:
            return f"the chunks of teleop are rejected: {self._rejection}"
        return f"the newest input of teleop is {age_s:.2f} s old: check its device"

    @property
    def pause(self) -> str:
        """Why there is nothing to follow although nothing is wrong, as one clause; else empty."""
        if not self.engaged:
            return ""
        if self._is_aligning:
            return f"teleop aligns: {self._reason or 'its device does not match the robot yet'}"
        return "waiting for the first chunk of teleop" if self._newest_ns is None else ""

    def _accept(self, chunk: Chunk | None, epoch: int, now_ns: int) -> AcceptedChunk:
        if chunk is None:
            raise ChunkRejected("stamp", "a stamp is malformed")
        ahead_s = (chunk.stamp_ns - chunk.start_ns) * 1e-9
        if 0.0 < ahead_s <= self._settings.max_lead_s:  # The device's clock is a little ahead.
            chunk = dataclasses.replace(chunk, stamp_ns=chunk.start_ns)
        self._gate.check(chunk, epoch, now_ns)
        accepted = accept_chunk(chunk, self._platform, self._settings)
        self._gate.accepted(chunk, now_ns)
        self._newest_ns, self._rejection, self.bad_chunks = chunk.stamp_ns, "", 0
        return dataclasses.replace(accepted, source=ControlSource.TELEOP)
