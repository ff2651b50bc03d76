"""Conversions between messages and arrays, with checks of received messages."""

from __future__ import annotations

import array
import contextlib
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

from pi05_msgs.msg import ActionChunk, CameraSet, RobotState
from pi05_msgs.msg import TeleopCommand as TeleopMessage
from pi05_ros.brain.observation_buffer import Pictures, StateSample
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.control.chunk import Chunk
from pi05_ros.control.teleop_source import TeleopCommand, TeleopState
from pi05_ros.errors import MessageError


def time_to_ns(stamp: Time, what: str = "") -> int:
    """Convert a stamp to nanoseconds.

    Args:
        stamp: Stamp of a header.
        what: Source of the stamp, for the error ("joint states").

    Raises:
        MessageError: It is zero or malformed (nanosec of a second or more).
    """
    begin = f"{what}: " if what else ""
    if stamp.nanosec >= 1_000_000_000:
        raise MessageError(
            f"{begin}the stamp is invalid: nanosec is {stamp.nanosec}, wanted less than 1000000000"
        )
    if stamp.sec == 0 and stamp.nanosec == 0:
        raise MessageError(
            f"{begin}the stamp is zero; the sender must set it to the acquisition time"
        )
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def optional_time_to_ns(stamp: Time, what: str) -> int:
    """Convert a stamp to nanoseconds; a zero stamp gives 0.

    Raises:
        MessageError: It is malformed.
    """
    return 0 if stamp == Time() else time_to_ns(stamp, what)


def ns_to_time(nanoseconds: int) -> Time:
    """Convert nanoseconds to a stamp."""
    return Time(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


def seconds_to_duration(seconds: float) -> Duration:
    """Convert seconds (not negative) to a Duration."""
    nanoseconds = round(seconds * 1e9)
    return Duration(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


def float_array(values: np.ndarray, code: str) -> array.array:
    """Convert a numpy array to the array type of a message field (`f` float32, `d` float64).

    Assigning a numpy array to a message field copies each element; this copies once.
    """
    dtype = {"f": np.float32, "d": np.float64}[code]
    return array.array(code, np.ascontiguousarray(values, dtype=dtype).tobytes())


def camera_set_message(
    header: Header,
    sequence: int,
    names: Sequence[str],
    frames: Sequence[str],
    stamps_ns: Sequence[int | None],
    letterboxes: Sequence[Letterbox | None],
    canvas: np.ndarray,
) -> CameraSet:
    """Build a CameraSet.

    Args:
        header: Header of the message.
        sequence: Number of the set.
        names: Camera names, one for each picture.
        frames: Optical frames.
        stamps_ns: Acquisition times [ns]; None without a picture.
        letterboxes: Position of each picture in its canvas; None without a picture.
        canvas: (N, H, W, 3) uint8; black without a picture.
    """
    pixels = array.array("B")
    pixels.frombytes(np.ascontiguousarray(canvas).data.cast("B"))
    regions = [
        RegionOfInterest()
        if box is None
        else RegionOfInterest(x_offset=box.x, y_offset=box.y, width=box.width, height=box.height)
        for box in letterboxes
    ]
    return CameraSet(
        header=header,
        sequence=sequence,
        names=list(names),
        stamps=[Time() if stamp is None else ns_to_time(stamp) for stamp in stamps_ns],
        frames=list(frames),
        valid=[stamp is not None for stamp in stamps_ns],
        content_regions=regions,
        source_widths=[0 if box is None else box.source_width for box in letterboxes],
        source_heights=[0 if box is None else box.source_height for box in letterboxes],
        height=canvas.shape[1],
        width=canvas.shape[2],
        data=pixels,
    )


def pictures_from_message(message: CameraSet) -> Pictures:
    """Return the valid pictures of a CameraSet, without copying pixels.

    Raises:
        MessageError: Its arrays differ in length, or a stamp is malformed.
    """
    count, shape = len(message.names), (message.height, message.width, 3)
    lengths = {len(message.valid), len(message.content_regions), len(message.source_widths)}
    lengths |= {len(message.source_heights), len(message.stamps), count}
    if len(lengths) != 1 or len(message.data) != count * shape[0] * shape[1] * 3:
        raise MessageError("camera_set: its arrays differ in length; dropped")
    pixels = np.frombuffer(message.data, dtype=np.uint8).reshape(count, *shape)
    images, letterboxes, stamps_ns = {}, {}, {}
    for index, name in enumerate(message.names):
        if not message.valid[index]:
            continue
        region = message.content_regions[index]
        images[name] = pixels[index]
        stamps_ns[name] = time_to_ns(message.stamps[index], f"camera_set: {name}")
        letterboxes[name] = Letterbox(
            message.source_widths[index],
            message.source_heights[index],
            message.width,
            message.height,
            region.x_offset,
            region.y_offset,
            region.width,
            region.height,
        )
    stamp_ns = time_to_ns(message.header.stamp, "camera_set")
    published_ns = optional_time_to_ns(message.published, "camera_set: published")
    return Pictures(stamp_ns, images, letterboxes, published_ns, stamps_ns=stamps_ns)


def state_from_message(message: RobotState) -> StateSample:
    """Convert a RobotState to arrays.

    Raises:
        MessageError: Its arrays differ in length, or the measured state is not finite.
    """
    measured = np.array(message.measured, dtype=np.float64)
    commanded = np.array(message.commanded, dtype=np.float64)
    if not len(message.names) == len(measured) == len(commanded):
        raise MessageError("robot_state: its arrays differ in length; dropped")
    if not np.isfinite(measured).all():
        raise MessageError("robot_state: the measured state is not finite; dropped")
    return StateSample(
        time_to_ns(message.header.stamp, "robot_state"),
        tuple(message.names),
        measured,
        commanded,
        message.session,
        message.epoch,
        message.mode,
        optional_time_to_ns(message.commanded_stamp, "robot_state: commanded_stamp"),
        message.chunk_sequence,
        optional_time_to_ns(message.chunk_stamp, "robot_state: chunk_stamp"),
        message.chunk_row,
        message.control_source,
    )


def teleop_from_message(message: TeleopMessage) -> TeleopCommand:
    """Convert a TeleopCommand; the bridge checks its chunk.

    Raises:
        MessageError: Its state is unknown.
    """
    if message.state not in list(TeleopState):
        raise MessageError(
            f"teleop_command: state {message.state} is unknown, wanted 0 to {max(TeleopState)}"
        )
    state, chunk = TeleopState(message.state), None
    if state is TeleopState.ENGAGED:
        with contextlib.suppress(MessageError):  # A malformed stamp: the bridge rejects None.
            chunk = chunk_from_message(message.chunk)
    return TeleopCommand(message.sequence, state, message.device, message.reason, chunk)


def chunk_from_message(message: ActionChunk) -> Chunk:
    """Convert an ActionChunk to arrays; the bridge checks its contents.

    Raises:
        MessageError: A stamp is malformed.
    """
    stamp_ns = time_to_ns(message.header.stamp, "action_chunk")
    is_given = message.start.sec != 0 or message.start.nanosec != 0
    return Chunk(
        stamp_ns=stamp_ns,
        start_ns=time_to_ns(message.start, "action_chunk: start") if is_given else stamp_ns,
        session=message.session,
        epoch=message.epoch,
        sequence=message.sequence,
        subtask_id=message.subtask_id,
        names=tuple(message.names),
        period=message.period,
        horizon=message.horizon,
        data=np.frombuffer(message.data, dtype=np.float32),
    )
