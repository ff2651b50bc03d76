"""A leader that the scripted expert moves, for the node teleop of a graph in a mock home.

    ./pi05 up mobile_18dof --sim --home 3 --teleop --brain none --record
    ./pi05 run python benchmarks/scripted_leader.py --platform mobile_18dof

It publishes what a leader of all entries would (the platform's leader `whole_body_leader`): joint
states and a clutch, and speaks the expert's subtasks as an operator would. It mirrors the robot
until the node teleop says that it follows, then does the task, and lets go. Beside a graph with
`--brain expert` and with `--seconds 10` it takes over for ten seconds and gives back.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import rclpy
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState

from pi05_msgs.msg import TeleopCommand
from pi05_msgs.srv import Instruct
from pi05_ros.foundation.settings import setting
from pi05_ros.nodes.brain_common.observation_inputs import ObservationInputs
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.event_loop import EventLoop
from pi05_ros.platforms.platform import Platform, load_platform
from pi05_ros.platforms.teleop import Leader
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.teleop.leader import unmapped

NAME = "whole_body_leader"
_CHUNK_S, _SUBTASK_S = 0.2, 1.0  # Periods of the expert's chunks and subtasks [s].
_HASTE = 1.2  # Largest speed of the leader, as a share of the robot's.
_STILL_S = 0.5  # It is still for this long before it presses and before it lets go [s].


@dataclass(frozen=True)
class LeaderParameters:
    """Parameters of the scripted leader."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")


def joint_states(platform: Platform, leader: Leader, vector: np.ndarray, held: bool) -> JointState:
    """Build the joint states of a leader, unstamped.

    Args:
        platform: The robot.
        leader: A leader of one topic, whose clutch is a joint.
        vector: (D,) pose of the leader, platform units; of the base, its velocities.
        held: Whether its clutch is held.
    """
    message = JointState()
    for joint in leader.joints:
        value = unmapped(platform, joint, vector)
        is_velocity = joint.field == "velocity"
        message.name.append(joint.joint)
        message.position.append(0.0 if is_velocity else value)
        message.velocity.append(value if is_velocity else 0.0)
    assert leader.clutch.above is not None
    message.name.append(leader.clutch.joint)
    message.position.append(leader.clutch.above + (1.0 if held else -1.0))
    message.velocity.append(0.0)
    return message


class ScriptedLeader(ManagedNode[LeaderParameters]):
    """Publishes the leader at 50 Hz, and asks the expert where to move it.

    Args:
        task: What to do.
        seconds: Time after which it lets go [s, simulated]; 0: when the task is done.
    """

    # It sends heartbeats, so that a mock home waits for the expert.
    VITAL = True

    def __init__(self, task: str, seconds: float, **arguments: Any) -> None:
        super().__init__("scripted_leader", LeaderParameters, **arguments)
        self._task, self._seconds = task, seconds
        self._platform = load_platform(self.parameters.platform)
        section = self._platform.teleop
        assert section is not None
        self._leader = next(leader for leader in section.leaders if leader.name == NAME)
        self._expert = ExpertBrain(self._platform)
        self._expert.warm_up()
        self._lock = threading.Lock()  # The worker plans while the executor publishes.
        self._chunk: tuple[int, np.ndarray] | None = None  # Time of row 0 [ns], rows.
        self._subtask, self._asked_ns, self._planned_ns = "", 0, 0
        self._begun_ns = self._engaged_ns = self._ended_ns = 0
        self._held = False
        self._robot = np.array(self._platform.home)
        self._last = self._robot
        self.faults: list[str] = []  # Reasons of the node teleop while it was engaged.
        self.done = threading.Event()

    def activate(self) -> None:
        """Begin."""
        self._publisher = self.create_publisher(
            JointState, self._leader.topics[0].topic, qos.SENSOR
        )
        self._instruct = self.create_client(Instruct, "instruct")
        self.create_subscription(
            TeleopCommand, "teleop_command", self.guarded(self._on_command), qos.ACTION_CHUNK
        )
        self._worker = self.start_worker("expert", self._plan)
        self._inputs = ObservationInputs(
            self, self._platform, (), (), True, lambda _: None, self._on_state
        )
        self._timer = self.robot_timer(self._platform.period, self._publish)

    def deactivate(self) -> None:
        """End."""
        self._timer.close()
        self._inputs.close()
        self.stop_worker(self._worker)

    def _on_state(self, state: Any, message: Any) -> None:
        known = np.isfinite(state.commanded)
        self._robot = np.where(known, state.commanded, state.measured)
        if self._engaged_ns and self.now_ns() - self._planned_ns >= _CHUNK_S * 1e9:
            self._planned_ns = self.now_ns()
            self._worker.wake()

    def _on_command(self, message: TeleopCommand) -> None:
        if message.state == TeleopCommand.ENGAGED and self._held:
            self._engaged_ns = self._engaged_ns or self.now_ns()
            if message.reason:  # As an operator would: let go, and press again.
                self.faults.append(message.reason)
                self.get_logger().error(message.reason)
                self._begun_ns, self._engaged_ns, self._chunk = self.now_ns(), 0, None
        elif self._begun_ns and not self._engaged_ns:
            self.get_logger().info(message.reason, throttle_duration_sec=1.0)

    def _plan(self) -> None:
        """Ask the expert: the worker's thread."""
        moment = self._inputs.latest()
        if moment is None:
            return
        observation = moment.observation
        if observation.stamp_ns - self._asked_ns >= _SUBTASK_S * 1e9:
            self._asked_ns = observation.stamp_ns
            answer = self._expert.predict_subtask(observation, self._task)
            if answer.done and not self._seconds:
                self._ended_ns = self._ended_ns or self.now_ns()
            elif answer.text and answer.text != self._subtask:
                self._subtask = answer.text
                self.get_logger().info(f"subtask: {answer.text}")
                self._instruct.call_async(Instruct.Request(text=answer.text))
        if self._subtask and self._engaged_ns:
            actions = self._expert.predict_chunk(observation, self._subtask).actions
            with self._lock:
                self._chunk = observation.stamp_ns, actions

    def _publish(self) -> None:
        """Publish the leader as it is now."""
        now_ns = self.now_ns()
        self._begun_ns = self._begun_ns or now_ns
        engaged_s = (now_ns - self._engaged_ns) * 1e-9 if self._engaged_ns else 0.0
        if self._seconds and engaged_s > self._seconds:
            self._ended_ns = self._ended_ns or now_ns
        vector = self._vector(now_ns)
        still_ns = _STILL_S * 1e9
        held = now_ns - self._begun_ns > still_ns
        if self._ended_ns and now_ns - self._ended_ns > still_ns:
            held = False
            if now_ns - self._ended_ns > 2 * still_ns:
                self.done.set()
        self._held = held
        message = joint_states(self._platform, self._leader, vector, held)
        message.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _vector(self, now_ns: int) -> np.ndarray:
        """Return the leader's pose: a row of the chunk, or where the robot is."""
        with self._lock:
            chunk = self._chunk
        velocity = self._platform.is_velocity
        if self._ended_ns or (self._engaged_ns and chunk is None):
            return np.where(velocity, 0.0, self._last)  # Where it was, still.
        if chunk is None or not self._engaged_ns:
            self._last = self._robot
            return self._robot
        start_ns, rows = chunk
        row = (now_ns - start_ns) * 1e-9 / self._platform.period
        wanted = rows[int(np.clip(row, 0, len(rows) - 1))]
        # A hand does not jump where the expert begins a chunk elsewhere.
        step = _HASTE * self._platform.max_velocity * self._platform.period
        moved = self._last + np.clip(wanted - self._last, -step, step)
        self._last = np.where(velocity, wanted, moved)
        return self._last


def main(arguments: list[str] | None = None) -> int:
    """Run the leader until it has let go."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", default="mobile_18dof")
    parser.add_argument("--namespace", default="pi05")
    parser.add_argument("--task", default="put the dishes in the sink")
    parser.add_argument("--seconds", type=float, default=0.0, help="0: until the task is done")
    parser.add_argument("--limit", type=float, default=600.0, help="[s, wall]")
    options = parser.parse_args(arguments)
    rclpy.init()
    node = ScriptedLeader(
        options.task,
        options.seconds,
        namespace=options.namespace,
        parameter_overrides=[
            Parameter("use_sim_time", value=True),
            Parameter("platform", value=options.platform),
        ],
    )
    loop = EventLoop()
    loop.add(node)
    node.trigger_configure()
    node.trigger_activate()
    loop.start()
    began = time.monotonic()
    finished = node.done.wait(options.limit)
    loop.stop()
    node.close()
    node.destroy_node()
    rclpy.shutdown()
    print(
        f"{'let go' if finished else 'NOT finished'} after {time.monotonic() - began:.0f} s wall"
    )
    for fault in node.faults:
        print(f"fault: {fault}")
    return 0 if finished else 1


if __name__ == "__main__":
    sys.exit(main())
