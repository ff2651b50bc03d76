"""Parameters of console."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pi05_ros.console.gate import Gate
from pi05_ros.foundation.settings import setting

TOKEN_VARIABLE = "PI05_CONSOLE_TOKEN"


@dataclass(frozen=True)
class ConsoleParameters:
    """Parameters of console."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    host: str = setting(
        "127.0.0.1", "Address to listen on. An address other than loopback requires a token."
    )
    port: int = setting(8805, "TCP port; 0: any free port.", minimum=0, maximum=65535)
    token: str = setting(
        "",
        "Secret of 12 characters or more that a browser must send. Empty: the value of the "
        "environment variable PI05_CONSOLE_TOKEN; if that is empty too, no token is required.",
    )
    names: tuple[str, ...] = setting(
        (),
        "Further names of this machine that the Host header may carry ('robot.local'), separated "
        "by commas.",
    )
    require_operator: bool = setting(
        False,
        "Dead-man switch: the robot holds while no awake browser holds control. The bring-up must "
        "list this node among the control bridge's peers.",
    )
    picture_rate_hz: float = setting(
        10.0,
        "Greatest rate at which the pictures of one camera are sent [Hz].",
        minimum=0.5,
        maximum=30.0,
        formerly="picture_rate",
    )

    def gate(self) -> Gate:
        """Return the access rules of the server.

        Raises:
            ValueError: The address is open and there is no token, or the token is too short.
        """
        names = tuple(name.lower() for name in self.names)
        return Gate(self.host, self.token or os.environ.get(TOKEN_VARIABLE, ""), names)
