"""A callback group whose entities no executor touches."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import CallbackGroup


class ByHand(CallbackGroup):  # type: ignore[misc]
    """Entities of this group are left alone by executors: whoever put them there takes from them.

    rclpy's executor rebuilds its wait set for every message, which is most of what a message
    costs. Asking a subscription that has nothing takes half a microsecond.
    """

    def can_execute(self, entity: Any) -> bool:
        """Never by an executor."""
        return False

    def begin_execution(self, entity: Any) -> bool:
        """Never by an executor."""
        return False
