"""mock_home as a process: other transports, wrong parameters, and a clean end."""

import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.graph import wait_for
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, JointState

from pi05_ros.errors import Pi05Error
from pi05_ros.foundation.resources import resource_path
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.mock_home.mock_home import MockHome


def run(*arguments, **keywords):
    command = [
        sys.executable,
        "-m",
        "pi05_ros.nodes.mock_home.mock_home",
        "--ros-args",
        *arguments,
    ]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **keywords)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(graph, number):
    environment = {**os.environ, "ROS_DOMAIN_ID": str(graph.context.get_domain_id())}
    process = run("-r", "__ns:=/pi05", "-r", "/clock:=/other_clock", env=environment)
    try:
        clocks = []
        client = graph.plain("client")
        client.create_subscription(Clock, "/other_clock", clocks.append, qos.SENSOR)
        wait_for(lambda: len(clocks) > 5, "the clock of the process", timeout=30.0)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60.0)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"platform": "mobile_20dof"}, "platform 'mobile_20dof': there is none of that name"),
        ({"home": -1}, "parameter 'home' .* wanted a number from 0"),
        ({"home": "kitchen"}, "parameter 'home' .* wanted a whole number"),
        ({"task": "wash the dog"}, "no rubric scores the task 'wash the dog'"),
        ({"real_time_factor": -1.0}, "parameter 'real_time_factor' .* from 0.0 to 100.0"),
        ({"controller_rate_hz": 60.0}, "controller_rate_hz is 50, 100, 200 or 400 Hz, found 60"),
    ],
)
def test_wrong_parameters_are_refused(graph, parameters, complaint):
    with pytest.raises(Pi05Error, match=complaint):
        graph.add(MockHome, **parameters)


def test_a_wrong_parameter_is_one_sentence_and_exit_2():
    process = run("-p", "task:=wash the dog")
    try:
        _, errors = process.communicate(timeout=60.0)
    finally:
        process.kill()
    assert process.returncode == 2
    lines = errors.strip().splitlines()
    assert len(lines) == 1, errors
    assert "no rubric scores the task 'wash the dog'" in lines[0]


def test_a_platform_file_with_compressed_cameras(graph, tmp_path):
    text = resource_path("config/platforms/mobile_19dof.yaml").read_text()
    text = text.replace("/front_camera/image_raw", "/front_camera/image_raw/compressed")
    text = text.replace("    frame: front", "    transport: compressed\n    frame: front")
    text = text.replace("joint_states_topic: /joint_states", "joint_states_topic: /my/joints")
    path = tmp_path / "my_robot.yaml"
    path.write_text(text)
    graph.add(MockHome, platform=str(path), real_time_factor=2.0, jpeg_quality=80)
    client = graph.plain("client")
    pictures, joints = [], []
    topic = "/front_camera/image_raw/compressed"
    client.create_subscription(CompressedImage, topic, pictures.append, qos.DRIVER_IMAGE)
    client.create_subscription(JointState, "/my/joints", joints.append, qos.SENSOR)
    wait_for(lambda: pictures and joints, "a compressed picture and joint states")
    assert "jpeg" in pictures[-1].format
    picture = cv2.imdecode(np.frombuffer(pictures[-1].data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (240, 320, 3)
    assert picture.std() > 5
    assert "torso_reach" in joints[-1].name


def test_it_says_why_it_cannot_render(graph, monkeypatch):
    def fail(self, camera, snapshot):
        raise RuntimeError("no display")

    monkeypatch.setattr("pi05_ros.sim.cameras.CameraRenderer.render", fail)
    with pytest.raises(Pi05Error, match=r"cannot render \(no display\).*libegl1"):
        graph.add(MockHome, platform="mobile_18dof")
