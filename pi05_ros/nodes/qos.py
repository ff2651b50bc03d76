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

# Chunks must arrive; an old one is worthless.
ACTION_CHUNK = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=2, reliability=ReliabilityPolicy.RELIABLE
)

# Whoever joins late still learns the present subtask, score or episode.
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)

# Commands to controllers; joint_trajectory_controller and the base controllers listen reliably.
COMMAND = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)

# What happened in the simulator or in a node, for people and tools.
STATUS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)
