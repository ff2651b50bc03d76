"""policy: from a subtask to action chunks. It sees the subtask only, never the task."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pi05_msgs.msg import ActionChunk, Subtask
from pi05_ros.errors import MessageError
from pi05_ros.inference.observation_buffer import Moment
from pi05_ros.nodes import qos
from pi05_ros.nodes.base import OK, WARN, Health, run_node
from pi05_ros.nodes.brain_node import BrainNode, BrainParameters
from pi05_ros.nodes.brains import BrainSource
from pi05_ros.nodes.conversions import float_array, ns_to_time
from pi05_ros.nodes.parameters import parameter


@dataclass(frozen=True)
class PolicyParameters(BrainParameters):
    """Parameters of policy."""

    replan_after: float = parameter(
        0.4,
        "The next chunk is computed when the observation of the last one is this old [s].",
        minimum=0.0,
        maximum=10.0,
    )


class Policy(BrainNode[PolicyParameters]):
    """Runs the low level: π(a | o, l̂)."""

    def __init__(self, brain_source: BrainSource | None = None, **arguments: Any) -> None:
        """Makes the node, unconfigured.

        Args:
            brain_source: Where the brain comes from; None makes one of its own.
            **arguments: For the lifecycle node.
        """
        super().__init__("policy", PolicyParameters, brain_source, **arguments)
        self._lock = threading.Lock()  # Guards the subtask: the worker reads it.
        self._subtask: Subtask | None = None
        self._subscription: Any = None
        self._publisher: Any = None

    def configure(self) -> None:
        """Opens and warms the brain, makes the output."""
        self.open_brain()
        self._publisher = self.create_publisher(ActionChunk, "action_chunk", qos.ACTION_CHUNK)

    def activate(self) -> None:
        """Opens the inputs."""
        self._sequence = 0
        self._subtask = None
        self._last_stamp_ns = 0
        self._last_subtask = (0, "")
        self._latency = float("nan")
        self.start_thinking(self._platform.policy_cameras)
        self._subscription = self.create_subscription(
            Subtask, "subtask", self.guarded(self._on_subtask), qos.LATCHED
        )

    def deactivate(self) -> None:
        """Closes the inputs; what the bridge has of the last chunk runs out by itself."""
        with self._lock:
            self._subtask = None  # A thought that outlives the worker's end publishes nothing.
        self.stop_thinking()
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None

    def cleanup(self) -> None:
        """Gives the brain back and frees the output."""
        self.close_brain()
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def health(self) -> Health:
        """Chunks so far, their latency, and what it waits for."""
        values = {
            "brain": self._brain.info.description,
            "chunks": self._sequence,
            "latency of the last chunk [s]": f"{self._latency:.3f}",
        }
        with self._lock:
            idle = self._subtask is None or not self._subtask.text
        if idle:
            return Health(OK, "waiting for a subtask", values)
        if blindness := self.blindness():
            return Health(WARN, f"cannot act: {blindness}", values)
        return Health(OK, "acting", values)

    def _on_subtask(self, message: Subtask) -> None:
        with self._lock:
            changed = self._subtask is None or _key(self._subtask) != _key(message)
            self._subtask = message
        if changed:
            self.think_soon()

    # The low level: the worker's thread.

    def think(self) -> None:
        """Asks the brain for the next chunk when one is due."""
        assert self._observer is not None
        with self._lock:
            subtask = self._subtask
        if subtask is None:
            return
        moment = self._observer.moment()
        if moment is None:
            return
        stamp_ns = moment.observation.stamp_ns
        new_subtask = _key(subtask) != self._last_subtask
        age = (stamp_ns - self._last_stamp_ns) * 1e-9
        if not new_subtask and 0 <= age < self.parameters.replan_after:
            return
        if subtask.text:
            actions = self._brain.predict_chunk(moment.observation, subtask.text).actions
            self._check(actions)
        elif new_subtask:
            actions = _standing_still(moment, self._platform.is_velocity)
        else:
            return
        with self._lock:
            if self._subtask is None or _key(self._subtask) != _key(subtask):
                return  # Another subtask came while the brain was thinking: think again.
        self._last_stamp_ns, self._last_subtask = stamp_ns, _key(subtask)
        self._publish(moment, subtask.id, actions)

    def _check(self, actions: np.ndarray) -> None:
        """Raises MessageError when a brain breaks its contract."""
        wanted = (self._brain.info.horizon, self._platform.size)
        if actions.shape != wanted:
            raise MessageError(f"the brain gave a chunk of {actions.shape}, wanted {wanted}")
        if not np.isfinite(actions).all():
            raise MessageError("the brain gave a chunk with values that are not finite")

    def _publish(self, moment: Moment, subtask_id: int, actions: np.ndarray) -> None:
        self._sequence += 1
        self._latency = max(0.0, (self.now_ns() - moment.observation.stamp_ns) * 1e-9)
        message = ActionChunk(
            session=moment.state.session,
            epoch=moment.state.epoch,
            sequence=self._sequence,
            subtask_id=subtask_id,
            names=list(self._platform.names),
            period=self._brain.info.period,
            horizon=len(actions),
            data=float_array(actions, "f"),
            latency=self._latency,
        )
        message.header.stamp = ns_to_time(moment.observation.stamp_ns)
        message.header.frame_id = self._platform.base_frame
        self._publisher.publish(message)


def _key(subtask: Subtask) -> tuple[int, str]:
    """What makes a subtask another one: a planner that starts again counts from 1 again."""
    return subtask.id, subtask.text


def _standing_still(moment: Moment, is_velocity: np.ndarray) -> np.ndarray:
    """One row (1, D) that ends what was being executed: joints stay, the base stands."""
    state = moment.observation
    row = np.where(np.isfinite(state.commanded), state.commanded, state.state)
    return np.where(is_velocity, 0.0, row)[None, :]


def main(args: Sequence[str] | None = None) -> int:
    """Runs policy alone."""
    return run_node(Policy, args)


if __name__ == "__main__":
    sys.exit(main())
