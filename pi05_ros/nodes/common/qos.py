"""The QoS profiles of the graph, each with its reason. Listed in docs/topics.md."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

# Pictures as drivers send them: only the newest matters, and a lost one is never sent again.
# A best-effort subscription matches best-effort and reliable drivers alike.
DRIVER_IMAGE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Measurements of the robot: a few are kept, so that a short stall loses none.
SENSOR = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Sets of pictures between our nodes on one machine.
CAMERA_SET = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
)

# The state vector: the newest counts, at 50 Hz a lost one is soon replaced.
ROBOT_STATE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Heartbeats of several nodes on one topic: the next comes in 40 ms.
HEARTBEAT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=20, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Offered so that a simulator that lets time wait for them loses none.
HEARTBEAT_OUTPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=20, reliability=ReliabilityPolicy.RELIABLE
)

# Chunks must arrive; an old one is worthless.
ACTION_CHUNK = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=2, reliability=ReliabilityPolicy.RELIABLE
)

# The same topic for a node that only glances at it: it must not make the policy wait.
ACTION_CHUNK_GLANCE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
)

# Decisions are told once: a reader that stalls for a while still gets them all.
PLAN_DECISION = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.RELIABLE
)

# Whoever joins late still learns the present subtask, score or episode.
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)

# Annotated pictures: reliable, so that viewers that ask for either are served; only the newest
# counts, and a slow viewer keeps nobody waiting.
ANNOTATED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)

# Commands to controllers; joint_trajectory_controller and the base controllers listen reliably.
COMMAND = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)

# Markers tell what to take away once: a viewer that stalls for a while should still hear it.
MARKERS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)

# What happened in the simulator or in a node, for people and tools.
STATUS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)

# What the mock home's drivers send: reliable, as ros2_control's broadcasters and most camera
# drivers offer it, so that reliable and best-effort subscriptions both match.
DRIVER_OUTPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.RELIABLE
)

# Commands as the mock home's controllers take them. Deeper than a real controller's queue: only
# the newest moves the robot, but the witness counts every one.
CONTROLLER_INPUT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.RELIABLE
)
