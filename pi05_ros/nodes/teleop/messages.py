"""Messages of teleop: the robot's state in, commands out."""

from __future__ import annotations

from pi05_msgs.msg import ActionChunk, RobotState, TeleopCommand
from pi05_ros.nodes.common.conversions import float_array, ns_to_time, state_from_message
from pi05_ros.platforms.platform import Platform
from pi05_ros.teleop.robot_view import RobotView
from pi05_ros.teleop.session import TeleopOutput


def view_from_message(message: RobotState) -> RobotView:
    """Convert a RobotState.

    Raises:
        MessageError: Its arrays differ in length, or the measured state is not finite.
    """
    state = state_from_message(message)
    running = message.mode == RobotState.MODE_RUNNING
    return RobotView(
        stamp_ns=state.stamp_ns,
        measured=state.measured,
        commanded=state.commanded,
        session=state.session,
        epoch=state.epoch,
        is_armed=running or message.mode == RobotState.MODE_HOLDING,
        is_running=running,
        follows_teleop=running and message.control_source == RobotState.CONTROL_TELEOP,
        reason=message.reason,
    )


def command_message(
    platform: Platform, output: TeleopOutput, robot: RobotView | None, sequence: int, now_ns: int
) -> TeleopCommand:
    """Build the message of one period.

    Args:
        platform: The robot.
        output: What the session decided.
        robot: State that its chunk refers to; None: unknown, and the output has no rows.
        sequence: Number of the message, also of its chunk.
        now_ns: Time of the first row [ns].
    """
    message = TeleopCommand(
        sequence=sequence,
        state=int(output.state),
        device="" if output.device is None else output.device.kind,
        reason=output.reason,
        alignment_error=output.error,
    )
    message.header.stamp = ns_to_time(output.stamp_ns)
    if output.rows is not None and robot is not None:
        chunk = ActionChunk(
            session=robot.session,
            epoch=robot.epoch,
            sequence=sequence,
            start=ns_to_time(now_ns),
            names=list(platform.names),
            period=platform.period,
            horizon=len(output.rows),
            data=float_array(output.rows, "f"),
            latency=max(0.0, (now_ns - output.stamp_ns) * 1e-9),
        )
        chunk.header.stamp = ns_to_time(output.stamp_ns)
        chunk.header.frame_id = platform.base_frame
        message.chunk = chunk
    return message
