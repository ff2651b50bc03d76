"""Nodes under test in a context and a DDS domain of their own, spun by one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter

from fakes.domains import ros_domain
from pi05_ros.nodes.common.event_loop import EventLoop


class Graph:
    """Makes nodes, spins them in the background, and ends them in order.

    Args:
        domain_id: That of another graph, whose participant cannot hold a topic of two types; None:
            one of its own.
    """

    def __init__(self, domain_id: int | None = None) -> None:
        self.context = rclpy.Context()
        self._stack = ExitStack()
        self.domain_id = domain_id or self._stack.enter_context(ros_domain())
        self.context.init(domain_id=self.domain_id)
        self._loop = EventLoop(self.context)
        self._nodes: list[Node] = []
        self._loop.start()

    def add(self, kind: Callable[..., Any], **parameters: Any) -> Any:
        """A node of the suite in namespace pi05, with these parameters."""
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        return self._keep(
            kind(context=self.context, namespace="pi05", parameter_overrides=overrides)
        )

    def plain(self, name: str) -> Node:
        """A plain node in the namespace pi05, for the test's own topics."""
        return self._keep(Node(name, context=self.context, namespace="pi05"))

    def call(self, function: Callable[[], Any]) -> Any:
        """Runs `function` in the spinning thread, as a service would, and gives its result.

        rclpy must not destroy entities in one thread while another waits on them.
        """
        task = self._loop.create_task(function)
        wait_for(task.done, f"{function.__name__} to return")
        return task.result()

    def close(self) -> None:
        """Ends all nodes and the context."""
        self._loop.stop()
        for node in self._nodes:
            if hasattr(node, "close"):
                node.close()
            node.destroy_node()
        self.context.try_shutdown()
        self._stack.close()

    def _keep(self, node: Node) -> Node:
        self._nodes.append(node)
        self._loop.add(node)
        return node


def wait_for(condition: Callable[[], Any], what: str, timeout: float = 30.0) -> Any:
    """Waits until `condition()` is true and returns its value; fails naming `what`."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {timeout:g} s for {what}")
