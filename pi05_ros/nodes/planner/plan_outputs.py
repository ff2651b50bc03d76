"""Outputs of the planner: subtask, plan_decision, and the feedback of the action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pi05_msgs.msg import PlanDecision, Subtask
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.planner.plan_messages import decision_message, subtask_message
from pi05_ros.nodes.planner.task_server import TaskServer
from pi05_ros.planning.decisions import Decision
from pi05_ros.planning.tasks import CurrentSubtask, TaskKeeper


class PlanOutputs:
    """Publishes what was decided; the caller holds the lock of the planning.

    Args:
        node: Owns the publishers.
        tasks: Action server, for feedback.
    """

    def __init__(self, node: ManagedNode[Any], tasks: TaskServer) -> None:
        self._node = node
        self._tasks = tasks
        self._subtasks = node.create_publisher(Subtask, "subtask", qos.LATCHED)
        self._decisions = node.create_publisher(PlanDecision, "plan_decision", qos.PLAN_DECISION)

    def publish_decision(
        self, decision: Decision | None, keeper: TaskKeeper, letterboxes: Mapping[str, Letterbox]
    ) -> None:
        """Publish a decision, and the subtask if it must be; None: nothing was decided."""
        if decision is None:
            return
        standing = keeper.subtask
        if decision.publish and standing is not None:
            self.publish_subtask(standing, keeper, letterboxes)
        message = decision_message(decision, standing, letterboxes, self._node.now_ns())
        self._decisions.publish(message)

    def publish_subtask(
        self,
        subtask: CurrentSubtask | None,
        keeper: TaskKeeper,
        letterboxes: Mapping[str, Letterbox] | None = None,
    ) -> None:
        """Publish a subtask, also as feedback; None: it did not change."""
        if subtask is None:
            return
        now_ns, task = self._node.now_ns(), keeper.task
        message = subtask_message(subtask, letterboxes or {}, now_ns)
        self._subtasks.publish(message)
        elapsed = max(0, now_ns - task.started_ns) * 1e-9 if task else 0.0
        self._tasks.publish_feedback(message, elapsed)

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (self._subtasks, self._decisions):
            self._node.destroy_publisher(publisher)
