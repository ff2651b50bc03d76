"""How a program of the suite runs its nodes, and ends them in order."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from pi05_ros.errors import Pi05Error


def run_node(
    create: Callable[[], Node | Sequence[Node]], args: Sequence[str] | None = None
) -> int:
    """Runs the nodes that `create` makes until SIGINT or SIGTERM, then ends them in order.

    The executor spins in a thread of its own, so that a signal reaches Python at once and nodes
    can still publish while they end (a bridge brakes before its context goes).

    Returns:
        Exit status: 0 after a signal, 2 when the configuration is wrong, 1 after a failure.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    nodes: list[Node] = []
    failure: list[str] = []
    try:
        made = create()
        nodes = [made] if isinstance(made, Node) else list(made)
    except Pi05Error as error:
        print(f"error: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    # EventsExecutor would take half the processor time, but in rclpy 7.1.6 it spins at full load
    # beside an action server and does not return from shutdown.
    executor = SingleThreadedExecutor()

    def spin() -> None:
        try:
            executor.spin()
        except Exception:
            if not stop.is_set():
                failure.append(traceback.format_exc())
        stop.set()

    for node in nodes:
        executor.add_node(node)
    spinner = threading.Thread(target=spin, name="executor", daemon=True)
    spinner.start()
    try:
        stop.wait()
    finally:
        # The executor first: it must not wait on what `close` destroys.
        executor.shutdown(timeout_sec=1.0)
        spinner.join(timeout=2.0)
        for node in nodes:
            close = getattr(node, "close", None)
            if close is not None:
                close()
            node.destroy_node()
        rclpy.try_shutdown()
    if failure:
        print(failure[0], file=sys.stderr)
        return 1
    return 0
