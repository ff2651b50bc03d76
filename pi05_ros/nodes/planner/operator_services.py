"""Services of the planner for operators: instruct, cancel_task and resume_task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from std_srvs.srv import Trigger

from pi05_msgs.srv import Instruct
from pi05_ros.brain.instructions import InstructCode
from pi05_ros.nodes.common.base import ManagedNode


class OperatorServices:
    """Serves requests; an exception that leaves a service would end the process.

    Args:
        node: Owns the services.
        instruct: Takes an instruction; returns code, message and the subtask's id.
        cancel: Cancels the task; returns success and message.
        resume: Lets a suspended task go on; returns success and message.
    """

    def __init__(
        self,
        node: ManagedNode[Any],
        instruct: Callable[[str], tuple[InstructCode, str, int]],
        cancel: Callable[[], tuple[bool, str]],
        resume: Callable[[], tuple[bool, str]],
    ) -> None:
        self._node = node
        self._instruct = node.guarded(instruct)
        self._services = [
            node.create_service(Instruct, "instruct", self._on_instruct),
            node.create_service(Trigger, "cancel_task", self._serve(cancel, "not cancelled")),
            node.create_service(Trigger, "resume_task", self._serve(resume, "not resumed")),
        ]

    def close(self) -> None:
        """Destroy the services."""
        for service in self._services:
            self._node.destroy_service(service)
        self._services = []

    def _on_instruct(
        self, request: Instruct.Request, response: Instruct.Response
    ) -> Instruct.Response:
        answer = self._instruct(request.text)
        failed = (InstructCode.FAILED, "not accepted: internal error, see the log of planner", 0)
        response.code, response.message, response.subtask_id = answer or failed
        return response

    def _serve(
        self, action: Callable[[], tuple[bool, str]], failed: str
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        act = self._node.guarded(action)

        def serve(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            answer = act() or (False, f"{failed}: internal error, see the log of planner")
            response.success, response.message = answer
            return response

        return serve
