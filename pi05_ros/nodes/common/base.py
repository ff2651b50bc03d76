"""Base class of the managed nodes: lifecycle, guarded callbacks, health, heartbeats."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rclpy.clock import Clock, ClockType
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from pi05_ros.errors import Pi05Error
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.health import WARN, Health, diagnostics_message
from pi05_ros.nodes.common.heartbeat import HeartbeatPublisher
from pi05_ros.nodes.common.manual_take import ManualTakeMixin
from pi05_ros.nodes.common.parameters import declare_parameters
from pi05_ros.nodes.common.robot_timer import RobotTimer
from pi05_ros.nodes.common.worker import Worker

P = TypeVar("P")


HEARTBEAT_PERIOD = 0.04  # [s]
_WALL_HEARTBEAT_PERIOD = 1.0  # Period of extra heartbeats in a simulation [s, wall].


class ManagedNode(ManualTakeMixin, LifecycleNode, Generic[P]):
    """A lifecycle node that logs failed transitions and survives failing callbacks.

    A subclass overrides the hooks `configure`, `activate`, `deactivate`, `cleanup` and `health`.
    A hook that raises Pi05Error makes the transition fail and logs that one sentence; any
    other exception is logged with its traceback (rclpy logs neither).

    Args:
        name: Node name.
        parameters_type: Frozen dataclass of `setting(...)` fields; see `parameters`.
        arguments: Passed on to LifecycleNode (context, namespace, parameter_overrides).

    Raises:
        ConfigError: A parameter has a wrong type or value.
    """

    VITAL = True  # True if the robot must hold without this node: it then sends heartbeats.

    def __init__(self, name: str, parameters_type: type[P], **arguments: Any) -> None:
        super().__init__(name, **arguments)
        self._answer_change_state = self._service_change_state.callback
        self._service_change_state.callback = self._change_state
        self.callback_errors: Counter[str] = Counter()
        self._active = False
        self._configured = False
        self._heartbeat_timer: RobotTimer | None = None
        try:
            self.parameters: P = declare_parameters(self, parameters_type)
        except Pi05Error:
            self.destroy_node()
            raise
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.STATUS)
        self._is_simulated = bool(self.get_clock().ros_time_is_active)
        # Health is published in wall time: it must continue while a simulated clock stands still.
        self._steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self.guarded(self._publish_health), clock=self._steady_clock)
        self._heartbeat: HeartbeatPublisher | None = None
        if self.VITAL:
            self._heartbeat = HeartbeatPublisher(self, self.now_ns)
            self._heartbeat_timer = self.robot_timer(HEARTBEAT_PERIOD, self._publish_heartbeat)
            if self._is_simulated:
                # A simulator that waits for an inference needs heartbeats while its clock stands.
                self.steady_timer(_WALL_HEARTBEAT_PERIOD, self._publish_heartbeat)

    # Hooks.

    def configure(self) -> None:
        """Check the configuration and create everything, including outputs."""

    def activate(self) -> None:
        """Open the inputs and start working."""

    def deactivate(self) -> None:
        """Undo a complete or partial `activate`; stop what moves the robot first."""

    def cleanup(self) -> None:
        """Undo a complete or partial `configure`."""

    def health(self) -> Health:
        """Return the health of the active node. Called once a second."""
        return Health()

    def fitness(self) -> str:
        """Return why the robot must not move on this node's output; empty if it may.

        One clause. Called 25 times a second while the node is active, so it must be fast. It is
        sent in the Heartbeat, and the control bridge holds.
        """
        return ""

    def destroy_node(self) -> None:
        """See rclpy.node.Node."""
        if self._heartbeat_timer is not None:
            self._heartbeat_timer.close()
            self._heartbeat_timer = None
        super().destroy_node()

    # Helpers.

    @property
    def is_active(self) -> bool:
        """True if the node is in the primary state active."""
        return self._active

    def now_ns(self) -> int:
        """Return the node's time [ns]: simulated with use_sim_time, else system time."""
        return self.get_clock().now().nanoseconds

    @property
    def is_simulated(self) -> bool:
        """True if the node was started in simulated time (parameter use_sim_time).

        Fixed at construction: timeouts must not change their clock while they run.
        """
        return self._is_simulated

    def timeout_clock_ns(self) -> int:
        """Return the time for timeouts on other nodes [ns].

        Steady time, which does not step with the system clock. In a simulation it is simulated
        time, because a simulation may run slower or faster than wall time.
        """
        return self.now_ns() if self.is_simulated else time.monotonic_ns()

    def guarded(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a callback so that an exception is logged and counted, and the node continues.

        A Pi05Error (an invalid message) is logged as one sentence, at most once a second for each
        callback.
        """
        name = getattr(callback, "__name__", repr(callback))

        def call(*arguments: Any) -> Any:
            try:
                return callback(*arguments)
            except Pi05Error as error:
                self.callback_errors[name] += 1
                self.get_logger().warning(str(error), throttle_duration_sec=1.0)
            except Exception:
                self.callback_errors[name] += 1
                self.get_logger().error(
                    f"{name} failed and was skipped:\n{traceback.format_exc()}",
                    throttle_duration_sec=1.0,
                )
            return None

        return call

    def guarded_service(self, callback: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Wrap a service callback so that an exception gives a response with success = false.

        Otherwise rclpy raises it in the executor, which ends the process. For services whose
        response has `success` and `message`.
        """
        call = self.guarded(callback)

        def answer(request: Any, response: Any) -> Any:
            answered = call(request, response)
            if answered is None:
                response.success = False
                response.message = f"internal error: see the log of {self.get_name()}"
                return response
            return answered

        return answer

    def steady_timer(self, period: float, callback: Callable[[], None]) -> Any:
        """Create a guarded timer in wall time, also with use_sim_time. period [s]."""
        return self.create_timer(period, self.guarded(callback), clock=self._steady_clock)

    def robot_timer(self, period: float, callback: Callable[[], None]) -> RobotTimer:
        """Create a guarded timer in the robot's time; see RobotTimer. period [s]."""
        return RobotTimer(self, period, self.guarded(callback), self._steady_clock)

    def start_worker(self, name: str, work: Callable[[], None]) -> Worker:
        """Start a thread for `work`; heartbeats report since when its work is pending."""
        worker = Worker(self, name, work, self.now_ns, self._on_work_done)
        if self._heartbeat is not None:
            self._heartbeat.add_worker(worker)
        return worker

    def stop_worker(self, worker: Worker) -> None:
        """End a thread of `start_worker`; see Worker.stop."""
        worker.stop()
        if self._heartbeat is not None:
            self._heartbeat.remove_worker(worker)

    # Lifecycle, called by rclpy.

    def _change_state(
        self, request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        """Serve change_state; a transition that the current state does not have is rejected.

        Otherwise rclpy raises in the executor: a second `activate` would end the process.
        """
        state = self._state_machine.current_state[1]
        try:
            return self._answer_change_state(request, response)
        except rclpy_implementation.RCLError:
            label = request.transition.label or f"number {request.transition.id}"
            self.get_logger().warning(f"transition '{label}' is not possible in state '{state}'")
            response.success = False
            return response

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `configure`."""
        result = self._run("configure", self.configure)
        self._configured = result == TransitionCallbackReturn.SUCCESS
        if not self._configured:
            self._run_and_log(self.cleanup)
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `activate`."""
        super().on_activate(state)
        if self._heartbeat is not None:
            self._heartbeat.activate()
        result = self._run("activate", self.activate)
        self._active = result == TransitionCallbackReturn.SUCCESS
        if not self._active:
            self._run_and_log(self.deactivate)
        self.guarded(self._publish_heartbeat)()  # At once: simulated time may wait for it.
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `deactivate`."""
        self._active = False
        self._send_last_heartbeat()
        result = self._run("deactivate", self.deactivate)
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See `cleanup`."""
        self._configured = False
        return self._run("cleanup", self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Shut down in order, from any state."""
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to unconfigured after a failed transition, so that it can be retried."""
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Deactivate and clean up as needed. May be called in any state and repeatedly."""
        if self._active:
            self._active = False
            self._send_last_heartbeat()
            self._run_and_log(self.deactivate)
        if self._configured:
            self._configured = False
            self._run_and_log(self.cleanup)

    def _run(self, name: str, hook: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            hook()
        except Pi05Error as error:
            self.get_logger().error(f"cannot {name}: {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception:
            self.get_logger().error(f"cannot {name}:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _run_and_log(self, hook: Callable[[], None]) -> None:
        """Run a hook; an exception is logged and does not stop the shutdown."""
        try:
            hook()
        except Exception:
            self.get_logger().error(f"error during shutdown:\n{traceback.format_exc()}")

    def _publish_heartbeat(self) -> None:
        """Publish a heartbeat while the node is active."""
        if self._heartbeat is None or not self._active:
            return
        try:
            reason = self.fitness()
        except Exception:
            self._heartbeat.publish("fitness check failed: see its log")
            raise
        self._heartbeat.publish(reason)

    def _send_last_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._run_and_log(self._heartbeat.deactivate)

    def _on_work_done(self) -> None:
        """Send a heartbeat at once: a simulator may wait for the end of this work."""
        if self._heartbeat is not None and self._heartbeat.has_reported_work and self.is_simulated:
            self.guarded(self._publish_heartbeat)()

    def _publish_health(self) -> None:
        if self._active:
            health = self.health()
        elif self._configured:
            health = Health(WARN, "configured, not active")
        else:
            health = Health(WARN, "not configured")
        values = dict(health.values)
        if self.callback_errors:
            values["callback errors"] = sum(self.callback_errors.values())
        health = Health(health.level, health.message, values)
        stamp = self.get_clock().now().to_msg()
        name = self.get_fully_qualified_name()
        self._diagnostics.publish(diagnostics_message(name, health, stamp))
