"""A policy without a model: chunks of slow sines for the bridge's present session and epoch."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.node import Node

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.platforms.platform import Platform
from system.relay import LineFaults, Relay
from system.threads import Rhythm

HORIZON = 50  # Rows.
_LINE_PERIOD = 0.005  # How often the line is emptied [s].


@dataclass(frozen=True)
class Motion:
    """Targets of the chunks: each joint swings around the home pose, the base drives steadily.

    At 0.1 rad and 0.4 Hz a joint brakes from its greatest speed within 0.01 rad, below the limit
    of 0.02 rad on the drift of a hold.
    """

    amplitude: float = 0.1  # Of arm joints [rad].
    lift: float = 0.015  # Of prismatic joints [m].
    frequency: float = 0.4  # [Hz]
    base: tuple[float, float, float] = (0.2, 0.1, 0.2)  # vx, vy [m/s], wz [rad/s]
    gripper: float = 0.5  # [-]
    phase: float = 0.0  # Between two neighbouring entries of the vector [rad].
    shift: float = 0.0  # Offset of all arm joints from home, towards mid-range [rad].

    def rows(self, platform: Platform, times: np.ndarray) -> np.ndarray:
        """Return targets at `times` (K,) [s] of any clock, (K, D) float64 in platform units."""
        rows = np.tile(platform.home, (len(times), 1))
        base = iter(self.base)
        for index, dimension in enumerate(platform.dimensions):
            if dimension.is_velocity:
                rows[:, index] = next(base)
            elif dimension.unit == "fraction":
                rows[:, index] = self.gripper
            else:
                swing = self.lift if dimension.unit == "m" else self.amplitude
                middle = np.clip(
                    dimension.home, dimension.lower + 1.1 * swing, dimension.upper - 1.1 * swing
                )
                centre = 0.5 * (dimension.lower + dimension.upper)
                shift = self.shift if dimension.unit == "rad" else 0.0
                wave = np.sin(2 * math.pi * self.frequency * times + index * self.phase)
                rows[:, index] = middle + swing * wave + math.copysign(shift, centre - middle)
        return rows


class ChunkSource:
    """A publisher of one chunk a period while it is switched on.

    Attributes:
        on: Whether it publishes.
        motion: Targets of the chunks.
        change: Changes each message before it is sent; None: nothing.
        subtask_id: Of the chunks.
        observation_age: Age of a chunk's observation when the chunk is made [s].
        sent: Number of chunks that were made.
        last_stamp_ns: Stamp of the newest chunk, by the robot's clock.
    """

    def __init__(
        self,
        node: Node,
        platform: Platform,
        state: Callable[[], RobotState | None],
        now_ns: Callable[[], int],
        *,
        period: float = 0.1,
        line: LineFaults | None = None,
        seed: int = 0,
    ) -> None:
        self.platform = platform
        self.on = False
        self.motion = Motion()
        self.change: Callable[[ActionChunk], ActionChunk] | None = None
        self.subtask_id = 0
        self.observation_age = 0.03
        self.sent = 0
        self.last_stamp_ns = 0
        self.relay: Relay[ActionChunk] = Relay(line or LineFaults(), seed)
        self._state = state
        self._now_ns = now_ns
        self._began = time.monotonic()
        self._publisher = node.create_publisher(ActionChunk, "action_chunk", qos.ACTION_CHUNK)
        self._rhythms = [Rhythm("policy", period, self._tick)]
        # Without a line `send` publishes at once.
        if line is not None:
            self._rhythms.append(Rhythm("relay", _LINE_PERIOD, self._deliver))
        self._direct = line is None

    def chunk(self) -> ActionChunk | None:
        """Return a valid chunk for now; None while the bridge's session is not known."""
        state = self._state()
        if state is None:
            return None
        age_ns = round(self.observation_age * 1e9)
        stamp_ns = self._now_ns() - age_ns
        began = time.monotonic() - self._began - self.observation_age
        times = began + np.arange(HORIZON) * self.platform.period
        self.sent += 1
        self.last_stamp_ns = stamp_ns
        message = ActionChunk(
            session=state.session,
            epoch=state.epoch,
            sequence=self.sent,
            subtask_id=self.subtask_id,
            names=list(self.platform.names),
            period=self.platform.period,
            horizon=HORIZON,
            data=float_array(self.motion.rows(self.platform, times), "f"),
            latency=self.observation_age,
        )
        message.header.stamp = ns_to_time(stamp_ns)
        message.header.frame_id = self.platform.base_frame
        return message

    def send(self, message: ActionChunk) -> None:
        """Send a message over the line."""
        if self._direct:
            self._publisher.publish(message)
        else:
            self.relay.put(copy.copy(message), time.monotonic())

    def publish(self, message: ActionChunk) -> None:
        """Publish at once, without the line."""
        self._publisher.publish(message)

    def close(self) -> None:
        """Stop publishing."""
        for rhythm in self._rhythms:
            rhythm.close()

    def _tick(self) -> None:
        if not self.on:
            return
        message = self.chunk()
        if message is not None:
            self.send(message if self.change is None else self.change(message))

    def _deliver(self) -> None:
        for message in self.relay.take(time.monotonic()):
            self._publisher.publish(message)
