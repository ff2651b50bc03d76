"""Commands of operators, as service calls and action goals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from action_msgs.msg import GoalInfo
from action_msgs.srv import CancelGoal
from rclpy.action import ActionClient
from sensor_msgs.msg import Joy
from std_srvs.srv import SetBool, Trigger

from pi05_msgs.action import ExecuteTask
from pi05_msgs.srv import Instruct, StartEpisode, StopEpisode
from pi05_ros.console.answers import CONFLICT, DONE, NO_ANSWER, NOT_THERE, Answer
from pi05_ros.console.drive import DriveFrame
from pi05_ros.console.page_state import PageState
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.console.messages import joy_message

_STOP_S = 1.0  # Limit for the response to a stop [s].
_ANSWER_S = 5.0  # Limit for other responses [s].
_DONE = {
    "stop": "stopped",
    "resume": "resumed",
    "reset": "reset",
    "resume_task": "the task goes on",
}
_CLOSING_S = 90.0  # Limit for closing an episode, which is read again completely [s].


class ConsoleCommands:
    """Executes commands; see `pi05_ros.console.answers.RobotInterface`.

    Services are called, and teleoperation is published, from the server's thread. The action
    client, which has no lock in rclpy, is called in the executor.

    Args:
        node: The node console.
        page_state: Receives the state of the task.
        watch: Called with True when a page is open, else False; in the server's thread.
    """

    def __init__(
        self, node: ManagedNode[Any], page_state: PageState, watch: Callable[[bool], None]
    ) -> None:
        self._node, self._page_state, self._watch = node, page_state, watch
        self._arm = node.create_client(SetBool, "control_bridge/arm")
        self._triggers = {
            name: node.create_client(Trigger, f"control_bridge/{name}")
            for name in ("stop", "resume", "reset")
        }
        self._triggers["resume_task"] = node.create_client(Trigger, "resume_task")
        self._instruct = node.create_client(Instruct, "instruct")
        self._start = node.create_client(StartEpisode, "start_episode")
        self._stop = node.create_client(StopEpisode, "stop_episode")
        self._cancel = node.create_client(CancelGoal, "execute_task/_action/cancel_goal")
        self._end_task = node.create_client(Trigger, "cancel_task")
        self._task = ActionClient(node, ExecuteTask, "execute_task")
        self._joy = node.create_publisher(Joy, "console/joy", qos.OPERATOR_INPUT)
        self._goals = 0  # Goals sent so far; only the newest is shown.
        page_state.put("task", {"state": "none", "text": "", "message": ""})

    def close(self) -> None:
        """Destroy the clients."""
        for client in (
            self._arm,
            *self._triggers.values(),
            self._instruct,
            self._start,
            self._stop,
            self._cancel,
            self._end_task,
        ):
            self._node.destroy_client(client)
        self._node.destroy_publisher(self._joy)
        self._task.destroy()

    def watch(self, on: bool) -> None:
        """Take whether a page is open."""
        self._watch(on)

    def drive(self, frame: DriveFrame) -> None:
        """Publish a frame of teleoperation, stamped now."""
        self._joy.publish(joy_message(frame, self._node.get_clock().now().to_msg()))

    async def stop(self) -> Answer:
        """Stop the robot."""
        return await self._trigger("stop", _STOP_S)

    async def do(self, name: str, arguments: Mapping[str, str]) -> Answer:
        """Execute a command."""
        if name in ("resume", "reset", "resume_task"):
            return await self._trigger(name, _ANSWER_S)
        if name in ("arm", "disarm"):
            answer = await self._call(self._arm, SetBool.Request(data=name == "arm"))
            return answer if isinstance(answer, Answer) else _of_success(answer, f"{name}ed")
        if name == "execute_task":
            return await self._execute(arguments["task"])
        if name == "cancel_task":
            return await self._cancel_task()
        if name in ("instruct", "hand_back"):
            answer = await self._call(
                self._instruct, Instruct.Request(text=arguments.get("text", ""))
            )
        elif name == "start_episode":
            answer = await self._call(self._start, StartEpisode.Request(**arguments))
        else:
            answer = await self._call(self._stop, StopEpisode.Request(**arguments), _CLOSING_S)
        return answer if isinstance(answer, Answer) else _of_code(answer)

    async def _trigger(self, name: str, limit: float) -> Answer:
        answer = await self._call(self._triggers[name], Trigger.Request(), limit)
        return answer if isinstance(answer, Answer) else _of_success(answer, _DONE[name])

    async def _call(self, client: Any, request: Any, limit: float = _ANSWER_S) -> Any:
        """Return the response of a service, or an Answer with the reason for having none."""
        if not client.service_is_ready():
            return Answer(
                NOT_THERE, f"service {client.srv_name} is not available: is its node active?"
            )
        return await self._await(client.call_async(request), client.srv_name, limit)

    async def _await(self, future: Any, what: str, limit: float) -> Any:
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()

        def wake(_: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.set)

        future.add_done_callback(wake)
        try:
            await asyncio.wait_for(arrived.wait(), limit)
        except asyncio.TimeoutError:
            future.cancel()
            return Answer(NO_ANSWER, f"{what} did not answer within {limit:g} s")
        return future.result()

    async def _in_executor(self, work: Callable[[], Any], what: str) -> Any:
        """Run `work` in the node's executor and return the result of the future it returns."""
        executor = self._node.executor
        if executor is None:
            return Answer(NOT_THERE, "the console is shutting down")
        started = await self._await(executor.create_task(work), what, _ANSWER_S)
        if started is None or isinstance(started, Answer):
            return started or Answer(NOT_THERE, f"{what} is not available")
        return await self._await(started, what, _ANSWER_S)

    async def _execute(self, task: str) -> Answer:
        if not self._task.server_is_ready():
            return Answer(
                NOT_THERE, "action execute_task is not available: is the planner active?"
            )
        goal = ExecuteTask.Goal(task=task)
        handle = await self._in_executor(lambda: self._task.send_goal_async(goal), "execute_task")
        if isinstance(handle, Answer):
            return handle
        if not handle.accepted:
            return Answer(CONFLICT, "the planner rejected the task: see its log")
        self._goals += 1
        number = self._goals
        self._page_state.put("task", {"state": "running", "text": task, "message": ""})

        def ended(future: Any) -> None:
            if number == self._goals and future.result() is not None:
                result = future.result().result
                state = "done" if result.code == ExecuteTask.Result.NONE else "ended"
                task_state = {"state": state, "text": task, "message": result.message}
                self._page_state.put("task", task_state)

        def follow() -> None:
            handle.get_result_async().add_done_callback(self._node.guarded(ended))

        executor = self._node.executor
        if executor is not None:
            executor.create_task(follow)
        return Answer(DONE, f"task: {task}")

    async def _cancel_task(self) -> Answer:
        """End the current task: first as an action goal, else by the service cancel_task."""
        request = CancelGoal.Request(goal_info=GoalInfo())  # Empty: every goal.
        goals = await self._call(self._cancel, request)
        if isinstance(goals, Answer):
            return goals
        if goals.goals_canceling:
            return Answer(DONE, "the task is being cancelled")
        # A task from the planner's parameter is not a goal.
        answer = await self._call(self._end_task, Trigger.Request())
        return answer if isinstance(answer, Answer) else _of_success(answer, "cancelled")


def _of_success(response: Any, done: str) -> Answer:
    status = DONE if response.success else CONFLICT
    return Answer(status, response.message or (done if response.success else "refused"))


def _of_code(response: Any) -> Answer:
    return Answer(CONFLICT if response.code else DONE, response.message)
