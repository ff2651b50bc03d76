"""Services of control_bridge for operators: arm, stop, reset, resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from std_srvs.srv import SetBool, Trigger

from pi05_ros.control.bridge import Bridge

Act: TypeAlias = Callable[[Bridge, int, int], None]  # (bridge, now_ns, steady_ns)


class BridgeServices:
    """The four services, open while the bridge is active.

    Args:
        node: The node control_bridge.
        operate: Runs a request under the bridge's lock; returns success and a message.
    """

    def __init__(self, node: Any, operate: Callable[[Act], tuple[bool, str]]) -> None:
        self._node = node
        self._operate = operate
        self._services = [
            node.create_service(SetBool, "~/arm", node.guarded_service(self._on_arm)),
            *(
                node.create_service(Trigger, f"~/{name}", node.guarded_service(callback))
                for name, callback in (
                    ("stop", self._on_stop),
                    ("reset", self._on_reset),
                    ("resume", self._on_resume),
                )
            ),
        ]

    def close(self) -> None:
        """Destroy the services."""
        for service in self._services:
            self._node.destroy_service(service)
        self._services = []

    def _on_arm(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data:
            return self._answer(response, "not armed", Bridge.arm)
        return self._answer(response, "not disarmed", lambda bridge, now, _: bridge.disarm(now))

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def stop(bridge: Bridge, now_ns: int, steady_ns: int) -> None:
            bridge.stop(now_ns, "stopped by an operator: call 'resume' to continue")

        return self._answer(response, "not stopped", stop)

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._answer(response, "not reset", lambda bridge, *_: bridge.reset())

    def _on_resume(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._answer(response, "not resumed", Bridge.resume)

    def _answer(self, response: Any, failed: str, act: Act) -> Any:
        response.success, text = self._operate(act)
        response.message = text if response.success else f"{failed}: {text}"
        return response
