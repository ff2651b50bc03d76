"""Node `demo_monitor`: observes a run of the mock home for `pi05 demo` and sends its task.

Subscribes to the cameras, /clock, robot_state, subtask, action_chunk, task_score,
mock_home/statistics, /diagnostics, episode and lifecycle_manager/state; calls the action
execute_task and the services stop_episode, control_bridge/arm and reset. It publishes nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.node import Node
from rclpy.task import Future
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import ActionChunk, Episode, RobotState, Subtask, TaskScore
from pi05_msgs.srv import StopEpisode
from pi05_ros.errors import MessageError
from pi05_ros.evaluation.run_record import Bag, Commands, Outcome, RunRecord, Score
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import seconds_to_duration
from pi05_ros.nodes.common.driver_pictures import image_to_rgb
from pi05_ros.nodes.common.event_loop import EventLoop
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.controllers.witness import FAULTS as COMMAND_FAULTS


class DemoMonitor(Node):
    """Writes received messages into a RunRecord.

    Args:
        record: The record.
        platform: The robot.
        namespace: Namespace of the graph.
        **arguments: Passed on to Node (context).
    """

    def __init__(
        self, record: RunRecord, platform: Platform, namespace: str, **arguments: Any
    ) -> None:
        super().__init__("demo_monitor", namespace=namespace, **arguments)
        self._record = record
        self._images: dict[str, Image | CompressedImage] = {}  # Newest message of each camera.
        self._streamed = [
            group.controller.name
            for group in platform.groups
            if group.kind != "parallel_gripper" and not group.controller.is_action
        ]
        first = platform.camera_names[0]
        for camera in platform.cameras:
            kind = CompressedImage if camera.transport == "compressed" else Image
            self.create_subscription(
                kind,
                camera.topic,
                lambda message, name=camera.name: self._on_image(name, message, name == first),
                qos.DRIVER_IMAGE,
            )
        for kind, topic, callback, profile in (
            (Clock, "/clock", self._on_clock, qos.SENSOR),
            (RobotState, "robot_state", self._on_robot_state, qos.ROBOT_STATE),
            (Subtask, "subtask", self._on_subtask, qos.LATCHED),
            (ActionChunk, "action_chunk", self._on_chunk, qos.ACTION_CHUNK),
            (TaskScore, "task_score", self._on_score, qos.LATCHED),
            (DiagnosticArray, "mock_home/statistics", self._on_statistics, qos.STATUS),
            (DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.STATUS),
            (String, "lifecycle_manager/state", self._on_graph_state, qos.LATCHED),
            (Episode, "episode", self._on_episode, qos.LATCHED),
        ):
            self.create_subscription(kind, topic, callback, profile)
        self._action = ActionClient(self, ExecuteTask, "execute_task")
        self._stop_episode = self.create_client(StopEpisode, "stop_episode")
        self._arm = self.create_client(SetBool, "control_bridge/arm")
        self._reset = self.create_client(Trigger, "control_bridge/reset")

    @property
    def is_ready(self) -> bool:
        """True if a task can be sent: time runs and the action server is available.

        A goal that is sent before the action server is discovered is lost without an error.
        """
        return self._record.has_clock and bool(self._action.server_is_ready())

    def begin(self, task: str, seconds: float) -> None:
        """Send the task, once `is_ready`; acceptance and outcome are written to the record.

        Args:
            task: The task.
            seconds: Time limit [simulated s].
        """
        goal = ExecuteTask.Goal(task=task, time_limit=seconds_to_duration(seconds))
        self._action.send_goal_async(goal).add_done_callback(self._on_goal_response)

    def end_episode(self, outcome: str) -> Future:
        """Request stop_episode; the future's result is a StopEpisode.Response."""
        return self._stop_episode.call_async(StopEpisode.Request(outcome=outcome))

    def arm(self, reset: bool = False) -> Future:
        """Request arming; the future's result is a SetBool.Response.

        Args:
            reset: True to reset a fault before.
        """
        if not reset:
            return self._arm.call_async(SetBool.Request(data=True))
        answer = Future()

        def arm_now(_: Future) -> None:
            armed = self._arm.call_async(SetBool.Request(data=True))
            armed.add_done_callback(lambda done: answer.set_result(done.result()))

        self._reset.call_async(Trigger.Request()).add_done_callback(arm_now)
        return answer

    def forget_arm(self, answer: Future) -> None:
        """Drop the pending request of `arm`."""
        self._arm.remove_pending_request(answer)

    def pictures_since(self, stamp_s: float) -> tuple[float, dict[str, np.ndarray]] | None:
        """Return the newest picture of each camera, if one is newer than `stamp_s` [s].

        Returns:
            Stamp of the newest [s] and camera name -> (H, W, 3) uint8 rgb; or None.
        """
        images = dict(self._images)
        stamp = max((_seconds(i.header.stamp) for i in images.values()), default=-1.0)
        if stamp < 0 or stamp <= stamp_s:
            return None
        pictures = {}
        for name, image in images.items():
            try:
                pictures[name] = image_to_rgb(image)
            except MessageError as error:
                self._record.health("demo_monitor", 2, f"camera {name}: {error}")
        return stamp, pictures

    def _on_image(self, name: str, message: Image | CompressedImage, counts: bool) -> None:
        self._images[name] = message
        if counts:
            self._record.picture()

    def _on_clock(self, message: Clock) -> None:
        self._record.clock(_seconds(message.clock), time.monotonic())

    def _on_robot_state(self, message: RobotState) -> None:
        self._record.robot_state(message.mode, message.reason)

    def _on_subtask(self, message: Subtask) -> None:
        self._record.subtask(message.text, message.source)

    def _on_chunk(self, message: ActionChunk) -> None:
        self._record.chunk(_seconds(message.header.stamp))

    def _on_score(self, message: TaskScore) -> None:
        pairs = zip(message.criterion_points, message.criterion_max, strict=True)
        self._record.score = Score(
            message.points, message.max_points, dict(zip(message.criteria, pairs, strict=True))
        )

    def _on_episode(self, message: Episode) -> None:
        self._record.bag = Bag(
            recording=message.state == Episode.STATE_RECORDING,
            path=message.path,
            outcome=message.outcome,
            message_count=message.message_count,
            byte_count=message.byte_count,
            message=message.message,
        )

    def _on_graph_state(self, message: String) -> None:
        self._record.graph_state = message.data

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            name = status.name.rsplit("/", 1)[-1]
            if name.startswith("lifecycle_manager"):
                self._record.graph_message = status.message
            if name == "planner":
                self._record.brain = next((v.value for v in status.values if v.key == "brain"), "")
            if name == "console":
                self._record.page = next((v.value for v in status.values if v.key == "url"), "")
            self._record.health(name, status.level[0], status.message)

    def _on_statistics(self, message: DiagnosticArray) -> None:
        self._record.simulation_waits_for = waits_for(message)
        self._record.simulation_reported_s = time.monotonic()
        commands = commands_from(message, self._streamed)
        if commands is not None:
            self._record.commanded(commands)

    def _on_goal_response(self, future: Future) -> None:
        goal = future.result()
        if not goal.accepted:
            self._record.outcome = Outcome(False, "the planner rejected the task")
            return
        self._record.begin()
        goal.get_result_async().add_done_callback(self._on_result)

    def _on_result(self, future: Future) -> None:
        result = future.result().result
        self._record.outcome = Outcome(result.code == ExecuteTask.Result.NONE, result.message)


class MonitorThread:
    """A DemoMonitor with its own context and executor thread.

    Args:
        record: The record.
        platform: The robot.
        namespace: Namespace of the graph.
    """

    def __init__(self, record: RunRecord, platform: Platform, namespace: str) -> None:
        self._context = Context()
        self._context.init()
        self.node = DemoMonitor(record, platform, namespace, context=self._context)
        self._loop = EventLoop(self._context)
        self._loop.add(self.node)
        self._loop.start()

    @property
    def failure(self) -> str:
        """Traceback of the exception that ended the thread; empty: none."""
        return self._loop.failure

    def close(self) -> None:
        """End the thread and the context."""
        self._loop.stop()
        self.node.destroy_node()
        self._context.try_shutdown()


def commands_from(message: DiagnosticArray, streamed: Collection[str]) -> Commands | None:
    """Return the mock home's counts of commands to its controllers.

    Args:
        message: `mock_home/statistics`, with a status for each controller.
        streamed: Controllers that receive a command every tick; grippers receive one on change.

    Returns:
        Over the streamed controllers, the minimum of ticks with a command and the maximum of ticks
        without; faults of all controllers. None if a streamed controller is missing.
    """
    values = {s.name: {v.key: v.value for v in s.values} for s in message.status}
    if not streamed or not values.keys() >= set(streamed):
        return None
    ticks = [(int(values[n]["ticks"]), int(values[n]["ticks_missed"])) for n in streamed]
    faults = Counter[str]()
    for name in values:
        for fault in COMMAND_FAULTS:
            faults[fault] += int(values[name].get(fault, 0))
    return Commands(
        sent=min(all_ - missed for all_, missed in ticks),
        missed=max(missed for _, missed in ticks),
        faults=dict(faults),
    )


def waits_for(message: DiagnosticArray) -> str:
    """Return what simulated time waits for.

    Args:
        message: `mock_home/statistics`, with an optional status "graph".

    Returns:
        Text of the mock home; empty: nothing, or unknown.
    """
    values = next((s.values for s in message.status if s.name == "graph"), ())
    return next((v.value for v in values if v.key == "waiting for"), "")


def _seconds(stamp: Any) -> float:
    return float(stamp.sec + stamp.nanosec * 1e-9)
