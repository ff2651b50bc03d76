"""The QoS profiles of the graph, each with its reason. Listed in docs/topics.md."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

# Pictures of drivers: only the newest matters, and a lost one is not sent again.
# A best-effort subscription matches best-effort and reliable drivers alike.
DRIVER_IMAGE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Measurements of the robot: a queue, so that a short stall loses none.
SENSOR = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Sets of pictures between our nodes on one machine. Two, since one for the policy and one for the
# planner may come at the same time.
CAMERA_SET = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=2, reliability=ReliabilityPolicy.BEST_EFFORT
)

# The state vector: only the newest matters, at 50 Hz a lost one is soon replaced.
ROBOT_STATE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Heartbeats of several nodes on one topic, each every 40 ms.
HEARTBEAT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=20, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Reliable, so that a simulator that waits for heartbeats loses none.
HEARTBEAT_OUTPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=20, reliability=ReliabilityPolicy.RELIABLE
)

# Chunks must arrive, and commands of an operator; an old one is of no use.
ACTION_CHUNK = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=2, reliability=ReliabilityPolicy.RELIABLE
)

# The same topic for observers: they must not make the policy wait.
ACTION_CHUNK_GLANCE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
)

# An operator's hands on the page: only the newest counts. Reliable, since the last one lets go.
OPERATOR_INPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)

# Decisions are published once: a reader that stalls for a while still gets all.
PLAN_DECISION = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.RELIABLE
)

# A late subscriber still gets the current subtask, score or episode.
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)

# Annotated pictures: reliable, so that reliable and best-effort viewers match; only the newest
# matters, and a slow viewer delays no other.
ANNOTATED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)

# Commands to controllers; joint_trajectory_controller and the base controllers subscribe reliably.
COMMAND = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)

# Deletions of markers are published once: a viewer that stalls for a while must still get them.
MARKERS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)

# Status of the simulator or of a node, for people and tools.
STATUS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)

# Output of the mock home's drivers: reliable, as ros2_control's broadcasters and most camera
# drivers offer it, so that reliable and best-effort subscriptions both match.
DRIVER_OUTPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.RELIABLE
)

# Commands to the mock home's controllers. Deeper than a real controller's queue: only the newest
# moves the robot, but the witness counts every one.
CONTROLLER_INPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.RELIABLE
)
