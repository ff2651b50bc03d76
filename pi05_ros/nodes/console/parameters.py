"""Parameters of console."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pi05_ros.console.gate import Gate
from pi05_ros.nodes.common.parameters import parameter

TOKEN_VARIABLE = "PI05_CONSOLE_TOKEN"


@dataclass(frozen=True)
class ConsoleParameters:
    """Parameters of console."""

    platform: str = parameter("mobile_18dof", "Name of a platform, or the path of its YAML file.")
    host: str = parameter(
        "127.0.0.1", "Address to listen on. Another than loopback needs a token."
    )
    port: int = parameter(8805, "TCP port; 0: a free one.", minimum=0, maximum=65535)
    token: str = parameter(
        "",
        "Secret of 12 characters or more that a browser must show. Empty: that of the environment "
        "variable PI05_CONSOLE_TOKEN; empty there, too: none is wanted.",
    )
    names: str = parameter(
        "", "Further names of this machine, separated by commas ('robot.local'), for Host."
    )
    require_operator: bool = parameter(
        False,
        "Dead-man switch: the robot holds while no awake browser holds control. The graph's "
        "bring-up must list this node among the control bridge's peers.",
    )
    picture_rate: float = parameter(
        10.0, "Pictures of each camera per second, at most [Hz].", minimum=0.5, maximum=30.0
    )

    def gate(self) -> Gate:
        """Whom the server lets in.

        Raises:
            ValueError: The address is open and there is no token, or the token is too short.
        """
        names = tuple(name.strip().lower() for name in self.names.split(",") if name.strip())
        return Gate(self.host, self.token or os.environ.get(TOKEN_VARIABLE, ""), names)
