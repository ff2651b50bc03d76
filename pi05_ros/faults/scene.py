"""One scenario: a ROS domain of its own, a fake robot, a fake policy, and nodes under test."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from pi05_msgs.msg import Heartbeat, RobotState, Subtask
from pi05_ros.bringup import fast_dds_environment
from pi05_ros.demo.domain import own_domain
from pi05_ros.errors import Pi05Error
from pi05_ros.faults.cameras import FakeCameras
from pi05_ros.faults.processes import NodeProcess
from pi05_ros.faults.relay import LineFaults
from pi05_ros.faults.robot import FakeRobot
from pi05_ros.faults.source import ChunkSource
from pi05_ros.faults.threads import children_with_priority, request_priority
from pi05_ros.nodes import qos
from pi05_ros.nodes.conversions import ns_to_time
from pi05_ros.platforms import load_platform

T = TypeVar("T")
PLATFORM = "mobile_18dof"
# Above Linux's ephemeral ports (60999), and where nobody's default is: whoever tests beside us
# draws from 1 to 101, and a heartbeat of theirs would be heard as our robot's.
_DOMAINS = range(215, 233)
_POLL = 0.005  # [s]
# Python hands its lock on after 5 ms otherwise: a fake robot must not wait so long for it.
_SWITCH_INTERVAL = 0.0005  # [s]


class ScenarioError(Pi05Error):
    """A scenario did not get so far that its fault could be tried."""


class Scene:
    """Opens everything on entry; on exit, however that comes, ends every process by its pid.

    Args:
        nodes: Executables to start, configured and activated in this order.
        cameras: Rate of the fake cameras [Hz]; 0: none.
        robot_rate: Of joint states and odometry [Hz].
        chunk_period: Of the fake policy [s].
        line: Faults of the line between fake policy and bridge; None: none.
        seed: Of the line.
        environment: For the nodes, on top of the harness's.
        module: What runs the nodes: `python -m MODULE NAME`.
        fake_policy: Whether the harness makes the chunks.
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
        module: str = "pi05_ros.nodes",
        fake_policy: bool = True,
    ) -> None:
        self.platform = load_platform(PLATFORM)
        self.processes: dict[str, NodeProcess] = {}
        self.states: list[tuple[int, RobotState]] = []  # (arrival, steady ns; message)
        self.diagnostics: list[tuple[int, Any]] = []  # (arrival, steady ns; DiagnosticStatus)
        self.heartbeats: list[tuple[int, Heartbeat]] = []  # (arrival, steady ns; message)
        self._nodes = tuple(nodes)
        self._camera_rate = cameras
        self._robot_rate = robot_rate
        self._chunk_period = chunk_period
        self._line, self._seed = line, seed
        self._environment = dict(environment or {})
        self._module = module
        self._fake_policy = fake_policy
        self._stack = ExitStack()
        self._clients: dict[str, Any] = {}

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
        self._stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_INTERVAL)
        self.folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pi05-faults-"))
        )
        chosen: dict[str, str] = {}
        self._stack.enter_context(own_domain(chosen, _DOMAINS))
        self.environment = {
            **os.environ,
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
        # Without rosout: several harnesses in one process would quarrel about it.
        self.node = Node("harness", context=context, namespace="pi05", enable_rosout=False)
        self._stack.callback(self.node.destroy_node)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(self.node)
        thread = threading.Thread(target=self._spin, args=(executor,), daemon=True)
        self._stack.callback(thread.join, 2.0)
        self._stack.callback(executor.shutdown, 1.0)
        self.robot = FakeRobot(self.node, self.platform, self._robot_rate)
        self._stack.callback(self.robot.close)
        self.node.create_subscription(RobotState, "robot_state", self._on_state, qos.ROBOT_STATE)
        self.node.create_subscription(
            DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.STATUS
        )
        self.node.create_subscription(
            Heartbeat,
            "heartbeat",
            lambda message: self.heartbeats.append((time.monotonic_ns(), message)),
            qos.HEARTBEAT,
        )
        if self._camera_rate:
            self.cameras = FakeCameras(
                self.node, self.platform, self.robot.now_ns, self._camera_rate
            )
            self._stack.callback(self.cameras.close)
        if self._fake_policy:
            self._subtasks = self.node.create_publisher(Subtask, "subtask", qos.LATCHED)
            self.source = ChunkSource(
                self.node,
                self.platform,
                lambda: self.states[-1][1] if self.states else None,
                self.robot.now_ns,
                period=self._chunk_period,
                line=self._line,
                seed=self._seed,
            )
            self._stack.callback(self.source.close)
        thread.start()

    # Processes.

    def start(self, name: str) -> NodeProcess:
        """Starts a node's process."""
        process = NodeProcess(
            name,
            self.environment,
            self.folder / f"{name}.log",
            parameters={"platform": PLATFORM},
            module=self._module,
        )
        self.processes[name] = process
        return process

    def bring_up(self, name: str) -> None:
        """Configures and activates a node."""
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            request = ChangeState.Request()
            request.transition.id = transition
            answer = self.call(ChangeState, f"/pi05/{name}/change_state", request, 30.0)
            if not answer.success:
                raise ScenarioError(
                    f"{name} refused a transition; its log ends with\n{self.log_tail(name)}"
                )

    def log_tail(self, name: str) -> str:
        """The end of a node's log."""
        return self.processes[name].tail() if name in self.processes else ""

    def ended(self) -> int:
        """How many of the processes have ended that should live."""
        return sum(not process.alive for process in self.processes.values())

    # What an operator does.

    def call(self, kind: Any, name: str, request: Any, limit: float = 5.0) -> Any:
        """Calls a service and gives the answer.

        Raises:
            ScenarioError: No answer within `limit` [s].
        """
        client = self.client(kind, name)
        self.wait(client.service_is_ready, f"the service {name}", limit)
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(limit):
            raise ScenarioError(f"{name} did not answer within {limit:g} s")
        return future.result()

    def client(self, kind: Any, name: str) -> Any:
        """A client of a service, made once."""
        if name not in self._clients:
            self._clients[name] = self.node.create_client(kind, name)
        return self._clients[name]

    def arm(self, on: bool = True) -> Any:
        """Calls ~/arm of the bridge; the answer has `success` and `message`."""
        return self.call(SetBool, "control_bridge/arm", SetBool.Request(data=on))

    def trigger(self, name: str) -> Any:
        """Calls a Trigger service of the bridge: stop, reset, resume."""
        return self.call(Trigger, f"control_bridge/{name}", Trigger.Request())

    def say_subtask(self, number: int, task: str, text: str) -> None:
        """Publishes a subtask as a planner would; an empty text: nothing is to be done."""
        message = Subtask(id=number, task=task, text=text, source=Subtask.SOURCE_EXTERNAL)
        message.header.stamp = ns_to_time(self.robot.now_ns())
        self._subtasks.publish(message)

    # What is heard.

    @property
    def state(self) -> RobotState:
        """The newest robot state."""
        return self.states[-1][1]

    def first_state(
        self, after_ns: int, wanted: Callable[[RobotState], bool], until_ns: int | None = None
    ) -> int | None:
        """When the first robot state of that kind came after a moment (steady ns), or None."""
        for arrival, state in list(self.states):
            if until_ns is not None and arrival > until_ns:
                return None
            if arrival > after_ns and wanted(state):
                return arrival
        return None

    def first_diagnostic(self, after_ns: int, wanted: Callable[[Any], bool]) -> int | None:
        """When the first status of that kind came after a moment (steady ns), or None."""
        for arrival, status in list(self.diagnostics):
            if arrival > after_ns and wanted(status):
                return arrival
        return None

    def count(self, node: str, key: str) -> int:
        """A count in a node's newest status; 0 where it has none."""
        for _, status in reversed(list(self.diagnostics)):
            if status.name.endswith(node):
                values = {item.key: item.value for item in status.values}
                return int(float(values.get(key, 0)))
        return 0

    def wait(self, condition: Callable[[], T], what: str, limit: float = 10.0) -> T:
        """Waits until `condition()` is true and gives its value.

        Raises:
            ScenarioError: Not within `limit` [s].
        """
        end = time.monotonic() + limit
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise ScenarioError(f"waited {limit:g} s for {what}{self._news()}")
            time.sleep(_POLL)

    def move(self, limit: float = 15.0) -> None:
        """Arms the bridge and lets the robot move; returns when the base drives.

        Raises:
            ScenarioError: It does not.
        """
        self.wait(lambda: self.states, "a robot state", limit)
        self.arm_patiently(limit)
        if self._fake_policy:
            self.source.on = True
        self.drive(limit)

    def arm_patiently(self, limit: float = 5.0) -> None:
        """Arms, again and again while the bridge refuses (it must first come to rest).

        Raises:
            ScenarioError: It still refuses after `limit` [s].
        """
        refusal = ""

        def armed() -> bool:
            nonlocal refusal
            answer = self.arm()
            refusal = answer.message
            if not answer.success:
                time.sleep(0.1)
            return bool(answer.success)

        try:
            self.wait(armed, "the bridge to arm", limit)
        except ScenarioError as error:
            raise ScenarioError(f"{error} ({refusal})") from None

    def drive(self, limit: float = 10.0) -> None:
        """Waits until the bridge runs and the base drives.

        Raises:
            ScenarioError: It does not.
        """
        self.wait(
            lambda: (
                self.state.mode == RobotState.MODE_RUNNING
                and self.robot.witness.base_speed(time.monotonic_ns()) > 0.05
            ),
            "the base to drive",
            limit,
        )

    def _news(self) -> str:
        """What the bridge says, for an error."""
        if not self.states:
            return "; no robot state was heard"
        state = self.state
        return f"; the bridge is in mode {state.mode} ({state.reason})"

    def _on_state(self, message: RobotState) -> None:
        self.states.append((time.monotonic_ns(), message))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now = time.monotonic_ns()
        self.diagnostics += [(now, status) for status in message.status]

    def _spin(self, executor: SingleThreadedExecutor) -> None:
        request_priority()
        try:
            executor.spin()
        except ExternalShutdownException:
            return

    def _end_processes(self) -> None:
        for process in self.processes.values():
            process.ask_to_end()
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
