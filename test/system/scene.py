"""One scenario: a ROS domain of its own, a fake robot, a fake policy, and nodes under test."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import rclpy
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from pi05_msgs.msg import Subtask
from pi05_ros.bringup.domain import own_domain
from pi05_ros.bringup.graph import fast_dds_environment
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.platforms.platform import load_platform
from system.cameras import FakeCameras
from system.module_path import with_harness
from system.operator import Operator, ScenarioError
from system.processes import NodeProcess
from system.relay import LineFaults
from system.robot import FakeRobot
from system.source import ChunkSource
from system.threads import children_with_priority, request_priority

PLATFORM = "mobile_18dof"
# Domains whose ports lie above Linux's ephemeral ports (60999). Other tests on this machine use 1
# to 101: their heartbeats would be received as those of our nodes.
_DOMAINS = range(215, 233)
_ANSWER_S, _TRIES = 20.0, 3  # For each response of a node; attempts.
# Python releases its lock after 5 ms otherwise, too late for the fake robot's rate.
_SWITCH_INTERVAL = 0.0005  # [s]


class Scene(Operator):
    """A context manager that starts everything on entry and ends every process on exit.

    Args:
        nodes: Executables to start, configured and activated in this order.
        cameras: Rate of the fake cameras [Hz]; 0: none.
        robot_rate: Of joint states and odometry [Hz].
        chunk_period: Of the fake policy [s].
        line: Faults of the line between fake policy and bridge; None: none.
        seed: Of the line.
        environment: For the nodes, in addition to the harness's.
        parameters: Node → its parameters beside the platform.
        module: Runs the nodes: `python -m MODULE NAME`.
        fake_policy: Whether the harness publishes chunks.
    """

    def __init__(
        self,
        nodes: Sequence[str] = ("control_bridge",),
        *,
        cameras: float = 0.0,
        robot_rate: float = 100.0,
        chunk_period: float = 0.1,
        line: LineFaults | None = None,
        seed: int = 0,
        environment: Mapping[str, str] | None = None,
        parameters: Mapping[str, Mapping[str, object]] | None = None,
        module: str = "pi05_ros.nodes",
        fake_policy: bool = True,
    ) -> None:
        super().__init__()
        self.platform = load_platform(PLATFORM)
        self.processes: dict[str, NodeProcess] = {}
        self._nodes = tuple(nodes)
        self._camera_rate = cameras
        self._robot_rate = robot_rate
        self._chunk_period = chunk_period
        self._line, self._seed = line, seed
        self._environment = dict(environment or {})
        self._parameters = dict(parameters or {})
        self._module = module
        self._fake_policy = fake_policy
        self._stack = ExitStack()

    def __enter__(self) -> Scene:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        # A collection of the whole heap of the tests would stop the fake robot meanwhile.
        gc.collect()
        gc.disable()
        self._stack.callback(gc.enable)
        self._stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_INTERVAL)
        self.folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pi05-faults-"))
        )
        chosen: dict[str, str] = {}
        self._stack.enter_context(own_domain(chosen, _DOMAINS))
        self.environment = {
            **with_harness(os.environ),
            **fast_dds_environment(os.environ),
            **chosen,
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "ROS_LOG_DIR": str(self.folder),
            "PYTHONUNBUFFERED": "1",
        }
        # The harness's own participant reads its environment once, when its context is made.
        for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", *fast_dds_environment(os.environ)):
            self._set_environment(name, self.environment[name])
        self.environment |= self._environment
        self._stack.callback(self._end_processes)
        for name in self._nodes:
            self.start(name)
        with children_with_priority():
            self._open_ros(int(chosen["ROS_DOMAIN_ID"]))
        for name in self._nodes:
            self.bring_up(name)

    def _open_ros(self, domain: int) -> None:
        context = rclpy.Context()
        context.init(domain_id=domain)
        self._stack.callback(context.try_shutdown)
        # Without rosout, which several nodes of one name in a process would share.
        self.node = Node("harness", context=context, namespace="pi05", enable_rosout=False)
        self._stack.callback(self.node.destroy_node)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(self.node)
        thread = threading.Thread(target=self._spin, args=(executor,), daemon=True)
        self._stack.callback(thread.join, 2.0)
        self._stack.callback(executor.shutdown, 1.0)
        self.robot = FakeRobot(self.node, self.platform, self._robot_rate)
        self._stack.callback(self.robot.close)
        self.listen(self.node)
        if self._camera_rate:
            self.cameras = FakeCameras(
                self.node, self.platform, self.robot.now_ns, self._camera_rate
            )
            self._stack.callback(self.cameras.close)
        if self._fake_policy:
            self._subtasks = self.node.create_publisher(Subtask, "subtask", qos.LATCHED)
            source = ChunkSource(
                self.node,
                self.platform,
                lambda: self.states[-1][1] if self.states else None,
                self.robot.now_ns,
                period=self._chunk_period,
                line=self._line,
                seed=self._seed,
            )
            self._fake_source = source
            self._stack.callback(source.close)
        thread.start()

    # Processes.

    def start(self, name: str) -> NodeProcess:
        """Start a node's process."""
        process = NodeProcess(
            name,
            self.environment,
            self.folder / f"{name}.log",
            parameters={"platform": PLATFORM, **self._parameters.get(name, {})},
            module=self._module,
        )
        self.processes[name] = process
        return process

    def bring_up(self, name: str) -> None:
        """Configure and activate a node."""
        for transition, wanted in (
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
        ):
            request = ChangeState.Request()
            request.transition.id = transition
            if not self._change_state(name, request, wanted):
                raise ScenarioError(
                    f"{name} refused a transition; its log ends with\n{self.log_tail(name)}"
                )

    def log_tail(self, name: str) -> str:
        """Return the end of a node's log."""
        return self.processes[name].tail() if name in self.processes else ""

    def ended(self) -> int:
        """Return the number of processes that have ended and should be alive."""
        return sum(not process.alive for process in self.processes.values())

    def publish_subtask(self, number: int, task: str, text: str) -> None:
        """Publish a subtask as a planner would; an empty text: nothing is to be done."""
        message = Subtask(id=number, task=task, text=text, source=Subtask.SOURCE_EXTERNAL)
        message.header.stamp = ns_to_time(self.robot.now_ns())
        self._subtasks.publish(message)

    def _change_state(self, name: str, request: ChangeState.Request, wanted: int) -> bool:
        """Check whether a node reaches a state; on a busy machine a response may be lost."""
        for _ in range(_TRIES):
            try:
                answer = self.call(ChangeState, f"/pi05/{name}/change_state", request, _ANSWER_S)
                return bool(answer.success)
            except ScenarioError as error:
                lost = error
            with suppress(ScenarioError):
                query = GetState.Request()
                answer = self.call(GetState, f"/pi05/{name}/get_state", query, _ANSWER_S)
                if answer.current_state.id == wanted:
                    return True
        raise ScenarioError(f"{lost}; its log ends with\n{self.log_tail(name)}")

    def _spin(self, executor: SingleThreadedExecutor) -> None:
        request_priority()
        try:
            executor.spin()
        except ExternalShutdownException:
            return

    def _end_processes(self) -> None:
        for process in self.processes.values():
            process.interrupt()
        for process in self.processes.values():
            process.close()

    def _set_environment(self, name: str, value: str) -> None:
        before = os.environ.get(name)

        def restore() -> None:
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before

        os.environ[name] = value
        self._stack.callback(restore)
