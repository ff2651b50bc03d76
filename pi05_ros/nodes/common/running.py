"""How a program of the suite runs its nodes, and ends them in order."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from pi05_ros.errors import Pi05Error
from pi05_ros.nodes.common.event_loop import EventLoop

# How often the system's clock is looked at [s]. After a step the next heartbeat is late by so much
# and a period: two periods and this are below the bridge's patience with a silent node, 0.15 s.
_CLOCK_LOOK_S = 0.05


def run_node(
    create: Callable[[], Node | Sequence[Node]], args: Sequence[str] | None = None
) -> int:
    """Runs the nodes that `create` makes until SIGINT or SIGTERM, then ends them in order.

    Callbacks run in a thread of their own (EventLoop), so that a signal reaches Python at once and
    nodes can still publish while they end (a bridge brakes before its context goes).

    Returns:
        Exit status: 0 after a signal, 2 when the configuration is wrong, 1 after a failure.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    nodes: list[Node] = []
    try:
        made = create()
        nodes = [made] if isinstance(made, Node) else list(made)
    except Pi05Error as error:
        print(f"error: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    loop = EventLoop(on_end=stop.set)
    for node in nodes:
        loop.add(node)
    loop.start()
    try:
        while not stop.wait(_CLOCK_LOOK_S):
            loop.restart_timers_after_step()
    finally:
        # The loop first: it must not wait on what `close` destroys.
        loop.stop()
        for node in nodes:
            close = getattr(node, "close", None)
            if close is not None:
                close()
            node.destroy_node()
        rclpy.try_shutdown()
    if loop.failure:
        print(loop.failure, file=sys.stderr)
        return 1
    return 0
