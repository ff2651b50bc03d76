"""Node `console`: the operator's web page; see docs/design/console.md for permissions.

Subscribes to graph and cameras while a page is open, and calls services and the action for the
holder of control. With `require_operator` it sends heartbeats, and the robot holds while no
visible page holds control; otherwise the robot continues without this node.
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
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.health import OK, Health
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.console.commands import ConsoleCommands
from pi05_ros.nodes.console.inputs import ConsoleInputs
from pi05_ros.nodes.console.parameters import ConsoleParameters
from pi05_ros.platforms.platform import load_platform

_CHECK_S = 0.1  # Period of the check for open pages [s].


class Console(ManagedNode[ConsoleParameters]):
    """Serves the page: any viewer sees the graph, one of them controls it."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__("console", ConsoleParameters, **arguments)
        self._server: Server | None = None
        self._hub: Hub | None = None
        self._inputs: ConsoleInputs | None = None
        self._commands: ConsoleCommands | None = None
        self._watch_timer: Any = None
        self._wanted = False  # True while a page is open; set by the server's thread.

    @property
    def VITAL(self) -> bool:  # type: ignore[override]
        """True with a dead-man switch: the robot must then hold without this node."""
        return self.parameters.require_operator

    @property
    def server(self) -> Server | None:
        """The server; None unless the node is active."""
        return self._server

    @property
    def is_watching(self) -> bool:
        """True while subscribed to cameras and robot."""
        return self._inputs is not None and self._inputs.is_watching

    def configure(self) -> None:
        """Check the parameters."""
        self._platform = load_platform(self.parameters.platform)
        try:
            self._gate = self.parameters.gate()
        except ValueError as error:
            where, _, problem = str(error).partition(": ")
            name = self.get_fully_qualified_name()
            raise ConfigError(f"parameter '{where}' of {name}", problem) from error

    def activate(self) -> None:
        """Subscribe to the graph, then start the server."""
        page_state = PageState()
        pictures = Pictures(
            self._platform.camera_names, self.parameters.picture_rate_hz, time.monotonic
        )
        self._wanted = False
        self._inputs = ConsoleInputs(self, self._platform, page_state, pictures)
        self._commands = ConsoleCommands(self, page_state, self._on_watch)
        self._hub = Hub(
            self._commands,
            page_state,
            pictures,
            ControlArbiter(time.monotonic),
            require_operator=self.parameters.require_operator,
            log=self.get_logger().info,
        )
        self._server = Server(self._hub, self._gate, self.parameters.port)
        # A timer: rclpy must not create subscriptions in one thread while another waits on them.
        self._watch_timer = self.steady_timer(_CHECK_S, self._follow_watchers)
        self.get_logger().info(f"the operator's page: {self._server.url}")

    def deactivate(self) -> None:
        """Close all pages and the server."""
        if self._watch_timer is not None:
            self.destroy_timer(self._watch_timer)
            self._watch_timer = None
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
        """Return why no operator is present; used with a dead-man switch."""
        hub = self._hub
        return hub.control.problem() if hub is not None else "the console is not active"

    def health(self) -> Health:
        """Address, open pages and holder of control."""
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
    """Run the node until SIGINT or SIGTERM."""
    return run_node(Console)


if __name__ == "__main__":
    sys.exit(main())
