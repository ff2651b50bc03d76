"""Who takes the commands of a topic or an action, and whether it is the type that is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rclpy.node import Node

# Kind of controller in a platform file that takes a type.
_KINDS = {
    "trajectory_msgs/msg/JointTrajectory": "joint_trajectory",
    "control_msgs/action/FollowJointTrajectory": "follow_joint_trajectory",
    "std_msgs/msg/Float64MultiArray": "forward_position",
    "control_msgs/action/ParallelGripperCommand": "parallel_gripper",
    "control_msgs/action/GripperCommand": "gripper_command",
    "geometry_msgs/msg/TwistStamped": "base_velocity",
    "geometry_msgs/msg/Twist": "base_twist",
}
# Nodes that subscribe to commands to record or to show them, and move nothing.
_OBSERVERS = ("recorder", "inspector", "console", "demo_monitor", "foxglove_bridge")
_OBSERVERS_BEGIN = ("rosbag2_recorder", "_ros2cli", "ros2cli", "rqt_", "plotjuggler", "rviz")
_FEEDBACK = "_FeedbackMessage"


@dataclass(frozen=True)
class Offer:
    """What other nodes offer under the name of a command topic or action."""

    name: str  # Absolute name.
    wanted: str  # Type that is sent ("geometry_msgs/msg/Twist").
    taken: bool  # A controller takes that type.
    others: tuple[str, ...] = ()  # Other types under the name, sorted.

    @property
    def mismatch(self) -> str:
        """Other types under the name, as one clause with the remedy; empty if there are none."""
        if not self.others:
            return ""
        kind = _KINDS.get(self.others[0])
        remedy = (
            f"write 'kind: {kind}' in the platform file if that is its controller"
            if kind
            else "start a controller that takes the wanted type"
        )
        found = ", ".join(self.others)
        return f"{self.name} is offered as {found}, wanted {self.wanted}: {remedy}"


def problem_of(topics: list[Offer], actions: list[Offer]) -> str:
    """Return why commands do not reach every controller, as one clause; empty if they do.

    A wrong type is named before an absent controller: it explains it.
    """
    for offer in (*topics, *actions):
        if offer.mismatch:
            return offer.mismatch
    silent = [offer.name for offer in topics if not offer.taken]
    absent = [offer.name for offer in actions if not offer.taken]
    if silent:
        return f"no subscriber on {', '.join(silent)}: is the controller running?"
    if absent:
        return f"no action server {', '.join(absent)}: is the controller running?"
    return ""


def topic_offer(node: Node, topic: str, kind: Any) -> Offer:
    """Return who subscribes to a topic; observers and the node itself do not count.

    Args:
        node: Knows the graph.
        topic: Absolute name.
        kind: Class of the message that is sent.
    """
    wanted = type_name(kind)
    own = (node.get_namespace(), node.get_name())
    listeners = [
        info.topic_type
        for info in node.get_subscriptions_info_by_topic(topic)
        if (info.node_namespace, info.node_name) != own and not _observes(info.node_name)
    ]
    others = sorted({found for found in listeners if found != wanted})
    return Offer(topic, wanted, wanted in listeners, tuple(others))


def action_offer(node: Node, action: str, kind: Any, ready: bool) -> Offer:
    """Return who serves an action, by the type of its feedback.

    Args:
        node: Knows the graph.
        action: Absolute name.
        kind: Class of the action whose goals are sent.
        ready: The client has found its server.
    """
    wanted = type_name(kind)
    served = {
        info.topic_type.removesuffix(_FEEDBACK)
        for info in node.get_publishers_info_by_topic(f"{action}/_action/feedback")
    }
    return Offer(action, wanted, ready, tuple(sorted(served - {wanted})))


def type_name(kind: Any) -> str:
    """Return the name of a message or action class, as `ros2 topic info` prints it."""
    package, folder = kind.__module__.split(".")[:2]
    return f"{package}/{folder}/{kind.__name__}"


def _observes(node_name: str) -> bool:
    return node_name in _OBSERVERS or node_name.startswith(_OBSERVERS_BEGIN)
