"""Chunks and states as they come, for some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from pi05_ros.evaluation.latency.errors import LatencyError
from pi05_ros.evaluation.latency.ledger import Lives, chunk_record, state_record


def listen(namespace: str, seconds: float, tell: Callable[[str], None]) -> Lives:
    """Listens to a running suite.

    Args:
        namespace: Of the suite ("/pi05").
        seconds: For so long, in wall time [s].
        tell: Progress for people.

    Returns:
        What was heard until then, or until the first Ctrl-C.

    Raises:
        LatencyError: ROS is not installed, or no chunk came.
    """
    try:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        from pi05_msgs.msg import ActionChunk, RobotState
    except ModuleNotFoundError as error:
        raise LatencyError(
            f"the Python package '{error.name}' is missing: source the workspace"
        ) from error
    context = rclpy.Context()
    context.init(args=[])
    node = rclpy.create_node("latency", namespace=namespace, context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    lives = Lives()
    # It only listens: best effort keeps nobody waiting. Deep, so that a stall here loses nothing.
    profile = QoSProfile(depth=200, reliability=ReliabilityPolicy.BEST_EFFORT)
    node.create_subscription(
        ActionChunk, "action_chunk", lambda m: lives.add_chunk(chunk_record(m)), profile
    )
    node.create_subscription(
        RobotState, "robot_state", lambda m: lives.add_state(state_record(m)), profile
    )
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            executor.spin_once(timeout_sec=min(left, 0.2))
            tell(f"{left:.0f} s to go, {lives.chunk_count} chunks, {lives.state_count} states")
        if lives.chunk_count == 0:
            count = node.count_publishers(f"{namespace.rstrip('/')}/action_chunk")
            raise LatencyError(
                f"no action chunk on {namespace.rstrip('/')}/action_chunk in {seconds:g} s "
                f"({count} publishers, {lives.state_count} robot states): "
                + (
                    "has a task begun?"
                    if count
                    else "is the policy active, and the namespace right?"
                )
            )
        lives.simulated |= node.count_publishers("/clock") > 0
    except KeyboardInterrupt:
        pass
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
    return lives
