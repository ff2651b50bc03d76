"""The action execute_task: one goal at a time, which ends when its task does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import Subtask
from pi05_ros.brain import instructions
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.conversions import seconds_to_duration
from pi05_ros.planning.tasks import Outcome

MESSAGES = {
    Outcome.DONE: "task done",
    Outcome.CANCELED: "task cancelled",
    Outcome.PREEMPTED: "replaced by a newer task",
    Outcome.TIMEOUT: "time limit reached",
    Outcome.DEACTIVATED: "planner deactivated",
}


class TaskServer:
    """Takes goals, tells feedback, and delivers a result when it is told the outcome.

    A helper of a node, not a node. rclpy calls a goal's callback when its task has ended, so that
    a goal blocks nobody meanwhile.
    """

    def __init__(
        self,
        node: ManagedNode[Any],
        problem: Callable[[], str],
        preempt: Callable[[], None],
        begin: Callable[[str, float | None], None],
    ) -> None:
        """Offers the action.

        Args:
            node: The node that it belongs to.
            problem: Why the node takes no task at all now, as one clause; empty: it does.
            preempt: Ends the present task for a newer one.
            begin: Begins the task of a goal: text, and time limit [s] or None.
        """
        self._node = node
        self._problem = problem
        self._preempt = preempt
        self._begin = begin
        self._lock = threading.Lock()  # Guards the goal: the brain's thread ends tasks, too.
        self._goal: ServerGoalHandle | None = None
        self._results: dict[bytes, ExecuteTask.Result] = {}  # By goal, until it is fetched.
        self._server = ActionServer(
            node,
            ExecuteTask,
            "execute_task",
            execute_callback=self._deliver,
            # An exception in one of these would end the process.
            handle_accepted_callback=node.guarded(self._on_accepted),
            goal_callback=lambda goal: node.guarded(self._on_goal)(goal) or GoalResponse.REJECT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    @property
    def is_cancel_requested(self) -> bool:
        """Whether the client of the present goal wants it to end."""
        with self._lock:
            return self._goal is not None and self._goal.is_cancel_requested

    def publish_feedback(self, subtask: Subtask, elapsed: float) -> None:
        """Feedback to the client of the present goal, if there is one. elapsed [s]."""
        with self._lock:
            goal = self._goal
        if goal is not None:
            goal.publish_feedback(
                ExecuteTask.Feedback(subtask=subtask, elapsed=seconds_to_duration(elapsed))
            )

    def finish(self, outcome: Outcome, subtask_count: int, elapsed: float) -> None:
        """Ends the present goal, if there is one. elapsed [s]."""
        with self._lock:
            goal, self._goal = self._goal, None
        if goal is None:
            return
        executor = self._node.executor
        if executor is None or self._node not in executor.get_nodes():
            # Nobody spins any more: the task that delivers the result would never run.
            self._node.get_logger().warning(
                "shutting down: the client of execute_task gets no result"
            )
            return
        self._results[bytes(goal.goal_id.uuid)] = ExecuteTask.Result(
            code=int(outcome),
            message=MESSAGES[outcome],
            subtask_count=subtask_count,
            elapsed=seconds_to_duration(elapsed),
        )
        # In the executor's thread, as a cancel is: rclpy refuses to begin a goal that a cancel
        # reaches at the same moment.
        executor.create_task(goal.execute)

    def close(self) -> None:
        """Withdraws the action."""
        self._server.destroy()

    # Called by rclpy, in the executor's thread.

    def _on_goal(self, goal: ExecuteTask.Goal) -> GoalResponse:
        trouble = instructions.problem(goal.task) or self._problem()
        if not instructions.clean(goal.task):
            trouble = trouble or "it is empty"
        if trouble:
            self._node.get_logger().error(f"task refused: {trouble}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, goal: ServerGoalHandle) -> None:
        self._preempt()
        with self._lock:
            self._goal = goal  # Before it begins: the brain's thread may be done at once.
        limit = goal.request.time_limit
        self._begin(
            instructions.clean(goal.request.task), limit.sec + limit.nanosec * 1e-9 or None
        )

    def _deliver(self, goal: ServerGoalHandle) -> ExecuteTask.Result:
        result = self._results.pop(bytes(goal.goal_id.uuid))
        if goal.is_cancel_requested:
            goal.canceled()
        elif result.code == Outcome.DONE:
            goal.succeed()
        else:
            goal.abort()
        return result
