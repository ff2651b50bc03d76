"""Entities that no executor touches: whoever put them there takes from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rclpy.callback_groups import CallbackGroup


class ManualTakeGroup(CallbackGroup):  # type: ignore[misc]
    """Group of entities whose messages and requests are taken by hand.

    An executor spends most of what a message costs before its callback begins. Asking a
    subscription that has nothing takes half a microsecond. Wait-set executors respect the group;
    EventsExecutor does not: a node that has such entities is a `ManualTakeMixin`, too.
    """

    def can_execute(self, entity: Any) -> bool:
        """Never by an executor."""
        return False

    def begin_execution(self, entity: Any) -> bool:
        """Never by an executor."""
        return False


class ManualTakeMixin:
    """Mix-in of a node: it shows its executor only what that may touch. Stands before the node."""

    @property
    def subscriptions(self) -> Iterator[Any]:
        """Subscriptions without those whose messages are taken by hand."""
        return _without_manual_take(super().subscriptions)  # type: ignore[misc]

    @property
    def services(self) -> Iterator[Any]:
        """Services without those whose requests are taken by hand."""
        return _without_manual_take(super().services)  # type: ignore[misc]

    @property
    def waitables(self) -> Iterator[Any]:
        """Action servers, action clients and events without those of what is taken by hand."""
        return _without_manual_take(super().waitables)  # type: ignore[misc]


def _without_manual_take(entities: Iterable[Any]) -> Iterator[Any]:
    return (e for e in entities if not isinstance(e.callback_group, ManualTakeGroup))
