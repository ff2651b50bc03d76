"""The operator of a scenario: calls of the bridge's services, and waiting with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from pi05_msgs.msg import RobotState
from pi05_ros.errors import Pi05Error
from system.recording import Recording
from system.robot import FakeRobot
from system.source import ChunkSource

T = TypeVar("T")
_POLL = 0.005  # [s]
_FRESH_NS = 200_000_000  # A robot state that is older does not count as present.


class ScenarioError(Pi05Error):
    """A scenario ended before its fault could be injected."""


class Operator(Recording):
    """Services, and waiting with a limit.

    Attributes:
        node: The harness's node.
        robot: The robot under command.
    """

    node: Node
    robot: FakeRobot

    def __init__(self) -> None:
        super().__init__()
        self._fake_source: ChunkSource | None = None
        self._clients: dict[str, Any] = {}

    @property
    def source(self) -> ChunkSource:
        """The fake policy."""
        assert self._fake_source is not None, "the scene was made without a fake policy"
        return self._fake_source

    def call(self, kind: Any, name: str, request: Any, limit: float = 5.0) -> Any:
        """Call a service and return the response.

        Raises:
            ScenarioError: No response within `limit` [s].
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
        """Return the client of a service, made at the first call."""
        if name not in self._clients:
            self._clients[name] = self.node.create_client(kind, name)
        return self._clients[name]

    def arm(self, on: bool = True) -> Any:
        """Call ~/arm of the bridge; the response has `success` and `message`."""
        return self.call(SetBool, "control_bridge/arm", SetBool.Request(data=on))

    def trigger(self, name: str) -> Any:
        """Call a Trigger service of the bridge: stop, reset, resume."""
        return self.call(Trigger, f"control_bridge/{name}", Trigger.Request())

    def wait(self, condition: Callable[[], T], what: str, limit: float = 10.0) -> T:
        """Wait until `condition()` is true and return its value.

        Raises:
            ScenarioError: Not within `limit` [s].
        """
        end = time.monotonic() + limit
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise ScenarioError(f"waited {limit:g} s for {what}{self._bridge_state()}")
            time.sleep(_POLL)

    def move(self, limit: float = 15.0) -> None:
        """Arm the bridge, switch the fake policy on and return when the base drives.

        Raises:
            ScenarioError: It does not.
        """
        self.wait(lambda: self.states, "a robot state", limit)
        self.arm_with_retries(limit)
        if self._fake_source is not None:
            self._fake_source.on = True
        self.drive(limit)

    def arm_with_retries(self, limit: float = 5.0) -> None:
        """Arm, and let the task go on; retry while the bridge refuses (it must come to rest).

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
        # What took the arming away has suspended the task of a real planner.
        if self.node.count_services("resume_task"):  # The page is a client of it, too.
            self.call(Trigger, "resume_task", Trigger.Request())

    def drive(self, limit: float = 10.0) -> None:
        """Wait until the bridge runs and the base drives.

        Raises:
            ScenarioError: It does not.
        """
        self.wait(
            lambda: (
                self.state.mode == RobotState.MODE_RUNNING
                # Not the last state of a bridge that was killed.
                and time.monotonic_ns() - self.states[-1][0] < _FRESH_NS
                and self.robot.witness.base_speed(time.monotonic_ns()) > 0.05
            ),
            "the base to drive",
            limit,
        )

    def _bridge_state(self) -> str:
        """Return the bridge's mode and reason as the end of an error message."""
        if not self.states:
            return "; no robot state was received"
        state = self.state
        return f"; the bridge is in mode {state.mode} ({state.reason})"
