"""Parameters of control_bridge."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.control.settings import BridgeSettings
from pi05_ros.nodes.common.parameters import parameter

_SETTINGS = BridgeSettings()


@dataclass(frozen=True)
class ControlBridgeParameters:
    """Parameters of control_bridge; the thresholds are explained in docs/design/safety.md."""

    platform: str = parameter("mobile_18dof", "Platform name, or the path of its YAML file.")
    auto_arm: bool = parameter(
        False,
        "Arm by itself as soon as the robot is measured, once. Only for a mock home: on a robot "
        "an operator arms it.",
    )
    peers: str = parameter(
        "",
        "Nodes whose heartbeats are needed to arm and to move, separated by commas; empty: every "
        "node from its first heartbeat on.",
    )
    measurement_timeout: float = parameter(
        _SETTINGS.measurement_timeout,
        "Joint states or odometry older than this mean hold [s].",
        minimum=0.01,
        maximum=1.0,
    )
    chunk_max_age: float = parameter(
        _SETTINGS.chunk_max_age,
        "A chunk computed from an older observation is rejected [s].",
        minimum=0.05,
        maximum=2.0,
    )
    peer_timeout: float = parameter(
        _SETTINGS.peer_timeout,
        "A node whose heartbeat is silent for longer means hold [s; simulated with use_sim_time].",
        minimum=0.08,
        maximum=0.9,
    )
    clock_timeout: float = parameter(
        0.2,
        "With use_sim_time: /clock that stands still for longer means hold [s, wall]. A simulator "
        "that lets time wait for the nodes needs seconds here.",
        minimum=0.05,
        maximum=3600.0,
    )
    max_tracking_error: float = parameter(
        _SETTINGS.max_tracking_error,
        "A joint that stays farther than this from its command for 0.1 s latches a fault [rad; "
        "half the number in m].",
        minimum=0.01,
        maximum=3.2,
    )
    max_position_jump: float = parameter(
        _SETTINGS.max_position_jump,
        "A measured position that jumps farther than this latches a fault [rad; half in m].",
        minimum=0.01,
        maximum=3.2,
    )

    def settings(self) -> BridgeSettings:
        """The bridge's settings; the rest keep their defaults."""
        return BridgeSettings(
            measurement_timeout=self.measurement_timeout,
            chunk_max_age=self.chunk_max_age,
            peer_timeout=self.peer_timeout,
            max_tracking_error=self.max_tracking_error,
            max_position_jump=self.max_position_jump,
            peers=tuple(name.strip() for name in self.peers.split(",") if name.strip()),
        )
