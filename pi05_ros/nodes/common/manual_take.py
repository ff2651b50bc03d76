"""Entities whose messages are taken without an executor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rclpy.callback_groups import CallbackGroup


class ManualTakeGroup(CallbackGroup):
    """Callback group of entities whose owner takes messages and requests itself.

    Most of the cost of a message arises in the executor, before its callback begins; taking from
    an empty subscription costs half a microsecond. Wait-set executors respect the group.
    EventsExecutor does not: a node with such entities must also be a `ManualTakeMixin`.
    """

    def can_execute(self, entity: Any) -> bool:
        """Return False: no executor may run its entities."""
        return False

    def begin_execution(self, entity: Any) -> bool:
        """Return False: no executor may run its entities."""
        return False


class ManualTakeMixin:
    """Mix-in that hides manually taken entities from executors; a base before the node's."""

    @property
    def subscriptions(self) -> Iterator[Any]:
        """Subscriptions without those that are taken manually."""
        return _without_manual_take(super().subscriptions)  # type: ignore[misc]  # A Node's.

    @property
    def services(self) -> Iterator[Any]:
        """Services without those that are taken manually."""
        return _without_manual_take(super().services)  # type: ignore[misc]  # A Node's.

    @property
    def waitables(self) -> Iterator[Any]:
        """Action servers, action clients and events without those that are taken manually."""
        return _without_manual_take(super().waitables)  # type: ignore[misc]  # A Node's.


def _without_manual_take(entities: Iterable[Any]) -> Iterator[Any]:
    return (e for e in entities if not isinstance(e.callback_group, ManualTakeGroup))
