"""Main loop of a node process."""

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

# Period of the check for steps of the system clock [s]. After a step the next heartbeat is late by
# this and one period: two periods and this are below the bridge's peer timeout, 0.15 s.
_CLOCK_CHECK_S = 0.05


def run_node(
    create: Callable[[], Node | Sequence[Node]], args: Sequence[str] | None = None
) -> int:
    """Run the nodes that `create` returns until SIGINT or SIGTERM, then shut them down in order.

    Callbacks run in a separate thread (EventLoop), so that a signal reaches Python at once and
    nodes can still publish during shutdown (a bridge brakes before its context ends).

    Returns:
        Exit status: 0 after a signal, 1 after a failure, 2 for an invalid configuration.
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
        while not stop.wait(_CLOCK_CHECK_S):
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
