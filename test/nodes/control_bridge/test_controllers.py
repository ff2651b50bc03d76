"""Controllers of other types, absent ones, and every kind that a platform file can name."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy")

import control_msgs.action
from control_msgs.action import FollowJointTrajectory
from fakes.bridge_scene import JOINT, PLATFORM, Scene
from fakes.graph import Graph, wait_for
from geometry_msgs.msg import Twist, TwistStamped
from std_srvs.srv import Trigger

from pi05_msgs.msg import RobotState
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.resources import resource_path
from pi05_ros.nodes.common.controller_actions import GripperCommandOutput, gripper_command_type
from pi05_ros.nodes.common.health import WARN
from pi05_ros.platforms.platform import load_platform

CONTENT = yaml.safe_load(resource_path("config/platforms/mobile_18dof.yaml").read_text())
BASE_OFFERED = (
    "/base_controller/cmd_vel is offered as geometry_msgs/msg/Twist, wanted "
    "geometry_msgs/msg/TwistStamped: write 'kind: base_twist' in the platform file"
)
GRIPPER_OFFERED = (
    "/left_gripper_controller/gripper_cmd is offered as control_msgs/action/"
    "FollowJointTrajectory, wanted control_msgs/action/ParallelGripperCommand"
)


def platform_with(tmp_path, **controllers):
    """Load mobile_18dof with other controllers: group -> its entries."""
    content = copy.deepcopy(CONTENT)
    for group in content["groups"]:
        group["controller"].update(controllers.get(group["name"], {}))
    file = tmp_path / "robot.yaml"
    file.write_text(yaml.safe_dump(content))
    return load_platform(str(file))


@pytest.fixture
def body(graph):
    """A graph of another participant in the same domain: a robot's own process."""
    made = Graph(graph.domain_id)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("group", "kind", "problem"),
    [
        ("base", Twist, BASE_OFFERED),
        ("left_gripper", FollowJointTrajectory, GRIPPER_OFFERED),
    ],
)
def test_another_type_refuses_to_arm_and_says_what_is_offered(graph, body, group, kind, problem):
    scene = Scene(graph, kinds={group: kind}, body=body)
    scene.absent = None  # What else is there does not matter.
    wait_for(
        lambda: scene.bridge._bridge.output_problem.startswith(problem), "what is offered", 10.0
    )
    answer = scene.arm()
    assert not answer.success and problem in answer.message
    assert problem in scene.bridge.health().message
    wait_for(lambda: problem in scene.states[-1].reason, "the reason in a robot state", 10.0)
    assert scene.robot.trajectories == []


def test_another_type_beside_a_recorder_is_found(graph, body):
    recorder = graph.plain("recorder")
    recorder.create_subscription(TwistStamped, "/base_controller/cmd_vel", lambda _: None, 10)
    scene = Scene(graph, kinds={"base": Twist}, body=body)
    scene.absent = None
    wait_for(lambda: scene.bridge._bridge.output_problem.startswith(BASE_OFFERED), "the type")
    answer = scene.arm()
    assert not answer.success and BASE_OFFERED in answer.message


def test_a_recorder_is_no_controller(graph):
    recorder = graph.plain("recorder")
    recorder.create_subscription(TwistStamped, "/base_controller/cmd_vel", lambda _: None, 10)
    scene = Scene(graph, kinds={"base": None})
    scene.absent = None
    problem = "no subscriber on /base_controller/cmd_vel: is the controller running?"
    wait_for(lambda: scene.bridge._bridge.output_problem == problem, "the other controllers")
    assert scene.arm().message == f"not armed: {problem}"


def test_a_controller_that_comes_late_is_waited_for(graph):
    scene = Scene(graph, kinds={"base": None}, auto_arm=True)
    before = len(scene.states)
    wait_for(lambda: len(scene.states) > before + 30, "more states")
    assert scene.states[-1].mode == RobotState.MODE_DISARMED
    reason = (
        "no subscriber on /base_controller/cmd_vel: is the controller running?; "
        "not armed yet: call the service 'arm'"
    )
    wait_for(lambda: scene.states[-1].reason == reason, "the reason")
    graph.call(lambda: scene.robot.control(PLATFORM.groups[-1], TwistStamped))
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_HOLDING, "arming itself")


def test_a_base_that_goes_while_it_runs_holds_with_a_reason(graph):
    scene = Scene(graph)
    assert scene.arm().success
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_RUNNING, "running")
    (base,) = [s for s in scene.robot.node.subscriptions if s.topic_name.endswith("cmd_vel")]
    graph.call(lambda: scene.robot.node.destroy_subscription(base))
    wait_for(lambda: "no subscriber on /base_controller" in scene.states[-1].reason, "the hold")
    assert scene.states[-1].mode == RobotState.MODE_HOLDING


def test_a_robot_may_work_without_a_gripper_and_says_so(graph):
    scene = Scene(graph, kinds={"left_gripper": None})
    assert scene.arm().success
    absent = "no controller takes /left_gripper_controller/gripper_cmd: the gripper does not move"
    assert absent in scene.bridge.health().message and scene.bridge.health().level == WARN
    (left, kind) = PLATFORM.groups[1], control_msgs.action.ParallelGripperCommand
    graph.call(lambda: scene.robot.control(left, kind))
    wait_for(lambda: absent not in scene.bridge.health().message, "the gripper")
    wait_for(lambda: "left_gripper" in scene.bridge._sender._seen, "that it is noted")
    graph.call(lambda: scene.robot._servers[-1].destroy())
    wait_for(lambda: "no action server /left_gripper" in scene.states[-1].reason, "the hold")


def test_every_kind_moves_its_joints(graph, tmp_path):
    platform = platform_with(
        tmp_path,
        left_arm={"kind": "follow_joint_trajectory"},
        right_arm={"kind": "forward_position"},
        left_gripper={"kind": "forward_position"},
        right_gripper={"kind": "joint_trajectory"},
        base={"kind": "base_twist", "command": "/cmd_vel"},
    )
    scene = Scene(graph, platform=platform)
    assert scene.arm().success
    wait_for(lambda: scene.robot.goals.get("left_arm"), "a goal while it holds")
    assert "left_gripper" not in scene.robot.arrays  # Until a chunk moves it.
    actions = np.tile(platform.home, (50, 1))
    actions[:, JOINT] = np.linspace(0, 0.2, 50)
    actions[:, platform.index("right_arm_joint_1")] = np.linspace(0, 0.1, 50)
    actions[:, platform.index("base_vx")] = 0.2
    actions[:, platform.index("left_gripper")] = 0.5
    scene.chunks.publish(scene.chunk(data=np.asarray(actions, np.float32).ravel().tolist()))
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_RUNNING, "running")
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_HOLDING, "the chunk's end")
    wait_for(lambda: abs(scene.robot.positions["left_arm_joint_1"] - 0.2) < 0.01, "the left arm")
    assert scene.robot.positions["right_arm_joint_1"] == pytest.approx(0.1, abs=0.01)
    assert max(t.linear.x for t in scene.robot.plain_twists) == pytest.approx(0.2, abs=0.02)
    assert scene.robot.arrays["left_gripper"][-1] == [pytest.approx(0.02, abs=1e-3)]
    goal = scene.robot.goals["left_arm"][-1].trajectory
    assert goal.joint_names[0] == "left_arm_joint_1" and len(goal.points) == 1
    assert goal.points[0].time_from_start.nanosec == 60_000_000
    count = len(scene.robot.goals["left_arm"])
    assert 5 < count < 25  # One every 60 ms while it moves, none at rest.
    wait_for(lambda: len(scene.states) > 200, "a robot at rest")
    assert len(scene.robot.goals["left_arm"]) <= count + 1
    fingers = [t for t in scene.robot.trajectories if t.joint_names == ["right_gripper_joint"]]
    assert fingers and fingers[-1].points[0].time_from_start.nanosec == 100_000_000


def test_a_stop_brakes_by_goals_and_then_sends_none(graph, tmp_path):
    platform = platform_with(tmp_path, left_arm={"kind": "follow_joint_trajectory"})
    scene = Scene(graph, platform=platform)
    assert scene.arm().success
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: len(scene.robot.goals.get("left_arm", [])) > 5, "motion")
    assert scene.call(Trigger, "stop", Trigger.Request()).success
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_STOPPED, "the stop")
    still = np.array(scene.states[-1].commanded)[JOINT]
    before = len(scene.states)
    wait_for(lambda: len(scene.states) > before + 50, "a robot at rest")
    final = scene.robot.goals["left_arm"][-1].trajectory.points[0].positions[0]
    assert final == pytest.approx(np.array(scene.states[-1].commanded)[JOINT], abs=1e-5)
    assert final >= still
    count = len(scene.robot.goals["left_arm"])
    wait_for(lambda: len(scene.states) > before + 80, "more states")
    assert len(scene.robot.goals["left_arm"]) == count


def test_goals_that_are_rejected_hold_the_robot(graph, tmp_path):
    platform = platform_with(tmp_path, torso={"kind": "follow_joint_trajectory"})
    scene = Scene(graph, platform=platform)
    assert scene.arm().success
    scene.robot.accepts = False
    reason = "/torso_controller/follow_joint_trajectory rejected the last goal: see the log"
    wait_for(lambda: scene.states[-1].reason.startswith(reason), "the hold")
    scene.robot.accepts = True
    wait_for(lambda: "rejected" not in scene.states[-1].reason, "recovery")


def test_a_gripper_command_needs_its_type(monkeypatch):
    group = PLATFORM.groups[1]
    monkeypatch.delattr(control_msgs.action, "GripperCommand", raising=False)
    with pytest.raises(ConfigError, match="left_gripper: kind gripper_command: control_msgs has"):
        gripper_command_type(group)


def test_the_goal_of_a_gripper_command_is_a_width_and_an_effort():
    output = GripperCommandOutput.__new__(GripperCommandOutput)
    output.group = PLATFORM.groups[1]
    command = SimpleNamespace(position=0.0, max_effort=0.0)
    output._kind = SimpleNamespace(Goal=lambda: SimpleNamespace(command=command))
    assert output._goal(np.array([0.03])).command is command
    assert (command.position, command.max_effort) == (0.03, 20.0)


def test_a_gripper_command_carries_width_and_effort(graph, tmp_path):
    kind = getattr(control_msgs.action, "GripperCommand", None)
    if kind is None:
        pytest.skip("control_msgs was built without GripperCommand")
    platform = platform_with(tmp_path, left_gripper={"kind": "gripper_command"})
    scene = Scene(graph, platform=platform, kinds={"left_gripper": kind})
    assert scene.arm().success
    actions = np.tile(platform.home, (50, 1))
    actions[:, platform.index("left_gripper")] = 0.5
    scene.chunks.publish(scene.chunk(data=np.asarray(actions, np.float32).ravel().tolist()))
    wait_for(lambda: scene.robot.goals.get("left_gripper"), "a goal")
    goal = scene.robot.goals["left_gripper"][-1].command
    assert 0.019 < goal.position < 0.041 and goal.max_effort == 20.0
