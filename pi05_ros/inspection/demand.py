"""Subscriptions on demand: the inputs needed for the outputs that have subscribers."""

from __future__ import annotations

from collections.abc import Collection

from pi05_ros.platforms.platform import Platform

# Outputs, below the inspector's name.
MARKERS = "markers"
STATUS = "status"
# Inputs that are not a camera's.
ROBOT_STATE, ODOMETRY, CHUNK = "robot_state", "odometry", "action_chunk"
SUBTASK, DECISION, TELEOP = "subtask", "plan_decision", "teleop_command"

_FOR_MARKERS = (SUBTASK, ODOMETRY, ROBOT_STATE, CHUNK, TELEOP)
_FOR_STATUS = (SUBTASK, DECISION, ROBOT_STATE, CHUNK, TELEOP)
_FOR_PICTURES = (SUBTASK, ROBOT_STATE, TELEOP)


def annotated(camera: str) -> str:
    """Name of the output with a camera's annotated pictures."""
    return f"{camera}/annotated"


def compressed(camera: str) -> str:
    """Name of the same output as JPEG, following image_transport."""
    return f"{camera}/annotated/compressed"


def picture_of(camera: str) -> str:
    """Name of the input with a camera's pictures."""
    return f"picture of {camera}"


def lens_of_camera(camera: str) -> str:
    """Name of the input with a camera's lens (CameraInfo)."""
    return f"lens of {camera}"


def output_types(platform: Platform) -> dict[str, str]:
    """Message type of every output of an inspector, by name below the node's own."""
    types = {MARKERS: "visualization_msgs/msg/MarkerArray", STATUS: "std_msgs/msg/String"}
    for camera in platform.camera_names:
        types[annotated(camera)] = "sensor_msgs/msg/Image"
        types[compressed(camera)] = "sensor_msgs/msg/CompressedImage"
    return types


def inputs_for(watched: Collection[str], platform: Platform) -> set[str]:
    """Return the inputs that the watched outputs need."""
    needed: set[str] = set()
    if MARKERS in watched:
        needed.update(_FOR_MARKERS, map(lens_of_camera, platform.camera_names))
    if STATUS in watched:
        needed.update(_FOR_STATUS)
    for camera in platform.camera_names:
        if annotated(camera) in watched or compressed(camera) in watched:
            needed.update((*_FOR_PICTURES, picture_of(camera)))
    return needed
