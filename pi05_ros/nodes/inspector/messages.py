"""Conversions between messages and the inspector's data."""

from __future__ import annotations

import array
import math

import cv2
import numpy as np
from geometry_msgs.msg import Point
from nav_msgs.msg import Odometry
from rclpy.duration import Duration
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pi05_msgs.msg import (
    ActionChunk,
    BoundingBox,
    PlanDecision,
    RobotState,
    Subtask,
    TeleopCommand,
)
from pi05_ros.control.chunk import check_chunk
from pi05_ros.data.episodes.episode import PictureBox
from pi05_ros.errors import MessageError
from pi05_ros.inspection.driver import TELEOP_STATES
from pi05_ros.inspection.facts import (
    ChunkFacts,
    DecisionFacts,
    StateFacts,
    SubtaskFacts,
    TeleopFacts,
)
from pi05_ros.inspection.lens import Lens, lens_from_info
from pi05_ros.inspection.shapes import Shape, ShapeKind
from pi05_ros.nodes.common.conversions import (
    chunk_from_message,
    ns_to_time,
    state_from_message,
    time_to_ns,
)
from pi05_ros.platforms.platform import Platform

_KINDS = {
    ShapeKind.STRIP: Marker.LINE_STRIP,
    ShapeKind.LINES: Marker.LINE_LIST,
    ShapeKind.BALLS: Marker.SPHERE_LIST,
    ShapeKind.TEXT: Marker.TEXT_VIEW_FACING,
}

_NEARLY_OPAQUE = 0.99  # RViz takes what is above 0.9998 for opaque.


def subtask_facts(message: Subtask) -> SubtaskFacts:
    """Convert a Subtask; corners of boxes are clipped to the picture.

    Raises:
        MessageError: Its stamp is missing or malformed, or a box is not finite.
    """
    return SubtaskFacts(
        stamp_ns=time_to_ns(message.header.stamp, "subtask"),
        id=message.id,
        task=message.task,
        text=message.text,
        source=message.source,
        score=message.score,
        latency=message.latency,
        boxes=tuple(_box(box) for box in message.boxes),
        model_text=message.model_text,
    )


def decision_facts(message: PlanDecision) -> DecisionFacts:
    """Convert a PlanDecision.

    Raises:
        MessageError: Its stamp is missing or malformed.
    """
    stamp_ns = time_to_ns(message.header.stamp, "plan_decision")
    return DecisionFacts(
        stamp_ns, message.trigger, message.outcome, message.answer, message.reason
    )


def state_facts(message: RobotState, platform: Platform) -> StateFacts:
    """Convert a RobotState.

    Raises:
        MessageError: It is inconsistent, or of another platform.
    """
    sample = state_from_message(message)
    if sample.names != platform.names:
        raise MessageError(
            f"robot_state is of platform '{message.platform}', this node uses '{platform.name}': "
            "start all nodes with one platform"
        )
    return StateFacts(
        stamp_ns=sample.stamp_ns,
        measured=sample.measured,
        commanded=sample.commanded,
        mode=sample.mode,
        reason=message.reason,
        chunk_sequence=sample.chunk_sequence,
        chunk_row=sample.chunk_row,
        control_source=message.control_source,
    )


def teleop_facts(message: TeleopCommand) -> TeleopFacts:
    """Convert a TeleopCommand; its chunk is left out.

    Raises:
        MessageError: Its state is none of the known ones.
    """
    state = TELEOP_STATES.get(message.state)
    if state is None:
        raise MessageError(
            f"teleop_command: state {message.state} is none of "
            f"{', '.join(f'{k} ({v})' for k, v in TELEOP_STATES.items())}"
        )
    return TeleopFacts(state, message.device, message.reason, message.alignment_error)


def chunk_facts(message: ActionChunk, platform: Platform) -> ChunkFacts:
    """Convert an ActionChunk; targets are clipped to the limits.

    Raises:
        ChunkRejected: Its names or sizes are wrong, or it is not finite.
        MessageError: A stamp is malformed.
    """
    accepted = check_chunk(chunk_from_message(message), platform, limit_tolerance=math.inf)
    return ChunkFacts(
        stamp_ns=accepted.stamp_ns,
        start_ns=accepted.start_ns,
        sequence=accepted.sequence,
        subtask_id=accepted.subtask_id,
        actions=accepted.actions,
        committed=min(message.committed, len(accepted.actions)),
        latency=message.latency,
    )


def planar_pose(message: Odometry) -> tuple[float, float, float]:
    """Return x, y [m] and yaw [rad] of an Odometry.

    Raises:
        MessageError: The pose is not finite, or its quaternion is zero.
    """
    p, q = message.pose.pose.position, message.pose.pose.orientation
    yaw = math.atan2(2 * (q.w * q.z + q.x * q.y), q.w**2 + q.x**2 - q.y**2 - q.z**2)
    if not all(map(math.isfinite, (p.x, p.y, yaw))) or not any((q.w, q.x, q.y, q.z)):
        raise MessageError("odometry: the pose is not finite, or its quaternion is zero; dropped")
    return p.x, p.y, yaw


def lens_facts(message: CameraInfo) -> Lens | None:
    """Return the lens of a CameraInfo; None if it is not calibrated."""
    return lens_from_info(
        message.width, message.height, message.k, message.distortion_model, message.d
    )


def marker(shape: Shape, lifetime: float) -> Marker:
    """Convert a shape to a marker that disappears after `lifetime` [s]."""
    message = Marker(
        ns=shape.namespace,
        id=shape.id,
        type=_KINDS[shape.kind],
        action=Marker.ADD,
        lifetime=Duration(seconds=lifetime).to_msg(),
        frame_locked=shape.follows,
    )
    message.header.frame_id = shape.frame
    message.header.stamp = ns_to_time(shape.stamp_ns)
    message.pose.orientation.w = 1.0
    size, scale = float(shape.size), message.scale
    if shape.kind is ShapeKind.TEXT:
        position = message.pose.position
        position.x, position.y, position.z = shape.points[0].tolist()
        scale.z, message.text = size, shape.text
        message.color = _colour(shape.colours[0].tolist())
        return message
    scale.x = scale.y = scale.z = size
    message.points = [Point(x=x, y=y, z=z) for x, y, z in shape.points.tolist()]
    if (shape.colours == shape.colours[0]).all():
        message.color = _colour(shape.colours[0].tolist())
        return message
    message.color.a = 1.0
    colours = shape.colours.copy()
    if (colours[:, 3] < 1.0).any():
        # RViz blends a line by its last point: one that ends opaque would not fade at all.
        colours[:, 3] = colours[:, 3].clip(max=_NEARLY_OPAQUE)
    message.colors = [_colour(colour) for colour in colours.tolist()]
    return message


def marker_array(shapes: list[Shape], gone: list[tuple[str, int]], lifetime: float) -> MarkerArray:
    """Convert shapes to markers, and add deletions of those that are gone."""
    deleted = [Marker(ns=ns, id=id, action=Marker.DELETE) for ns, id in gone]
    return MarkerArray(markers=[*deleted, *(marker(shape, lifetime) for shape in shapes)])


def all_deleted() -> MarkerArray:
    """Return the deletion of all markers of the topic."""
    return MarkerArray(markers=[Marker(action=Marker.DELETEALL)])


def picture_message(picture: np.ndarray, header: Header) -> Image:
    """Convert a picture (H, W, 3) uint8 rgb to an Image."""
    height, width = picture.shape[:2]
    return Image(
        header=header,
        height=height,
        width=width,
        encoding="rgb8",
        step=3 * width,
        data=array.array("B", picture.tobytes()),
    )


def jpeg_message(picture: np.ndarray, header: Header, quality: int) -> CompressedImage:
    """Convert a picture (H, W, 3) uint8 rgb to JPEG of a quality from 1 to 100."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    data = array.array("B", encoded.tobytes())
    return CompressedImage(header=header, format="rgb8; jpeg compressed bgr8", data=data)


def _box(message: BoundingBox) -> PictureBox:
    corners = np.array([message.x_min, message.y_min, message.x_max, message.y_max])
    if not np.isfinite(corners).all():
        raise MessageError(f"subtask: the box '{message.label[:64]}' is not finite; dropped")
    x_min, y_min, x_max, y_max = np.clip(corners, 0.0, 1.0).tolist()
    score = None if math.isnan(message.score) else message.score
    return PictureBox(message.camera, message.label, x_min, y_min, x_max, y_max, score)


def _colour(values: list[float]) -> ColorRGBA:
    r, g, b, a = values
    return ColorRGBA(r=r, g=g, b=b, a=a)
