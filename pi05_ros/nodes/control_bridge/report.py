"""RobotState messages and the health of control_bridge."""

from __future__ import annotations

import math

from builtin_interfaces.msg import Time

from pi05_msgs.msg import RobotState
from pi05_ros.control.bridge import Bridge, Tick
from pi05_ros.control.chunk import ControlSource
from pi05_ros.control.modes import Mode, with_problem
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.nodes.common.health import ERROR, OK, WARN, Health
from pi05_ros.nodes.control_bridge.ticker import Ticker


class RobotStateMessage:
    """Fills one RobotState message for each tick of a bridge.

    Args:
        bridge: The bridge.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        platform = bridge.platform
        self._message = RobotState(
            platform=platform.name, session=bridge.session, names=list(platform.names)
        )
        self._message.header.frame_id = platform.base_frame

    def after(self, tick: Tick, now_ns: int) -> RobotState | None:
        """Return the state after one tick; None until the robot is measured.

        Args:
            tick: Result of the tick.
            now_ns: Time of the tick [ns].

        Returns:
            The message; the next call overwrites it.
        """
        if tick.measurement is None:
            return None
        message, target = self._message, tick.target
        message.header.stamp = ns_to_time(tick.measurement.stamp_ns)
        message.epoch = self._bridge.epoch
        message.measured = float_array(tick.measurement.values, "d")
        message.commanded = float_array(
            self._bridge.motion.commanded_near(tick.measurement.values), "d"
        )
        message.commanded_stamp = Time() if tick.command is None else ns_to_time(now_ns)
        message.chunk_sequence = 0 if target is None else target.chunk.sequence
        message.chunk_stamp = Time() if target is None else ns_to_time(target.chunk.stamp_ns)
        message.chunk_row = math.nan if target is None else target.row
        message.control_source = int(tick.control_source)
        message.mode = int(tick.mode)
        message.reason = tick.reason
        if tick.mode is Mode.DISARMED:
            message.reason = with_problem(tick.reason, self._bridge.output_problem)
        return message


def bridge_health(
    bridge: Bridge, ticker: Ticker, gripper_problems: list[str], now_ns: int, steady_ns: int
) -> Health:
    """Return mode, faults and counts for /diagnostics.

    A robot that stands because of a fault is an ERROR; one that stands without a task is not.

    Args:
        bridge: The bridge; its lock is held.
        ticker: Its ticker.
        gripper_problems: Grippers that do not execute their goals, one clause each.
        now_ns: Time of the node [ns].
        steady_ns: Time by the clock of the peers' timeouts [ns].
    """
    found = (
        bridge.measured_state.problem(now_ns),
        bridge.peers.problem(steady_ns),
        bridge.output_problem,
        *gripper_problems,
    )
    problems = [problem for problem in found if problem and problem != bridge.reason]
    level = OK if bridge.mode is Mode.RUNNING else WARN
    if bridge.motion.limiting > bridge.settings.limiting_warn_s:
        problems.append(
            f"chunk targets have exceeded the limits for {bridge.motion.limiting:.1f} s"
        )
    if problems:
        level = WARN
    if bridge.mode >= Mode.FAULTED or not (bridge.mode is Mode.RUNNING or bridge.is_idle):
        level = ERROR
    text = bridge.mode.name.lower()
    text = _driven_by(bridge) if bridge.mode is Mode.RUNNING else f"{text}: {bridge.reason}"
    ages = bridge.peers.ages(steady_ns)
    counts = sorted(bridge.counts.items())
    values = {
        "mode": bridge.mode.name,
        "control": bridge.control_source.name.lower(),
        "ticks": ticker.ticks,
        "ticks missed": ticker.missed,
        "ticks limited": bridge.motion.ticks_limited,
        "real-time priority": ticker.realtime,
        **{f"heartbeat age of {name} [s]": f"{age:.3f}" for name, age in sorted(ages.items())},
        **{name.replace("_", " "): count for name, count in counts},
    }
    return Health(level, "; ".join([text, *problems]), values)


def _driven_by(bridge: Bridge) -> str:
    """Return who drives, as one clause."""
    if bridge.control_source is not ControlSource.TELEOP:
        return "executing chunks"
    device = bridge.teleop.device
    return f"an operator drives ({device})" if device else "an operator drives"
