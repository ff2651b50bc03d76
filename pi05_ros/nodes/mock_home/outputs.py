"""Outputs of the mock home: clock, joints, odometry, transforms, ground truth, score.

All messages are created once and filled in place: at 50 Hz, creating them costs more than the
physics.
"""

from __future__ import annotations

import array
import math
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from pi05_msgs.msg import TaskScore
from pi05_ros.errors import ConfigError
from pi05_ros.nodes.common import qos
from pi05_ros.platforms.description import description_path, description_xml, unreported_joints
from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.urdf import Urdf, parse_urdf
from pi05_ros.sim.sensors import Measurement, Sensors
from pi05_ros.sim.simulation import Simulation
from pi05_ros.sim.world import LinkTransforms

GROUND_TRUTH_TICKS = 2  # Ticks between two messages of ground truth: 25 Hz.
SCORE_TICKS = 20  # Ticks between two scores: 2.5 Hz.
# Typical values of a real base, whatever the difficulty.
_POSE_VARIANCE = (1e-3, 1e-3, 1e6, 1e6, 1e6, 1e-2)


class Outputs:
    """Publishes the state of a simulation; one thread calls `publish`."""

    def __init__(self, node: Node, simulation: Simulation) -> None:
        self._simulation = simulation
        self._sensors = Sensors(simulation.world)
        platform = simulation.platform
        self._clock = node.create_publisher(Clock, "/clock", qos.DRIVER_OUTPUT)
        self._node = node
        self._odometry = node.create_publisher(Odometry, platform.odom_topic, qos.DRIVER_OUTPUT)
        self._tf = node.create_publisher(TFMessage, "/tf", qos.DRIVER_OUTPUT)
        self._tf_static = node.create_publisher(TFMessage, "/tf_static", qos.LATCHED)
        self._description = node.create_publisher(String, "/robot_description", qos.LATCHED)
        self._truth = node.create_publisher(TFMessage, "mock_home/ground_truth", qos.DRIVER_OUTPUT)
        self._score = node.create_publisher(TaskScore, "task_score", qos.LATCHED)
        self._repetitions = 0  # Repetitions of the current tick's time.
        self._stamp = Time()  # Shared by all messages of a tick, not copied.
        urdf = description_xml(platform)
        joints = broadcast_joints(
            platform, parse_urdf(urdf, str(description_path(platform))), node.get_logger()
        )
        self._make_messages(joints)
        self._description.publish(String(data=urdf))
        self._publish_static()

    def publish(self) -> None:
        """Publish the state after a tick, the clock first."""
        simulation = self._simulation
        seconds, nanoseconds = divmod(simulation.now_ns, 1_000_000_000)
        self._stamp.sec, self._stamp.nanosec = seconds, nanoseconds
        self._repetitions = 0
        self._clock.publish(self._clock_message)
        measured = self._sensors.measure()
        positions, velocities = measured.positions, measured.velocities
        for publisher, names, message in self._joints:
            message.position = array.array("d", [positions[n] for n in names])
            message.velocity = array.array("d", [velocities[n] for n in names])
            publisher.publish(message)
        self._publish_odometry(measured)
        if self._tf.get_subscription_count():
            _fill(self._tf_message, self._sensors.links(measured))
            self._tf.publish(self._tf_message)
        if simulation.ticks % GROUND_TRUTH_TICKS == 0 and self._truth.get_subscription_count():
            self._truth.publish(self._ground_truth())
        if simulation.ticks % SCORE_TICKS == 0:
            self.publish_score()

    def republish_clock(self) -> None:
        """Publish the time of the last tick again, a nanosecond later each time.

        This distinguishes a waiting clock from a dead one: the time of its readers advances.
        """
        self._repetitions += 1
        seconds, nanoseconds = divmod(self._simulation.now_ns + self._repetitions, 1_000_000_000)
        self._clock.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))

    def publish_score(self) -> None:
        """Publish the score of the task."""
        score = self._simulation.score
        message = TaskScore(
            task=self._simulation.task,
            home=self._simulation.world.home,
            points=score.points,
            max_points=score.max_points,
            criteria=list(score.criteria),
            criterion_points=array.array("f", score.criterion_points),
            criterion_max=array.array("f", score.criterion_max),
        )
        message.header.stamp = self._stamp
        self._score.publish(message)

    def _make_messages(self, joints: list[str]) -> None:
        platform, world = self._simulation.platform, self._simulation.world
        self._clock_message = Clock(clock=self._stamp)
        self._joints = [
            (
                self._node.create_publisher(JointState, topic, qos.DRIVER_OUTPUT),
                [name for name, _ in names],
                JointState(name=[driver_name for _, driver_name in names]),
            )
            for topic, names in driver_joints(platform, joints).items()
        ]
        for *_, message in self._joints:
            message.header.stamp = self._stamp
        self._odometry_message = Odometry(child_frame_id=platform.base_frame)
        self._odometry_message.header.stamp = self._stamp
        self._odometry_message.header.frame_id = platform.odom_frame
        covariance = np.diag(_POSE_VARIANCE).ravel()
        self._odometry_message.pose.covariance = covariance
        self._odometry_message.twist.covariance = covariance
        links = world.link_transforms()
        self._tf_message = _transforms(links.parents, links.children, self._stamp)
        self._truth_message = TFMessage()
        self._truth_names: list[str] = []

    def _publish_odometry(self, measured: Measurement) -> None:
        message = self._odometry_message
        x, y, yaw = measured.base_pose
        message.pose.pose.position.x, message.pose.pose.position.y = x, y
        message.pose.pose.orientation.w = math.cos(yaw / 2)
        message.pose.pose.orientation.z = math.sin(yaw / 2)
        twist = message.twist.twist
        twist.linear.x, twist.linear.y, twist.angular.z = measured.twist
        self._odometry.publish(message)

    def _publish_static(self) -> None:
        links = self._simulation.world.static_link_transforms()
        message = _transforms(links.parents, links.children, self._stamp)
        _fill(message, links)
        self._tf_static.publish(message)

    def _ground_truth(self) -> TFMessage:
        """Return base and items in odom, as `home_<seed>/<room>/<name>`."""
        scene = self._simulation.world.scene_state()
        base, odom = self._simulation.platform.base_frame, self._simulation.platform.odom_frame
        poses = {base: scene.base, **scene.objects}
        names = [f"home_{scene.home}/{scene.room}/{name}" for name in poses]
        if names != self._truth_names:
            self._truth_names = names
            self._truth_message = _transforms([odom] * len(names), names, self._stamp)
        positions = np.array([pose.position for pose in poses.values()])
        quaternions = np.array([pose.quaternion for pose in poses.values()])
        _fill(self._truth_message, LinkTransforms((), (), positions, quaternions))
        return self._truth_message


def driver_joints(platform: Platform, joints: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return topic -> joints on it, as (name in the URDF, name in the message).

    Joints of the platform are on the topic of their group, the others on the first topic.

    Args:
        platform: The robot.
        joints: All that are published, by their names in the URDF.
    """
    driver_names = {d.joint_name: d.driver_joint_name for d in platform.dimensions}
    names: dict[str, list[tuple[str, str]]] = {topic: [] for topic in platform.joint_states_topics}
    topics = {
        dimension.joint_name: topic
        for topic in reversed(platform.joint_states_topics)
        for dimension in platform.joints_on(topic)
    }
    for joint in joints:
        topic = topics.get(joint, platform.joint_states_topics[0])
        names[topic].append((joint, driver_names.get(joint, joint)))
    return names


def broadcast_joints(platform: Platform, urdf: Urdf, log: RcutilsLogger) -> list[str]:
    """Return the joints of /joint_states, as joint_state_broadcaster has them.

    Raises:
        ConfigError: A ros2_control tag gives no state to a joint that the platform names.
    """
    unreported = unreported_joints(platform, urdf)
    if unreported:
        raise ConfigError(
            platform.urdf,
            f"no <ros2_control> tag has a <state_interface> for {', '.join(unreported)}: "
            f"joint states would lack them; add it, or remove the tag",
        )
    unknown = [n for n in urdf.reported_joints() if n not in urdf.joints]
    if unknown:
        raise ConfigError(
            platform.urdf,
            f"the <ros2_control> tag names {', '.join(unknown)}, and the URDF has no such joint",
        )
    if urdf.state_joints is None:
        log.warning(
            f"{platform.urdf} has no <ros2_control> tag: joint states name all joints that "
            f"move, {', '.join(urdf.reported_joints())}; "
            "on a robot, joint_state_broadcaster needs the tag"
        )
    return list(urdf.reported_joints())


def _transforms(parents: Sequence[str], children: Sequence[str], stamp: Time) -> TFMessage:
    """Create a message with frames and stamp; the transforms are filled later."""
    message = TFMessage()
    for parent, child in zip(parents, children, strict=True):
        transform = TransformStamped(child_frame_id=child)
        transform.header.frame_id = parent
        transform.header.stamp = stamp
        message.transforms.append(transform)
    return message


def _fill(message: TFMessage, links: LinkTransforms) -> None:
    """Write positions [m] and quaternions (w x y z) into a message of the same order."""
    rows = zip(
        message.transforms, links.positions.tolist(), links.quaternions.tolist(), strict=True
    )
    for stamped, position, quaternion in rows:
        translation, rotation = stamped.transform.translation, stamped.transform.rotation
        translation.x, translation.y, translation.z = position
        rotation.w, rotation.x, rotation.y, rotation.z = quaternion
