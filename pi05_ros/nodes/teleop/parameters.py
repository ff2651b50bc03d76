"""Parameters of teleop."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.foundation.settings import setting
from pi05_ros.teleop.session import SessionSettings


@dataclass(frozen=True)
class TeleopParameters:
    """Parameters of teleop. The devices are in the platform's section `teleop`."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    session: SessionSettings = SessionSettings()
