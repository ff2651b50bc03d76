"""The bridge's logic on a simulated clock, for thousands of chunks.

The judge is the same witness as at the controllers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pi05_msgs.msg import ActionChunk
from pi05_ros.control.bridge import Tick
from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.errors import MessageError
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.nodes.common.conversions import chunk_from_message, float_array, ns_to_time
from pi05_ros.platforms.platform import Platform
from system.witness import Command, Witness


class Bench:
    """A bridge with an ideal robot. Time moves with `tick`.

    Attributes:
        bridge: Under test.
        witness: Of its commands.
        commanded: Last command, (D,) float64; the home pose before the first.
        now_ns: Time of both its clocks.
        gripper_faults: Commands to grippers that were not finite or outside 0 to 1.
    """

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.witness = Witness(platform)
        self.now_ns = 1_000_000_000_000
        self.gripper_faults = 0
        self.commanded = platform.home.copy()
        self._robot = BridgedRobot(platform)
        self.bridge = self._robot.bridge
        self._period_ns = round(platform.period * 1e9)
        self._ticks = 0
        self._sequence = 0

    def tick(self) -> Tick:
        """Advance by one period: the robot is measured, the bridge decides, the robot follows."""
        self.now_ns += self._period_ns
        self._ticks += 1
        self._robot.measure(self.now_ns)
        tick = self._robot.tick(self.now_ns)
        if tick.command is not None:
            self.commanded = tick.command.copy()
            self._record(tick.command)
        return tick

    def arm(self) -> None:
        """Reset what is latched and arm, ticking until the bridge accepts it."""
        self.bridge.reset()
        self.insist(self.bridge.arm)

    def insist(self, act: Callable[[int, int], None]) -> None:
        """Call `act(now_ns, steady_ns)` (arm, resume), ticking while it is refused.

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
        """Return a valid chunk of an observation of now; actions (H, D) float64."""
        self._sequence += 1
        message = ActionChunk(
            session=self.bridge.session,
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
        """Hand the bridge a message as its node does. Return whether it passed all checks."""
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

    def _record(self, command: np.ndarray) -> None:
        for name in self.witness.commands:
            values = command[self.platform.slices[name]].copy()
            self.witness.add(name, Command(self.now_ns, self._ticks, 0, values))
        for group in self.platform.groups_of("parallel_gripper"):
            values = command[self.platform.slices[group.name]]
            self.gripper_faults += not bool(((values >= 0) & (values <= 1)).all())
