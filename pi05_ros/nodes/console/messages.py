"""Conversion of messages to sections of the operator's page."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Joy

from pi05_msgs.msg import (
    ActionChunk,
    Episode,
    PlanDecision,
    Recording,
    RobotState,
    Subtask,
    TaskScore,
    TeleopCommand,
)
from pi05_ros.cameras.rotation import upright_size
from pi05_ros.console.drive import DriveFrame
from pi05_ros.platforms.platform import Platform

MODES = {
    RobotState.MODE_UNKNOWN: "unknown",
    RobotState.MODE_RUNNING: "running",
    RobotState.MODE_HOLDING: "holding",
    RobotState.MODE_DISARMED: "disarmed",
    RobotState.MODE_FAULTED: "faulted",
    RobotState.MODE_STOPPED: "stopped",
}
CONTROLS = {
    RobotState.CONTROL_NONE: "none",
    RobotState.CONTROL_POLICY: "policy",
    RobotState.CONTROL_TELEOP: "teleop",
}
TELEOP_STATES = {
    TeleopCommand.RELEASED: "released",
    TeleopCommand.ALIGNING: "aligning",
    TeleopCommand.ENGAGED: "engaged",
}
_EPISODE_STATES = {
    Episode.STATE_IDLE: "idle",
    Episode.STATE_RECORDING: "recording",
    Episode.STATE_CLOSING: "closing",
    Episode.STATE_ERROR: "error",
}
_DIGITS = 4  # Decimals of values in plots.


def seconds(stamp: Any) -> float:
    """Convert a stamp or a duration to seconds."""
    return float(stamp.sec + stamp.nanosec * 1e-9)


def static_section(platform: Platform, namespace: str, brain: str = "") -> dict[str, Any]:
    """Build the section of constants: platform, cameras, names, vocabulary."""
    return {
        "platform": platform.name,
        "description": platform.description,
        "namespace": namespace,
        "cameras": [
            {"name": camera.name, "width": width, "height": height}
            for camera in platform.cameras
            for width, height in [upright_size(camera.width, camera.height, camera.rotate)]
        ],
        "names": list(platform.names),
        "units": [dimension.unit for dimension in platform.dimensions],
        "groups": [
            {
                "name": group.name,
                "begin": platform.slices[group.name].start,
                "end": platform.slices[group.name].stop,
            }
            for group in platform.groups
        ],
        "vocabulary": list(platform.vocabulary),
    }


def robot_section(message: RobotState, now: float) -> dict[str, Any]:
    """Build the section of mode and state vectors. now [s, ROS time]."""
    return {
        "now": round(now, 3),
        "age": round(now - seconds(message.header.stamp), 3),
        "mode": MODES.get(message.mode, "unknown"),
        "reason": message.reason,
        "control": CONTROLS.get(message.control_source, "none"),
        "measured": _rounded(message.measured),
        "commanded": _rounded(message.commanded),
        "row": round(message.chunk_row, 1),
        "chunk": message.chunk_sequence,
    }


def teleop_section(message: TeleopCommand) -> dict[str, Any]:
    """Build the section of teleoperation: state, device, and why it does not follow."""
    return {
        "state": TELEOP_STATES.get(message.state, "released"),
        "device": message.device,
        "reason": message.reason,
        "error": round(message.alignment_error, 2),
    }


def joy_message(frame: DriveFrame, stamp: Time) -> Joy:
    """Convert a frame of the page to the layout `page` of the topic console/joy."""
    message = Joy(axes=frame.axes, buttons=[int(frame.dead_man), frame.hand])
    message.header.stamp = stamp
    return message


def chunk_section(message: ActionChunk) -> dict[str, Any]:
    """Build the section of the newest chunk."""
    start = seconds(message.start) or seconds(message.header.stamp)
    data = np.asarray(message.data, np.float64).reshape(message.horizon, -1)
    return {
        "sequence": message.sequence,
        "start": round(start, 3),
        "period": message.period,
        "committed": message.committed,
        "latency": round(message.latency, 4),
        "rows": np.round(data, 3).tolist(),
    }


def subtask_section(message: Subtask) -> dict[str, Any]:
    """Build the section of the current subtask and the model's own prediction."""
    answered = bool(message.model_stamp.sec or message.model_stamp.nanosec)
    return {
        "id": message.id,
        "task": message.task,
        "text": message.text,
        "source": message.source,
        "score": round(message.score, 3),
        "latency": round(message.latency, 3),
        "boxes": [
            {
                "camera": box.camera,
                "label": box.label,
                "box": [round(v, 4) for v in (box.x_min, box.y_min, box.x_max, box.y_max)],
            }
            for box in message.boxes
        ],
        "model_answered": answered,
        "model_text": message.model_text,
        "model_score": round(message.model_score, 3),
    }


def decision_section(message: PlanDecision, now: float) -> dict[str, Any]:
    """Build the entry of one decision of the planner. now [s, ROS time]."""
    return {
        "at": round(now, 2),
        "trigger": message.trigger,
        "outcome": message.outcome,
        "answer": message.answer,
        "score": round(message.score, 3),
        "reason": message.reason,
        "loop": message.loop,
        "latency": round(message.latency, 3),
    }


def episode_section(message: Episode) -> dict[str, Any]:
    """Build the section of the current or last episode."""
    return {
        "state": _EPISODE_STATES.get(message.state, "error"),
        "id": message.id,
        "task": message.task,
        "operator_name": message.operator_name,
        "home": message.home,
        "outcome": message.outcome,
        "path": message.path,
        "duration": round(seconds(message.duration), 1),
        "messages": message.message_count,
        "bytes": message.byte_count,
        "message": message.message,
    }


def recording_section(message: Recording) -> dict[str, Any]:
    """Build the section of recording, by topic."""
    return {
        "id": message.id,
        "free_bytes": message.free_bytes,
        "queue_bytes": message.queue_bytes,
        "write_rate": round(message.write_rate),
        "topics": [
            {
                "name": topic.name,
                "rate": round(topic.rate, 1),
                "messages": topic.message_count,
                "lost": topic.lost,
                "dropped": topic.dropped,
                "problem": topic.problem,
            }
            for topic in message.topics
        ],
    }


def score_section(message: TaskScore) -> dict[str, Any]:
    """Build the section of the score in a mock home."""
    return {"task": message.task, "points": message.points, "max_points": message.max_points}


def diagnostics_of(message: Any) -> dict[str, dict[str, Any]]:
    """Convert a DiagnosticArray to name -> level, message and values."""
    return {
        status.name.lstrip("/"): {
            "level": status.level[0] if isinstance(status.level, bytes) else int(status.level),
            "message": status.message,
            "values": {pair.key: pair.value for pair in status.values},
        }
        for status in message.status
    }


def _rounded(values: Any) -> list[float]:
    return np.round(np.asarray(values, np.float64), _DIGITS).tolist()
