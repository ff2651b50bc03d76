"""Node `latency`: collects action chunks and robot states for some seconds.

Subscribes to action_chunk and robot_state; publishes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.evaluation.latency.ledger import (
    LatencyError,
    LatencyLog,
    chunk_record,
    state_record,
)

# Best effort, so that the publishers never wait for this node; deep, so that a pause of this
# process loses nothing.
_QOS = QoSProfile(depth=200, reliability=ReliabilityPolicy.BEST_EFFORT)


def listen(namespace: str, seconds: float, on_progress: Callable[[str], None]) -> LatencyLog:
    """Listen to a running suite.

    Args:
        namespace: Namespace of the suite ("/pi05").
        seconds: Duration, in wall time [s].
        on_progress: Called several times a second with the state in one line.

    Returns:
        What was received until then, or until the first Ctrl-C.

    Raises:
        LatencyError: No chunk came.
    """
    context = rclpy.Context()
    context.init(args=[])
    node = rclpy.create_node("latency", namespace=namespace, context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    log = LatencyLog()
    node.create_subscription(
        ActionChunk, "action_chunk", lambda m: log.add_chunk(chunk_record(m)), _QOS
    )
    node.create_subscription(
        RobotState, "robot_state", lambda m: log.add_state(state_record(m)), _QOS
    )
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            executor.spin_once(timeout_sec=min(left, 0.2))
            on_progress(f"{left:.0f} s to go, {log.chunk_count} chunks, {log.state_count} states")
        if log.chunk_count == 0:
            topic = f"{namespace.rstrip('/')}/action_chunk"
            count = node.count_publishers(topic)
            hint = "is the policy active, and the namespace right?"
            if count:
                hint = "has a task begun?"
            raise LatencyError(
                f"no action chunk on {topic} in {seconds:g} s ({count} publishers, "
                f"{log.state_count} robot states): {hint}"
            )
        log.simulated |= node.count_publishers("/clock") > 0
    except KeyboardInterrupt:
        pass
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
    return log
