"""Action goals that a controller executes in the physics thread."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import GoalEvent, ServerGoalHandle
from rclpy.node import Node

from pi05_ros.sim.controllers.goals import CommandRejected

# Time for which a result is kept [s]: rclcpp's default. rclpy's, 15 minutes, accumulates goals.
_RESULT_TIMEOUT = 10


class GoalTracker:
    """An action server whose goals a controller executes in the physics thread.

    rclpy executes a goal inside a callback, but a controller's goal ends in its update. So a goal
    begins when it is accepted, and its end is passed to the executor.

    Args:
        node: Owns the action.
        action: Action type.
        name: Absolute name of the action.
        check: Goal request -> reason of rejection; empty to accept.
        start: Called with a goal's id and its request.
        cancel: Called with a goal's id; returns True if it was active.
        result_timeout_s: Time for which a result is kept [s].
    """

    def __init__(
        self,
        node: Node,
        action: Any,
        name: str,
        check: Callable[[Any], str],
        start: Callable[[Hashable, Any], None],
        cancel: Callable[[Hashable], bool],
        result_timeout_s: int = _RESULT_TIMEOUT,
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
            result_timeout=result_timeout_s,
        )

    def publish_feedback(self, goal: Hashable, feedback: Any) -> None:
        """Publish feedback if `goal` has not ended yet."""
        handle = self._handles.get(goal)
        if handle is not None:
            handle.publish_feedback(feedback)

    def end(self, goal: Hashable, outcome: str, result: Any) -> None:
        """End a goal; may be called from any thread.

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
                    # A new goal cancels the old one without a request of its client; rclpy has
                    # no public function for that.
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
        # Set to executing here, without a callback that would wait for the end.
        handle._update_state(GoalEvent.EXECUTE)
        try:
            self._start(goal, handle.request)
        except CommandRejected as error:  # It became invalid after the check.
            self._node.get_logger().error(f"{self._name}: goal aborted: {error}")
            self.end(goal, "aborted", self._server.action_type.Result())

    def _canceled(self, handle: ServerGoalHandle) -> CancelResponse:
        self._cancel(bytes(handle.goal_id.uuid))
        return CancelResponse.ACCEPT
