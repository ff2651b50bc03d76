"""Action goals that a controller carries out in the simulation's own thread."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import GoalEvent, ServerGoalHandle
from rclpy.node import Node

from pi05_ros.sim.controllers.goals import CommandRejected

# How long a result can be fetched [s]: rclcpp's default. rclpy's, 15 minutes, piles up goals.
_RESULT_TIMEOUT = 10


class GoalTracker:
    """An action server whose goals a controller carries out in the ticking thread.

    rclpy wants goals to run inside a callback. A controller's goals end in its update: so a goal
    begins when it is accepted, and its end is handed to the executor when it comes.

    Args:
        node: Owns the action.
        action: Action type.
        name: Absolute name of the action.
        check: Goal request -> why it is rejected; empty to accept.
        start: Called with a goal's id and its request.
        cancel: Called with a goal's id; whether it was active.
    """

    def __init__(
        self,
        node: Node,
        action: Any,
        name: str,
        check: Callable[[Any], str],
        start: Callable[[Hashable, Any], None],
        cancel: Callable[[Hashable], bool],
    ) -> None:
        self._node = node
        self._name = name
        self._check = check
        self._start = start
        self._cancel = cancel
        self._handles: dict[Hashable, ServerGoalHandle] = {}
        self._server = ActionServer(
            node,
            action,
            name,
            execute_callback=lambda handle: None,
            goal_callback=self._goal,
            handle_accepted_callback=self._accepted,
            cancel_callback=self._canceled,
            result_timeout=_RESULT_TIMEOUT,
        )

    def publish_feedback(self, goal: Hashable, feedback: Any) -> None:
        """Publishes feedback if `goal` has not ended yet."""
        handle = self._handles.get(goal)
        if handle is not None:
            handle.publish_feedback(feedback)

    def end(self, goal: Hashable, outcome: str, result: Any) -> None:
        """Ends a goal; may be called from any thread.

        Args:
            goal: Its id.
            outcome: "succeeded", "aborted" or "canceled".
            result: The action's result message.
        """
        handle = self._handles.pop(goal, None)
        if handle is None:
            return

        def finish(handle: ServerGoalHandle) -> Any:
            if outcome == "succeeded":
                handle.succeed()
            elif outcome == "aborted":
                handle.abort()
            else:
                if not handle.is_cancel_requested:
                    # A new goal cancels the old one without its client's asking; rclpy has no
                    # public way to say so.
                    handle._update_state(GoalEvent.CANCEL_GOAL)
                handle.canceled()
            return result

        self._server.notify_execute(handle, finish)

    def destroy(self) -> None:
        """Frees the action server."""
        self._server.destroy()

    def _goal(self, request: Any) -> GoalResponse:
        reason = self._check(request)
        if reason:
            self._node.get_logger().error(f"{self._name}: goal rejected: {reason}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _accepted(self, handle: ServerGoalHandle) -> None:
        goal = bytes(handle.goal_id.uuid)
        self._handles[goal] = handle
        # Executing from now on, without a callback that would have to wait for the end.
        handle._update_state(GoalEvent.EXECUTE)
        try:
            self._start(goal, handle.request)
        except CommandRejected as error:  # It was fit when it was checked, a moment ago.
            self._node.get_logger().error(f"{self._name}: goal aborted: {error}")
            self.end(goal, "aborted", self._server.action_type.Result())

    def _canceled(self, handle: ServerGoalHandle) -> CancelResponse:
        self._cancel(bytes(handle.goal_id.uuid))
        return CancelResponse.ACCEPT
