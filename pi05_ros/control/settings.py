"""Thresholds and times of the control bridge."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.chunking.settings import EXECUTION_AGE_S
from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class BridgeSettings:
    """Times and thresholds of the bridge; the defaults are those of docs/design/safety.md."""

    measurement_timeout_s: float = setting(
        0.1,
        "Joint states or odometry older than this put the robot on hold [s].",
        minimum=0.01,
        maximum=1.0,
        formerly="measurement_timeout",
    )
    chunk_max_age_s: float = setting(
        0.5,
        "A chunk whose observation is older than this is rejected [s].",
        minimum=0.05,
        maximum=2.0,
        formerly="chunk_max_age",
    )
    max_execution_age_s: float = setting(
        EXECUTION_AGE_S,
        "Rows of a chunk that are due later than this after its observation are not executed, "
        "whatever its horizon [s].",
        minimum=0.1,
        maximum=5.0,
    )
    teleop_max_age_s: float = setting(
        0.2,
        "The robot holds while an operator drives and the newest input of the device is older "
        "than this; chunks of older input are rejected [s].",
        minimum=0.05,
        maximum=1.0,
    )
    teleop_silence_s: float = setting(
        0.2,
        "The robot holds while an operator drives and nothing was heard of teleop for longer than "
        "this [s; simulated with use_sim_time].",
        minimum=0.05,
        maximum=1.0,
    )
    max_lead_s: float = 0.05  # Stamps further in the future than this are rejected [s].
    limit_tolerance: float = 0.05  # Values outside by at most this share of the range are clamped.
    recovery_time_s: float = 1.0  # Healthy input for this long ends a hold for bad input [s].
    max_bad_joint_states: int = 3  # Number of faulty messages in a row that means hold.
    max_bad_chunks: int = 3  # Number of malformed chunks in a row that latches a fault.
    max_tracking_error_rad: float = setting(
        0.2,
        "A joint farther than this from its command for longer than 0.1 s latches a fault [rad; "
        "for a prismatic joint, half the number in m].",
        minimum=0.01,
        maximum=3.2,
        formerly="max_tracking_error",
    )
    tracking_time_s: float = 0.1  # Longest time beyond max_tracking_error_rad [s].
    max_position_jump_rad: float = setting(
        0.25,
        "A measured position that changes by more than this between two messages latches a fault "
        "[rad; for a prismatic joint, half the number in m].",
        minimum=0.01,
        maximum=3.2,
        formerly="max_position_jump",
    )
    limiting_warn_s: float = 1.0  # Targets out of reach for longer than this are a warning [s].
    limiting_hold_s: float = 3.0  # Targets out of reach for longer than this mean hold [s].
    peers: tuple[str, ...] = setting(
        (),
        "Nodes whose heartbeats are required to arm and to move, separated by commas; empty: "
        "every node from its first heartbeat on.",
    )
    peer_timeout_s: float = setting(
        0.15,
        "A peer without a heartbeat for longer than this puts the robot on hold [s; simulated "
        "with use_sim_time].",
        minimum=0.08,
        maximum=0.9,
        formerly="peer_timeout",
    )
    peer_gone_after_s: float = 1.0  # A peer that is silent for longer than this disarms [s].
    settle_time_s: float = 0.5  # Least time of holding commands after a disarm or stop [s].

    def __post_init__(self) -> None:
        times = (
            self.measurement_timeout_s,
            self.chunk_max_age_s,
            self.max_execution_age_s,
            self.teleop_max_age_s,
            self.teleop_silence_s,
            self.recovery_time_s,
            self.tracking_time_s,
            self.peer_timeout_s,
            self.limiting_warn_s,
        )
        if min(times) <= 0:
            raise ValueError("timeouts and recovery_time_s must be above 0 s")
        if (
            self.peer_gone_after_s <= self.peer_timeout_s
            or self.limiting_hold_s <= self.limiting_warn_s
        ):
            raise ValueError(
                "peer_gone_after_s and limiting_hold_s must exceed what comes before them"
            )
        if min(self.max_tracking_error_rad, self.max_position_jump_rad) <= 0:
            raise ValueError("max_tracking_error_rad and max_position_jump_rad must be above 0")
        if not 0 <= self.limit_tolerance < 1:
            raise ValueError("limit_tolerance is a share of the range, from 0 to below 1")
