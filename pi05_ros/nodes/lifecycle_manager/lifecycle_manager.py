"""Node `lifecycle_manager`: activates the managed nodes in order, the control bridge last.

Parameters:
    managed_nodes: Names in the order of activation, relative to this node's namespace.
    aside_nodes: Names of managed nodes that the graph does not depend on (the recorder): each is
        activated and recovered independently of all others.
    others: See LifecycleConfig.

Publishes:
    lifecycle_manager/state (std_msgs/String, transient local): starting, active, recovering,
        failed or stopped, on every change.
    /diagnostics (diagnostic_msgs/DiagnosticArray): the same with each node's state, once a second.

On SIGINT and SIGTERM it deactivates all nodes, the bridge first, and ends.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from lifecycle_msgs.msg import State as StateMessage
from lifecycle_msgs.msg import Transition as TransitionMessage
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future
from std_msgs.msg import String

from pi05_ros.bringup.lifecycle import Call, Event, LifecycleSequence, NodeState, Phase, Transition
from pi05_ros.bringup.lifecycle_config import LifecycleConfig
from pi05_ros.errors import ConfigError
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.parameters import declare_parameters
from pi05_ros.nodes.common.running import run_node

_STATES = {
    StateMessage.PRIMARY_STATE_UNCONFIGURED: NodeState.UNCONFIGURED,
    StateMessage.PRIMARY_STATE_INACTIVE: NodeState.INACTIVE,
    StateMessage.PRIMARY_STATE_ACTIVE: NodeState.ACTIVE,
    StateMessage.PRIMARY_STATE_FINALIZED: NodeState.FINALIZED,
}
_TRANSITIONS = {
    Transition.CONFIGURE: TransitionMessage.TRANSITION_CONFIGURE,
    Transition.ACTIVATE: TransitionMessage.TRANSITION_ACTIVATE,
    Transition.DEACTIVATE: TransitionMessage.TRANSITION_DEACTIVATE,
}
_LEVELS = {
    Phase.STARTING: DiagnosticStatus.WARN,
    Phase.ACTIVE: DiagnosticStatus.OK,
    Phase.RECOVERING: DiagnosticStatus.WARN,
    Phase.FAILED: DiagnosticStatus.ERROR,
}
_MANAGED_NODES = (
    "Names of the managed nodes, in the order of activation; relative to this node's namespace."
)
_ASIDE_NODES = (
    "Names of managed nodes that are each brought up and back independently of the others."
)
_TICK_S = 0.05  # How often the sequence is asked for its next call [s].
_DIAGNOSTICS_S = 1.0
_ALL_ACTIVE = "all 1 nodes are active"  # Text of LifecycleSequence for a single node.


class LifecycleManager(Node):
    """Requests the states of the managed nodes and makes the calls of LifecycleSequence."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__("lifecycle_manager", **arguments)
        self._config = declare_parameters(self, LifecycleConfig)
        names = self._declare_names("managed_nodes", _MANAGED_NODES)
        try:
            self._sequence = LifecycleSequence(names, self._config, time.monotonic())
        except ValueError as error:
            raise ConfigError(
                "parameter 'managed_nodes' of lifecycle_manager", str(error)
            ) from None
        aside = self._declare_names("aside_nodes", _ASIDE_NODES)
        if shared := sorted(set(aside) & set(names)):
            raise ConfigError(
                "parameter 'aside_nodes' of lifecycle_manager",
                f"{', '.join(shared)} must not be listed in 'managed_nodes' as well",
            )
        # A separate sequence for each: a call to one of them delays no other.
        self._aside = {
            name: LifecycleSequence((name,), self._config, time.monotonic()) for name in aside
        }
        self._nodes = {name: _Remote(self, name) for name in (*names, *aside)}
        self._state = self.create_publisher(String, "~/state", qos.LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.STATUS)
        self._published: str | None = None
        self._closing = False
        self._progress_at = time.monotonic() + self._config.progress_period_s
        # Steady, not the node's clock: nodes must be activated before a simulated clock runs.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_TICK_S, self._tick, clock=clock)
        self.create_timer(self._config.ask_period_s, self._request_states, clock=clock)
        self.create_timer(_DIAGNOSTICS_S, self._publish_diagnostics, clock=clock)

    @property
    def phase(self) -> Phase:
        """Phase of the whole graph."""
        return self._sequence.phase

    def close(self) -> None:
        """Deactivate active nodes, the last one first, within `shutdown_limit_s`.

        Called when the process ends; the executor still spins in another thread.
        """
        self._closing = True
        deadline = time.monotonic() + self._config.shutdown_limit_s
        for name in self._sequence.active_in_reverse():
            if not self._nodes[name].present:
                continue  # It received the same signal and has ended.
            replied = threading.Event()
            future = self._nodes[name].change(Transition.DEACTIVATE)
            future.add_done_callback(lambda _, replied=replied: replied.set())
            while not replied.wait(_TICK_S) and self._nodes[name].present:
                if time.monotonic() > deadline:
                    self.get_logger().warning(
                        f"{name} was not deactivated within the shutdown limit"
                    )
                    break
        self._publish_state("stopped")

    def _declare_names(self, name: str, description: str) -> tuple[str, ...]:
        """Declare a list of node names and return it."""
        descriptor = ParameterDescriptor(description=description)
        value = self.declare_parameter(name, Parameter.Type.STRING_ARRAY, descriptor).value
        return tuple(value or ())

    def _tick(self) -> None:
        """Make the next call, log events and publish the state."""
        if self._closing:
            return
        now = time.monotonic()
        for sequence in (self._sequence, *self._aside.values()):
            call = sequence.next_call(now)
            if call is not None:
                future = self._nodes[call.node].change(call.transition)
                replied = functools.partial(self._on_reply, sequence, call)
                future.add_done_callback(replied)
        for sequence in self._aside.values():
            for event in sequence.drain_events():
                if event.text != _ALL_ACTIVE:  # Meant for a graph.
                    self._log(event)
        for event in self._sequence.drain_events():
            self._log(event)
            self._progress_at = now + self._config.progress_period_s
        if self._sequence.phase is not Phase.ACTIVE and now >= self._progress_at:
            self.get_logger().info(self._sequence.describe(now))
            self._progress_at = now + self._config.progress_period_s
        self._publish_state(self._sequence.phase.value)

    def _log(self, event: Event) -> None:
        # One line of code for each level: rclpy binds a level to the place of the call.
        if event.level == "error":
            self.get_logger().error(event.text)
        elif event.level == "warn":
            self.get_logger().warning(event.text)
        else:
            self.get_logger().info(event.text)

    def _on_reply(self, sequence: LifecycleSequence, call: Call, future: Future) -> None:
        success = future.exception() is None and future.result().success
        sequence.finished(call, success, time.monotonic())

    def _request_states(self) -> None:
        """Request the state of every node, and record which of them do not respond."""
        now = time.monotonic()
        for name, remote in self._nodes.items():
            if not remote.present:
                self._sequence_of(name).gone(name, now)
                continue
            if now - remote.answered_at > self._config.answer_timeout_s:
                self._sequence_of(name).silent(name, now)
            remote.request_state(self._on_state, forget_before=now - self._config.answer_timeout_s)

    def _on_state(self, name: str, state_id: int, asked: float) -> None:
        state = _STATES.get(state_id, NodeState.CHANGING)
        self._sequence_of(name).observe(name, state, asked, time.monotonic())

    def _sequence_of(self, name: str) -> LifecycleSequence:
        return self._aside.get(name, self._sequence)

    def _publish_state(self, state: str) -> None:
        if state != self._published and self.context.ok():
            self._published = state
            self._state.publish(String(data=state))
            self._publish_diagnostics()  # A change is published at once.

    def _publish_diagnostics(self) -> None:
        phase = self._sequence.phase
        states = dict(self._sequence.states())
        for sequence in self._aside.values():
            states |= sequence.states()
        status = DiagnosticStatus(
            level=_LEVELS[phase],
            name=f"{self.get_fully_qualified_name()[1:]}: {phase.value}",
            message=self._sequence.describe(time.monotonic()),
            hardware_id="",
            values=[KeyValue(key=name, value=state.value) for name, state in states.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)


class _Remote:
    """Client of the lifecycle services of one managed node."""

    def __init__(self, node: Node, name: str) -> None:
        self._name = name
        self._change = node.create_client(ChangeState, f"{name}/change_state")
        self._get = node.create_client(GetState, f"{name}/get_state")
        self._asked: deque[tuple[float, Future]] = deque()  # Requests without a response.
        self.answered_at = float("-inf")  # Time of its last response (time.monotonic) [s].

    @property
    def present(self) -> bool:
        """True if its services are available; those of a killed process stay for some seconds."""
        return bool(self._change.service_is_ready() and self._get.service_is_ready())

    def change(self, transition: Transition) -> Future:
        """Request a transition."""
        request = ChangeState.Request()
        request.transition.id = _TRANSITIONS[transition]
        return self._change.call_async(request)

    def request_state(
        self, on_state: Callable[[str, int, float], None], forget_before: float
    ) -> None:
        """Request its state, also while earlier requests have no response.

        A dead process leaves its requests open; its replacement receives the next one.
        """
        while self._asked and (self._asked[0][1].done() or self._asked[0][0] < forget_before):
            self._get.remove_pending_request(self._asked.popleft()[1])
        asked = time.monotonic()
        future = self._get.call_async(GetState.Request())
        self._asked.append((asked, future))

        def answered(done: Future) -> None:
            if done.exception() is None and not done.cancelled():
                self.answered_at = time.monotonic()
                on_state(self._name, done.result().current_state.id, asked)

        future.add_done_callback(answered)


def main() -> int:
    """Run the node until SIGINT or SIGTERM."""
    return run_node(LifecycleManager)


if __name__ == "__main__":
    sys.exit(main())
