"""mock_home from outside: the topics, actions and services of a robot, in simulated time."""

import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

pytest.importorskip("rclpy")

from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration
from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from control_msgs.msg import JointTrajectoryControllerState
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fakes.graph import Graph, wait_for
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from pi05_msgs.msg import Heartbeat, TaskScore
from pi05_ros.nodes.brain_common.observation_inputs import scene_from_message
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.nodes.mock_home.mock_home import MockHome
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
TICK = 20_000_000
SECOND = 1_000_000_000


def ns(stamp):
    return stamp.sec * SECOND + stamp.nanosec


class Client:
    """A test's own node beside a running mock home."""

    def __init__(self, graph, mock):
        self.graph = graph
        self.mock = mock
        self.node = graph.plain("client")
        self.trajectory = self.node.create_publisher(
            JointTrajectory, "/torso_controller/joint_trajectory", qos.COMMAND
        )
        self.cmd_vel = self.node.create_publisher(
            TwistStamped, "/base_controller/cmd_vel", qos.COMMAND
        )
        self.gripper = ActionClient(
            self.node, ParallelGripperCommand, "/left_gripper_controller/gripper_cmd"
        )
        self.follow = ActionClient(
            self.node, FollowJointTrajectory, "/torso_controller/follow_joint_trajectory"
        )
        self.service = self.node.create_client(Trigger, "mock_home/reset")
        assert self.gripper.wait_for_server(30.0)
        assert self.follow.wait_for_server(30.0)
        assert self.service.wait_for_service(30.0)
        for publisher in (self.trajectory, self.cmd_vel):
            wait_for(publisher.get_subscription_count, publisher.topic_name)

    @property
    def now(self):
        """Simulated time [ns]."""
        return self.mock.simulation.now_ns

    def listen(self, kind, topic, profile=qos.STATUS):
        """Messages of a topic from now on, in a list that grows."""
        messages = []
        self.node.create_subscription(kind, topic, messages.append, profile)
        wait_for(lambda: messages, topic)
        return messages

    def run_until(self, time_ns):
        wait_for(lambda: self.now >= time_ns, f"simulated time {time_ns * 1e-9:.2f} s")

    def result(self, future):
        wait_for(future.done, "an answer")
        return future.result()

    def reset(self):
        return self.result(self.service.call_async(Trigger.Request()))


@pytest.fixture(scope="module")
def running():
    graph = Graph()
    try:
        yield Client(graph, graph.add(MockHome, platform=PLATFORM.name, home=0))
    finally:
        graph.close()


@pytest.fixture
def client(running):
    """The same mock home for all tests, put back to its start."""
    running.mock.set_parameters([Parameter("home", value=0)])
    assert running.reset().success
    return running


def trajectory(seconds, *positions, joints=("torso_lift",)):
    nanoseconds = round(seconds * SECOND)
    after = Duration(sec=nanoseconds // SECOND, nanosec=nanoseconds % SECOND)
    point = JointTrajectoryPoint(positions=list(positions), time_from_start=after)
    return JointTrajectory(joint_names=list(joints), points=[point])


def test_the_clock_rises_by_20_ms_from_above_0(client):
    clocks = client.listen(Clock, "/clock")
    wait_for(lambda: len(clocks) > 25, "25 clocks")
    times = [at for at in (ns(message.clock) for message in clocks) if at % TICK == 0]
    assert times[0] >= SECOND
    assert set(np.diff(times)) == {TICK}


def test_time_waits_for_a_node_that_is_late_and_says_so(client):
    clocks = client.listen(Clock, "/clock")
    statistics = client.listen(DiagnosticArray, "mock_home/statistics")
    hearts = client.node.create_publisher(Heartbeat, "heartbeat", qos.HEARTBEAT_OUTPUT)
    wait_for(hearts.get_subscription_count, "the mock home to listen")

    def beat(**fields):
        message = Heartbeat(node="policy", instance=1, fit=True, **fields)
        message.header.stamp = ns_to_time(client.now)
        hearts.publish(message)
        return ns(message.header.stamp)

    heard = beat()
    wait_for(lambda: status(statistics[-1], "graph")[1]["waiting for"], "the reason")
    assert status(statistics[-1], "graph")[1]["waiting for"] == "policy, which is late"
    stands = client.now
    assert heard + 80_000_000 < stands <= heard + 100_000_000
    count = len(clocks)
    wait_for(lambda: len(clocks) > count + 3, "a clock that says that it lives")
    assert client.now == stands
    crept = [ns(message.clock) - stands for message in clocks[-3:]]
    assert 0 < crept[0] < crept[1] < crept[2] < 1000
    beat(reason=Heartbeat.REASON_DEACTIVATED)  # It need not be waited for any more.
    client.run_until(stands + 10 * TICK)
    wait_for(lambda: not status(statistics[-1], "graph")[1]["waiting for"], "no reason")


def test_joint_states_are_the_robots_at_50_hz(client):
    states = client.listen(JointState, PLATFORM.joint_states_topic)
    wait_for(lambda: len(states) > 25, "25 joint states")
    assert set(np.diff([ns(state.header.stamp) for state in states])) == {TICK}
    state = states[-1]
    assert len(state.name) == len(state.position) == len(state.velocity) == len(set(state.name))
    measured = dict(zip(state.name, state.position, strict=True))
    for group in PLATFORM.groups:
        for d in group.dimensions:
            if group.kind == "joint_trajectory":
                assert measured[d.joint_name] == pytest.approx(d.home, abs=2e-3)
            elif group.kind == "parallel_gripper":
                assert measured[d.joint_name] == pytest.approx(group.joint_open, abs=1e-3)
    assert {"wheel_front_joint", "wheel_left_joint", "wheel_right_joint"} <= set(measured)


def test_a_trajectory_moves_the_joint_and_is_seen_in_the_controllers_state(client):
    states = client.listen(
        JointTrajectoryControllerState, "/torso_controller/controller_state", qos.SENSOR
    )
    assert states[-1].joint_names == ["torso_lift"]
    client.trajectory.publish(trajectory(0.5, 0.35))
    wait_for(lambda: states[-1].reference.positions[0] > 0.26, "the reference to move")
    client.run_until(client.now + round(0.6 * SECOND))
    state = states[-1]
    assert state.reference.positions[0] == pytest.approx(0.35)
    assert state.output.positions[0] == pytest.approx(0.35)
    assert state.feedback.positions[0] == pytest.approx(0.35, abs=3e-3)
    assert state.error.positions[0] == pytest.approx(0.35 - state.feedback.positions[0])


def test_cmd_vel_moves_the_base_until_its_timeout(client):
    odometry = client.listen(Odometry, PLATFORM.odom_topic)
    command = TwistStamped()
    command.twist.linear.y = 0.2
    command.twist.angular.z = 0.5
    start = client.now
    for k in range(25):
        command.header.stamp = ns_to_time(client.now)
        client.cmd_vel.publish(command)
        last = ns(command.header.stamp)
        client.run_until(start + (k + 1) * TICK)
    client.run_until(last + SECOND)
    speed = {ns(o.header.stamp): o.twist.twist for o in list(odometry)}
    moving = [t for t in speed if last < t <= last + round(0.2 * SECOND)]
    assert len(moving) == 10
    for time in moving:
        assert speed[time].linear.y == pytest.approx(0.2, abs=0.02)
        assert speed[time].angular.z == pytest.approx(0.5, abs=0.05)
    # Its drives take a moment to bring the base to rest.
    standing = [t for t in speed if t > last + round(0.4 * SECOND)]
    assert len(standing) > 10
    for time in standing:
        assert abs(speed[time].linear.y) < 0.01
        assert abs(speed[time].angular.z) < 0.02
    assert odometry[-1].header.frame_id == "odom"
    assert odometry[-1].child_frame_id == "base_link"
    assert 2 * math.asin(odometry[-1].pose.pose.orientation.z) > 0.2


def test_a_gripper_goal_closes_the_gripper(client):
    joints = client.listen(JointState, PLATFORM.joint_states_topic)
    goal = ParallelGripperCommand.Goal(command=JointState(position=[0.0]))
    handle = client.result(client.gripper.send_goal_async(goal))
    assert handle.accepted
    response = client.result(handle.get_result_async())
    assert response.status == GoalStatus.STATUS_SUCCEEDED
    assert response.result.reached_goal
    assert not response.result.stalled
    assert response.result.state.position[0] == pytest.approx(0.0, abs=0.002)
    measured = dict(zip(joints[-1].name, joints[-1].position, strict=True))
    assert measured["left_gripper_joint"] < 0.005
    assert measured["right_gripper_joint"] > 0.035


def test_gripper_goals_replace_each_other_and_have_one_position(client):
    def send(*positions):
        goal = ParallelGripperCommand.Goal(command=JointState(position=list(positions)))
        return client.result(client.gripper.send_goal_async(goal))

    first, second = send(0.0), send(0.03)
    assert client.result(first.get_result_async()).status == GoalStatus.STATUS_CANCELED
    assert client.result(second.get_result_async()).status == GoalStatus.STATUS_SUCCEEDED
    assert not send(0.01, 0.02).accepted
    assert not send().accepted


def follow(client, *arguments, **keywords):
    goal = FollowJointTrajectory.Goal(trajectory=trajectory(*arguments, **keywords))
    return client.result(client.follow.send_goal_async(goal))


def test_follow_joint_trajectory_reaches_its_goal(client):
    response = client.result(follow(client, 0.3, 0.3).get_result_async())
    assert response.status == GoalStatus.STATUS_SUCCEEDED
    assert response.result.error_code == FollowJointTrajectory.Result.SUCCESSFUL
    assert response.result.error_string == "Goal successfully reached!"


def test_a_new_trajectory_goal_aborts_the_old(client):
    first = follow(client, 5.0, 0.5)
    second = follow(client, 5.0, 0.0)
    response = client.result(first.get_result_async())
    assert response.status == GoalStatus.STATUS_ABORTED
    assert response.result.error_code == FollowJointTrajectory.Result.INVALID_GOAL
    assert client.result(second.cancel_goal_async()).goals_canceling
    assert client.result(second.get_result_async()).status == GoalStatus.STATUS_CANCELED


def test_a_senseless_trajectory_goal_is_rejected(client):
    assert not follow(client, 1.0, 0.3, joints=("elbow",)).accepted


def test_pictures_of_all_cameras_have_one_stamp(client):
    pictures = {c.name: client.listen(Image, c.topic) for c in PLATFORM.cameras}
    infos = client.listen(CameraInfo, PLATFORM.cameras[0].camera_info_topic)
    for messages in (*pictures.values(), infos):
        wait_for(lambda messages=messages: len(messages) > 4, "four pictures")
    stamps = [{ns(m.header.stamp) for m in messages} for messages in pictures.values()]
    common = set.intersection(*stamps, {ns(m.header.stamp) for m in infos})
    assert len(common) >= 3
    assert {stamp % round(1e9 / PLATFORM.cameras[0].rate_hz) for stamp in common} == {0}
    for camera in PLATFORM.cameras:
        image = pictures[camera.name][-1]
        assert (image.height, image.width) == (camera.height, camera.width)
        assert (image.encoding, image.step) == ("rgb8", 3 * camera.width)
        assert image.header.frame_id == camera.frame
        pixels = np.frombuffer(image.data, np.uint8)
        assert pixels.size == camera.height * camera.width * 3
        assert pixels.std() > 5, f"{camera.name} sees nothing"
    focal = 240 / 2 / math.tan(math.radians(70) / 2)
    np.testing.assert_allclose(infos[-1].k, [focal, 0, 159.5, 0, focal, 119.5, 0, 0, 1])


def test_every_link_has_one_parent(client):
    description = client.listen(String, "/robot_description", qos.LATCHED)[-1].data
    links = {e.attrib["name"] for e in ElementTree.fromstring(description).iter("link")}
    moving = client.listen(TFMessage, "/tf")[-1].transforms
    static = client.listen(TFMessage, "/tf_static", qos.LATCHED)[-1].transforms
    children = [t.child_frame_id for t in [*moving, *static]]
    assert sorted(children) == sorted(links)
    assert moving[0].header.frame_id == "odom"
    assert moving[0].child_frame_id == "base_link"
    for stamped in [*moving, *static]:
        q = stamped.transform.rotation
        assert q.x**2 + q.y**2 + q.z**2 + q.w**2 == pytest.approx(1.0)


def test_ground_truth_and_score(client):
    truth = client.listen(TFMessage, "mock_home/ground_truth", qos.SENSOR)
    wait_for(lambda: len(truth) > 10, "ground truth")
    stamp_ns, scene = scene_from_message(truth[-1], "base_link")
    assert scene.home == 0
    assert len(scene.objects) >= 4
    np.testing.assert_allclose(scene.base.position, 0.0, atol=1e-3)
    stamps = [ns(message.transforms[0].header.stamp) for message in truth]
    assert max(np.diff(stamps)) <= SECOND // 20
    score = client.listen(TaskScore, "task_score", qos.LATCHED)[-1]
    assert (score.task, score.home) == ("put the dishes in the sink", 0)
    assert (score.points, score.max_points) == (0.0, 8.0)
    assert len(score.criteria) == len(score.criterion_points) == len(score.criterion_max) == 8


def test_reset_begins_another_home_while_time_goes_on(client):
    clocks = client.listen(Clock, "/clock")
    goal = follow(client, 5.0, 0.5)
    client.cmd_vel.publish(TwistStamped())
    client.run_until(client.now + 10 * TICK)
    client.mock.set_parameters([Parameter("home", value=7)])
    before = client.now
    answer = client.reset()
    assert answer.success, answer.message
    assert answer.message == "home 7 was reset"
    response = client.result(goal.get_result_async())
    assert response.status == GoalStatus.STATUS_ABORTED
    truth = client.listen(TFMessage, "mock_home/ground_truth", qos.SENSOR)
    wait_for(
        lambda: truth[-1].transforms[0].child_frame_id == "home_7/kitchen/base_link", "home 7"
    )
    assert client.now > before
    times = [ns(message.clock) for message in clocks]
    assert set(np.diff(times)) == {TICK}
    scores = client.listen(TaskScore, "task_score", qos.LATCHED)
    assert scores[-1].home == 7


def status(message, name):
    (found,) = [s for s in message.status if s.name == name]
    return found, {pair.key: pair.value for pair in found.values}


def test_statistics_count_what_came(client):
    statistics = client.listen(DiagnosticArray, "mock_home/statistics")
    assert {s.name for s in statistics[-1].status} == {
        "mock_home",
        "graph",
        *(group.controller.name for group in PLATFORM.groups),
    }
    _, before = status(statistics[-1], "torso_controller")
    _, overall_before = status(statistics[-1], "mock_home")
    for message in (
        trajectory(0.1, 0.25),
        trajectory(0.1, 9.0),
        trajectory(0.1, 0.25, joints=("elbow",)),
        trajectory(0.1, math.nan),
    ):
        client.trajectory.publish(message)
        client.run_until(client.now + 2 * TICK)
    seen = len(statistics)
    wait_for(lambda: len(statistics) > seen, "statistics")
    wait_for(lambda: status(statistics[-1], "torso_controller")[1]["not_finite"] != "0", "NaN")
    found, after = status(statistics[-1], "torso_controller")
    new = {key: int(after[key]) - int(before[key]) for key in ("commands", "rejected")}
    assert new == {"commands": 4, "rejected": 1}
    assert int(after["position_limit"]) - int(before["position_limit"]) == 1
    assert "'elbow' is none of the controller's" in after["last_rejection"]
    assert int(after["ticks"]) > int(after["ticks_missed"]) > 0
    assert any(
        status(message, "torso_controller")[0].level == DiagnosticStatus.ERROR
        for message in statistics[seen:]
    )
    _, overall = status(statistics[-1], "mock_home")
    refused = "not_finite_set_points"
    assert int(overall[refused]) > int(overall_before[refused])
    joints = client.listen(JointState, PLATFORM.joint_states_topic)
    assert np.isfinite(joints[-1].position).all()
