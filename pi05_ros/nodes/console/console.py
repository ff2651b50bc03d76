"""Node `console`: the operator's web page. Who may do what: docs/design/console.md.

Hears the graph and the cameras while somebody looks, calls its services and its action for whoever
holds control. Nobody waits for this node, unless `require_operator` is set: then it sends
heartbeats, and they say that the robot must hold while no awake browser holds control.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from pi05_ros.console.control import ControlArbiter
from pi05_ros.console.hub import Hub
from pi05_ros.console.page_state import PageState
from pi05_ros.console.pictures import Pictures
from pi05_ros.console.server import Server
from pi05_ros.errors import ConfigError
from pi05_ros.nodes.common.base import OK, Health, ManagedNode
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.console.commands import ConsoleCommands
from pi05_ros.nodes.console.inputs import ConsoleInputs
from pi05_ros.nodes.console.parameters import ConsoleParameters
from pi05_ros.platforms.platform import load_platform

_LOOK_S = 0.1  # How soon inputs open when somebody looks [s].


class Console(ManagedNode[ConsoleParameters]):
    """Shows the graph to people, and lets one of them steer it."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__("console", ConsoleParameters, **arguments)
        self._server: Server | None = None
        self._hub: Hub | None = None
        self._inputs: ConsoleInputs | None = None
        self._commands: ConsoleCommands | None = None
        self._look: Any = None
        self._wanted = False  # Whether somebody looks; set by the server's thread.

    @property
    def VITAL(self) -> bool:  # type: ignore[override]
        """Only with a dead-man switch must the robot stand still without it."""
        return self.parameters.require_operator

    @property
    def server(self) -> Server | None:
        """While the node is active."""
        return self._server

    @property
    def is_watching(self) -> bool:
        """Whether cameras and robot are heard."""
        return self._inputs is not None and self._inputs.is_watching

    def configure(self) -> None:
        """Checks the parameters."""
        self._platform = load_platform(self.parameters.platform)
        try:
            self._gate = self.parameters.gate()
        except ValueError as error:
            where, _, problem = str(error).partition(": ")
            name = self.get_fully_qualified_name()
            raise ConfigError(f"parameter '{where}' of {name}", problem) from error

    def activate(self) -> None:
        """Listens to the graph, then to browsers."""
        board = PageState()
        pictures = Pictures(
            self._platform.camera_names, self.parameters.picture_rate, time.monotonic
        )
        self._wanted = False
        self._inputs = ConsoleInputs(self, self._platform, board, pictures)
        self._commands = ConsoleCommands(self, board, self._on_watch)
        self._hub = Hub(
            self._commands,
            board,
            pictures,
            ControlArbiter(time.monotonic),
            require_operator=self.parameters.require_operator,
            log=self.get_logger().info,
        )
        self._server = Server(self._hub, self._gate, self.parameters.port)
        # rclpy must not open subscriptions in one thread while another waits on them.
        self._look = self.steady_timer(_LOOK_S, self._follow_watchers)
        self.get_logger().info(f"the operator's page: {self._server.url}")

    def deactivate(self) -> None:
        """Closes all pages."""
        if self._look is not None:
            self.destroy_timer(self._look)
            self._look = None
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._commands is not None:
            self._commands.close()
            self._commands = None
        if self._inputs is not None:
            self._inputs.close()
            self._inputs = None
        self._hub = None

    def fitness(self) -> str:
        """With a dead-man switch: why no operator watches over the robot."""
        hub = self._hub
        return hub.control.problem() if hub is not None else "the console is not active"

    def health(self) -> Health:
        """Who looks, and who holds control."""
        hub, server = self._hub, self._server
        if hub is None or server is None:
            return Health()
        holder = hub.control.holder
        values = {
            "url": server.url,
            "pages": hub.watchers,
            "control": holder.name if holder else "",
            "stops": hub.stops,
            "operator required": self.parameters.require_operator,
        }
        who = f", {holder.name} holds control" if holder else ""
        return Health(OK, f"{server.url}: {hub.watchers} page(s) open{who}", values)

    def _on_watch(self, on: bool) -> None:
        self._wanted = on

    def _follow_watchers(self) -> None:
        if self._inputs is not None:
            self._inputs.watch(self._wanted)


def main() -> int:
    """Runs the node until SIGINT or SIGTERM."""
    return run_node(Console)


if __name__ == "__main__":
    sys.exit(main())
