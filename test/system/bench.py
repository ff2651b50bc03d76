"""The bridge's own logic on a clock that is turned: for the thousands that a wire has no time for.

The judge is the same witness as at the controllers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pi05_msgs.msg import ActionChunk
from pi05_ros.control.bridge import Bridge, Tick
from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.errors import MessageError
from pi05_ros.nodes.common.conversions import chunk_from_message, float_array, ns_to_time
from pi05_ros.platforms.platform import Platform
from system.witness import Command, Witness

SESSION = 77


class Bench:
    """A bridge with a robot that follows at once. Time moves with `tick`.

    Attributes:
        bridge: Under test.
        witness: Of what it commands.
        commanded: Last command, (D,) float64; the home pose before the first.
        now_ns: The time, of both its clocks.
    """

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.bridge = Bridge(platform, SESSION)
        self.witness = Witness(platform)
        self.now_ns = 1_000_000_000_000
        self.gripper_faults = 0  # Commands to grippers that were not finite or outside 0 to 1.
        self._period_ns = round(platform.period * 1e9)
        self._ticks = 0
        self._sequence = 0
        self.commanded = platform.home.copy()
        self._joints = [
            (d.joint_name, index, group)
            for group in platform.groups
            for d in group.dimensions
            if not d.is_velocity
            for index in [platform.index(d.name)]
        ]

    def tick(self) -> Tick:
        """One period: the robot is measured, the bridge decides, the robot follows."""
        self.now_ns += self._period_ns
        self._ticks += 1
        self._measure()
        tick = self.bridge.tick(self.now_ns, self.now_ns)
        if tick.command is not None:
            self.commanded = tick.command.copy()
            self._record(tick.command)
        return tick

    def arm(self) -> None:
        """Resets what is latched and arms, ticking until the bridge lets itself be armed."""
        self.bridge.reset()
        self.insist(self.bridge.arm)

    def insist(self, act: Callable[[int, int], None]) -> None:
        """Calls `act(now_ns, steady_ns)` (arm, resume), ticking while it is refused.

        Raises:
            MessageError: It is refused for more than 4 s.
        """
        for _ in range(200):
            self.tick()
            try:
                act(self.now_ns, self.now_ns)
                return
            except MessageError as error:
                refusal = str(error)
        raise MessageError(f"the bridge refuses: {refusal}")

    def chunk(self, actions: np.ndarray, subtask_id: int = 0) -> ActionChunk:
        """A good chunk from an observation of now; actions (H, D) float64 in platform units."""
        self._sequence += 1
        message = ActionChunk(
            session=SESSION,
            epoch=self.bridge.epoch,
            sequence=self._sequence,
            subtask_id=subtask_id,
            names=list(self.platform.names),
            period=self.platform.period,
            horizon=len(actions),
            data=float_array(actions, "f"),
        )
        message.header.stamp = ns_to_time(self.now_ns)
        return message

    def send(self, message: ActionChunk) -> bool:
        """Gives the bridge a message as its node does. Returns whether it passed all checks."""
        try:
            chunk = chunk_from_message(message)
        except MessageError as error:
            self.bridge.reject(ChunkRejected("stamp", str(error)), self.now_ns)
            return False
        try:
            self.bridge.add_chunk(chunk, self.now_ns)
        except ChunkRejected:
            return False
        return True

    def _measure(self) -> None:
        names, positions = [], []
        for name, index, group in self._joints:
            value = float(self.commanded[index])
            if group.kind == "parallel_gripper":
                value = group.joint_closed + value * (group.joint_open - group.joint_closed)
            names.append(name)
            positions.append(value)
        self.bridge.add_joint_states(names, positions, self.now_ns, self.now_ns)
        velocity = self.commanded[self.platform.is_velocity].tolist()
        self.bridge.add_odometry(velocity, self.now_ns, self.now_ns)

    def _record(self, command: np.ndarray) -> None:
        for name in self.witness.commands:
            values = command[self.platform.slices[name]].copy()
            self.witness.add(name, Command(self.now_ns, self._ticks, 0, values))
        for group in self.platform.groups_of("parallel_gripper"):
            values = command[self.platform.slices[group.name]]
            self.gripper_faults += not bool(((values >= 0) & (values <= 1)).all())
