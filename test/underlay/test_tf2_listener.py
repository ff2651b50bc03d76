"""What the suite expects of tf2_ros's listener and broadcasters, over real topics."""

import time

import pytest

pytest.importorskip("rclpy")

import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.time import Time
from tf2_ros import (
    Buffer,
    StaticTransformBroadcaster,
    TransformBroadcaster,
    TransformListener,
)

TIME_LIMIT = 10.0  # For messages between two nodes of one process [s].


@pytest.fixture
def nodes():
    """A sending and a receiving node, and a function that spins them until something is true."""
    context = rclpy.Context()
    rclpy.init(context=context)
    sender, receiver = (Node(f"tf2_{n}", context=context) for n in ("sender", "receiver"))
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(sender)
    executor.add_node(receiver)

    def spin_until(condition):
        until = time.monotonic() + TIME_LIMIT
        while not condition():
            assert time.monotonic() < until, f"not within {TIME_LIMIT:.0f} s"
            executor.spin_once(timeout_sec=0.05)

    yield sender, receiver, spin_until
    executor.shutdown()
    sender.destroy_node()
    receiver.destroy_node()
    rclpy.shutdown(context=context)


def placed(parent, child, seconds=0, x=0.0):
    result = TransformStamped(child_frame_id=child)
    result.header.frame_id = parent
    result.header.stamp.sec = seconds
    result.transform.translation.x = x
    return result


def test_frames_that_move_arrive(nodes):
    sender, receiver, spin_until = nodes
    buffer = Buffer()
    listener = TransformListener(buffer, receiver)
    broadcaster = TransformBroadcaster(sender)
    spin_until(lambda: sender.count_subscribers("/tf") == 1)
    broadcaster.sendTransform(placed("odom", "base", 7, 1.5))
    broadcaster.sendTransform([placed("base", "arm", 7), placed("arm", "hand", 7, 0.5)])
    spin_until(lambda: buffer.can_transform("odom", "hand", Time()))
    found = buffer.lookup_transform("odom", "hand", Time(seconds=7))
    assert found.transform.translation.x == 2.0
    listener.unregister()


def test_a_late_listener_gets_all_fixed_frames(nodes):
    sender, receiver, spin_until = nodes
    broadcaster = StaticTransformBroadcaster(sender)
    broadcaster.sendTransform(placed("base", "camera", x=0.25))
    broadcaster.sendTransform([placed("camera", "lens", x=0.5)])
    buffer = Buffer()
    listener = TransformListener(buffer, receiver)
    spin_until(lambda: buffer.can_transform("base", "lens", Time()))
    found = buffer.lookup_transform("base", "lens", Time(seconds=99))
    assert found.transform.translation.x == 0.75
    listener.unregister()


def test_a_jump_back_of_simulated_time_forgets_what_moves(nodes):
    """A mock home that is reset must not leave frames of the future."""
    from rosgraph_msgs.msg import Clock

    sender, receiver, spin_until = nodes
    receiver.set_parameters([rclpy.Parameter("use_sim_time", value=True)])
    buffer = Buffer(node=receiver)
    clock = sender.create_publisher(Clock, "/clock", 10)

    def tick(seconds):
        message = Clock()
        message.clock.sec = seconds

        def reached():
            clock.publish(message)
            return receiver.get_clock().now() == Time(
                seconds=seconds, clock_type=receiver.get_clock().clock_type
            )

        spin_until(reached)

    tick(100)
    buffer.set_transform(placed("odom", "base", 100), "test")
    buffer.set_transform_static(placed("base", "camera"), "test")
    tick(101)
    assert buffer.can_transform("odom", "base", Time())
    tick(3)
    assert not buffer.can_transform("odom", "base", Time())
    assert buffer.can_transform("base", "camera", Time())
