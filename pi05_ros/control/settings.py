"""Thresholds and times of the control bridge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BridgeSettings:
    """Times and thresholds of the bridge; the defaults are those of docs/design/safety.md."""

    measurement_timeout: float = 0.1  # Older joint states or odometry mean hold [s].
    chunk_max_age: float = 0.5  # A chunk from an older observation is rejected [s].
    max_lead: float = 0.05  # What is stamped further in the future is rejected [s].
    limit_tolerance: float = 0.05  # Share of a range by which a value may leave it and be clamped.
    recovery_time: float = 1.0  # Healthy input for this long ends a hold for bad input [s].
    max_bad_joint_states: int = 3  # So many faulty messages in a row mean hold.
    max_bad_chunks: int = 3  # So many malformed chunks in a row latch a fault.
    max_tracking_error: float = 0.2  # Farther from its command a joint may not stay [rad].
    tracking_time: float = 0.1  # For so long it may [s].
    max_position_jump: float = 0.25  # A measured position that jumps farther latches [rad].
    limiting_warn: float = 1.0  # Targets out of reach for so long are told [s].
    limiting_hold: float = 3.0  # For so long, they mean hold [s].
    peers: tuple[str, ...] = ()  # Nodes whose heartbeats are needed; empty: all that were heard.
    peer_timeout: float = 0.15  # A node that is silent for longer means hold [s].
    peer_gone_after: float = 1.0  # For longer, it disarms [s].
    settle_time: float = 0.5  # After disarm or stop, holding commands go out at least so long [s].

    def __post_init__(self) -> None:
        times = (
            self.measurement_timeout,
            self.chunk_max_age,
            self.recovery_time,
            self.tracking_time,
            self.peer_timeout,
            self.limiting_warn,
        )
        if min(times) <= 0:
            raise ValueError("timeouts and recovery_time must be above 0 s")
        if self.peer_gone_after <= self.peer_timeout or self.limiting_hold <= self.limiting_warn:
            raise ValueError(
                "peer_gone_after and limiting_hold must exceed what comes before them"
            )
        if min(self.max_tracking_error, self.max_position_jump) <= 0:
            raise ValueError("max_tracking_error and max_position_jump must be above 0")
        if not 0 <= self.limit_tolerance < 1:
            raise ValueError("limit_tolerance is a share of the range, from 0 to below 1")
