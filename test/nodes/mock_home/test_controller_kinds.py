"""The mock home takes commands of every kind that a platform file names."""

import copy
import time

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy")

from fakes.graph import wait_for
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState

from pi05_ros.foundation.resources import resource_path
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.commands import CommandSender
from pi05_ros.nodes.mock_home.mock_home import MockHome
from pi05_ros.platforms.platform import load_platform

CONTENT = yaml.safe_load(resource_path("config/platforms/mobile_18dof.yaml").read_text())


def test_every_kind_moves_the_simulated_robot(graph, tmp_path):
    content = copy.deepcopy(CONTENT)
    groups = {group["name"]: group for group in content["groups"]}
    groups["left_arm"]["controller"]["kind"] = "follow_joint_trajectory"
    groups["right_arm"]["controller"]["kind"] = "forward_position"
    groups["left_gripper"]["controller"]["kind"] = "joint_trajectory"
    groups["right_gripper"].update(command_closed=0.0, command_open=85.0)
    groups["base"]["controller"].update(kind="base_twist", command="/cmd_vel")
    groups["left_arm"]["joint_states_topic"] = "/alice/joint_states"
    for k, dimension in enumerate(groups["left_arm"]["dimensions"]):
        dimension["driver_joint"] = f"alice/joint_{k + 1}"
    file = tmp_path / "robot.yaml"
    file.write_text(yaml.safe_dump(content))
    platform = load_platform(str(file))
    graph.add(MockHome, platform=str(file), real_time_factor=2.0)
    client = graph.plain("client")
    measured = {}

    def take(message):
        measured.update(zip(message.name, message.position, strict=True))

    for topic in platform.joint_states_topics:
        client.create_subscription(JointState, topic, take, qos.SENSOR)
    speeds = []
    client.create_subscription(
        Odometry, platform.odom_topic, lambda m: speeds.append(m.twist.twist.linear.x), qos.SENSOR
    )
    sender = CommandSender(client, platform)
    wait_for(lambda: sender.problem() == "" and not sender.gripper_problems(), "controllers")
    command = platform.home.copy()
    command[platform.index("left_arm_joint_1")] = 0.05
    command[platform.index("right_arm_joint_1")] = 0.05
    command[platform.index("left_gripper")] = 0.5
    command[platform.index("right_gripper")] = 0.5
    command[platform.index("base_vx")] = 0.1

    def step():
        sender.send(command, starts_grippers=True)
        sender.send_goals()
        sender.send_grippers()

    reached = {
        "alice/joint_1": 0.05,
        "right_arm_joint_1": 0.05,
        "left_gripper_joint": 0.02,
        "right_gripper_joint": 0.02,
    }
    end = time.monotonic() + 20.0
    while time.monotonic() < end:
        graph.call(step)
        if all(abs(measured.get(name, np.inf) - value) < 4e-3 for name, value in reached.items()):
            break
        time.sleep(0.02)
    assert {name: round(measured[name], 2) for name in reached} == reached
    assert "left_arm_joint_1" not in measured
    assert speeds and max(speeds) > 0.05
