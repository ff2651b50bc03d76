"""The nodes teleop and control_bridge together: a pad takes over and gives back."""

import pytest

pytest.importorskip("rclpy")

from fakes.bridge_scene import PLATFORM, Scene
from fakes.graph import wait_for
from fakes.teleop import XBOX_REST
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Joy

from pi05_msgs.msg import RobotState
from pi05_ros.nodes.teleop.teleop import Teleop


class Pad:
    """A gamepad at 50 Hz."""

    def __init__(self, graph):
        self.axes, self.buttons, self.on = list(XBOX_REST), [0] * 11, True
        self.node = graph.plain("pad")
        self.publisher = self.node.create_publisher(Joy, "/joy", 10)
        self.node.create_timer(0.02, self.publish)

    def publish(self):
        if self.on:
            joy = Joy(axes=self.axes, buttons=self.buttons)
            joy.header.stamp = self.node.get_clock().now().to_msg()
            self.publisher.publish(joy)


def driven_by(scene, source):
    return lambda: scene.states[-1].control_source == source


def test_a_pad_takes_over_gives_back_and_falls_silent(graph):
    scene = Scene(graph)
    pad = Pad(graph)
    teleop = graph.add(Teleop, platform=PLATFORM.name)
    assert teleop.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert graph.call(teleop.trigger_activate) == TransitionCallbackReturn.SUCCESS
    assert scene.arm().success
    wait_for(lambda: teleop.health().values.get("gamepad") == "ready", "a pad")
    scene.chunks.publish(scene.chunk())
    wait_for(driven_by(scene, RobotState.CONTROL_POLICY), "the policy to drive")
    pad.axes[1], pad.buttons[4] = 1.0, 1
    wait_for(driven_by(scene, RobotState.CONTROL_TELEOP), "the operator to drive")
    wait_for(lambda: scene.robot.twists[-1].twist.linear.x > 0.25, "full speed of the pad")
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.bridge._bridge.counts["chunks_overridden"], "an overridden chunk")
    pad.axes, pad.buttons[4] = list(XBOX_REST), 0
    wait_for(driven_by(scene, RobotState.CONTROL_POLICY), "the policy to drive again")
    pad.axes[1], pad.buttons[4] = 1.0, 1
    wait_for(driven_by(scene, RobotState.CONTROL_TELEOP), "the operator to drive again")
    pad.on = False
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_HOLDING, "a hold")
    wait_for(lambda: "teleop: nothing usable from /joy" in scene.states[-1].reason, "a reason")
    wait_for(lambda: scene.robot.twists[-1].twist.linear.x == 0.0, "the base to stand")
