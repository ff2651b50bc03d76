"""Parameters of control_bridge."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.control.settings import BridgeSettings
from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class ControlBridgeParameters:
    """Parameters of control_bridge; the thresholds are explained in docs/design/safety.md."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    auto_arm: bool = setting(
        False,
        "Arm once without an operator, as soon as the robot is measured. Only for a mock home.",
    )
    clock_timeout_s: float = setting(
        0.2,
        "With use_sim_time: the robot holds when /clock has not advanced for longer than this [s, "
        "wall]. A simulator whose time waits for the nodes requires several seconds.",
        minimum=0.05,
        maximum=3600.0,
        formerly="clock_timeout",
    )
    bridge: BridgeSettings = BridgeSettings()
