"""Node `policy`: predicts action chunks from the subtask; it does not use the task."""

from __future__ import annotations

import dataclasses
import math
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from pi05_msgs.msg import ActionChunk, RobotState, Subtask
from pi05_ros.brain.observation_buffer import Pictures, StateSample
from pi05_ros.chunking.inference_watch import InferenceWatch
from pi05_ros.chunking.scheduler import ChunkRequest, ChunkScheduler, SubtaskRef
from pi05_ros.chunking.settings import CHUNK_MODES, settle_mode
from pi05_ros.errors import ConfigError, MessageError
from pi05_ros.nodes.brain_common.brain_node import BrainNode
from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.health import ERROR, OK, WARN, Health
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.policy.chunk_message import chunk_ledger, chunk_message
from pi05_ros.nodes.policy.parameters import PolicyParameters

_RATE_WINDOW_NS = 5_000_000_000  # Window of the chunk rate.


class Policy(BrainNode[PolicyParameters]):
    """Runs the low level, π(a | o, l̂).

    Args:
        brain_source: Source of the brain; None creates one for this node.
        **arguments: Passed on to LifecycleNode.
    """

    def __init__(self, brain_source: BrainSource | None = None, **arguments: Any) -> None:
        super().__init__("policy", PolicyParameters, brain_source, **arguments)
        # Guards subtask and scheduler, which the worker uses as well.
        self._lock = threading.Lock()
        self._subtask: Subtask | None = None
        self._inference_watch = InferenceWatch(self.parameters.inference_limit_s)
        self._subscription: Any = None
        self._publisher: Any = None

    def configure(self) -> None:
        """Open and warm up the brain, choose the chunk mode, create the output."""
        self.open_brain()
        info = self._brain.info
        if not info.predicts:
            raise ConfigError(
                "parameter brain",
                f"'{info.name}' moves nothing: leave the policy out of the graph",
            )
        mode = settle_mode(self.parameters.chunk_mode, info.continuations)
        if (continuation := CHUNK_MODES[mode].continuation) is not None:
            self._brain.warm_up(continuation)
        self._settings = dataclasses.replace(self.parameters.chunks, mode=mode)
        self._scheduler = self._new_scheduler()
        self.get_logger().info(f"chunk mode: {mode}")
        self._publisher = self.create_publisher(ActionChunk, "action_chunk", qos.ACTION_CHUNK)

    def activate(self) -> None:
        """Open the inputs."""
        self._subtask = None
        self._scheduler = self._new_scheduler()
        self._inference_watch = InferenceWatch(self.parameters.inference_limit_s)
        self._latency = math.nan
        self._published: deque[int] = deque(maxlen=1000)  # When chunks were published [ns].
        self.start_inference(self._brain.info.cameras_of_policy(self._platform), self._on_state)
        self._subscription = self.create_subscription(
            Subtask, "subtask", self.guarded(self._on_subtask), qos.LATCHED
        )

    def deactivate(self) -> None:
        """Close the inputs; the bridge executes the rest of the last chunk."""
        with self._lock:
            self._subtask = None  # An inference still running after this publishes nothing.
        self.stop_inference()
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None

    def cleanup(self) -> None:
        """Release the brain and destroy the output."""
        self.close_brain()
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def fitness(self) -> str:
        """Report an inference that hangs or fails again and again: its heartbeat is unfit."""
        pending_ns = 0 if self._worker is None else self._worker.pending_ns
        return self._inference_watch.problem(pending_ns, self.timeout_clock_ns())

    def health(self) -> Health:
        """Chunk mode, rate, latency, delay and counts."""
        with self._lock:
            scheduler, now_ns = self._scheduler, self.now_ns()
            recent = sum(now_ns - _RATE_WINDOW_NS < at_ns <= now_ns for at_ns in self._published)
            values = {
                "brain": self._brain.info.description,
                "mode": scheduler.mode.name,
                "chunks per second": f"{recent / (_RATE_WINDOW_NS * 1e-9):.1f}",
                "latency of the last chunk [s]": f"{self._latency:.3f}",
                "delay of the last chunk [rows]": f"{scheduler.delay_rows:.1f}",
                "estimated delay [rows]": f"{scheduler.estimate_rows:.1f}",
                **{f"chunks {what}": count for what, count in scheduler.counts.items()},
            }
            idle = self._subtask is None or not self._subtask.text
            problem = scheduler.problem()
        if unfit := self.fitness():
            return Health(ERROR, f"no chunks: {unfit}", values)
        if idle:
            return Health(OK, "waiting for a subtask", values)
        if observation_problem := self.observation_problem():
            return Health(WARN, f"no chunks: {observation_problem}", values)
        if problem:
            return Health(WARN, f"publishing chunks, but {problem}", values)
        return Health(OK, "publishing chunks", values)

    def on_pictures(self, pictures: Pictures) -> None:
        """Report a new observation to the scheduler, which estimates their rate."""
        with self._lock:
            self._scheduler.add_observation(pictures.stamp_ns)

    def _on_state(self, state: StateSample, message: RobotState) -> None:
        with self._lock:
            self._scheduler.add_state(state)

    def _on_subtask(self, message: Subtask) -> None:
        with self._lock:
            changed = _reference(self._subtask) != _reference(message)
            self._subtask = message
        if changed:
            self.request_inference()

    # The low level: the worker's thread.

    def run_inference(self) -> None:
        """Predict the next chunk if one is due."""
        assert self._observations is not None
        moment = self._observations.latest()
        if moment is None:
            return
        started_ns = self.now_ns()
        with self._lock:
            subtask = _reference(self._subtask)
            if subtask is None:
                return
            state, stamp_ns = moment.state, moment.observation.stamp_ns
            request = self._scheduler.request(
                stamp_ns, state.session, state.epoch, subtask, started_ns
            )
        if request is None:
            return
        try:
            prediction = self._brain.predict_chunk(
                moment.observation, subtask.text, request.continuation
            )
            self._check(prediction.actions, request)
        except Exception as error:
            self._inference_watch.failed(f"{type(error).__name__}: {error}")
            raise  # The worker logs and counts it.
        self._inference_watch.succeeded()
        ledger = chunk_ledger(moment.pictures, started_ns, prediction)
        with self._lock:
            now_ns = self.now_ns()
            if self._scheduler.refusal(request, _reference(self._subtask), now_ns):
                return  # Void; its cause has woken the worker again.
            release = self._scheduler.release(request, prediction.actions, now_ns)
            message = chunk_message(self._platform, request, release, ledger, now_ns)
            self._latency = message.latency
            self._published.append(now_ns)
            # Under the lock: nothing is published after deactivation.
            self._publisher.publish(message)

    def _check(self, actions: np.ndarray, request: ChunkRequest) -> None:
        """Raise MessageError for a chunk that breaks the contract of a brain."""
        wanted = (self._brain.info.horizon, self._platform.size)
        if actions.shape != wanted:
            raise MessageError(
                f"the brain returned a chunk of shape {actions.shape}, wanted {wanted}"
            )
        if not np.isfinite(actions).all():
            raise MessageError("the brain returned a chunk with values that are not finite")
        if (running := request.continuation) is not None:
            committed = running.committed
            if not np.array_equal(actions[:committed], running.actions[:committed]):
                raise MessageError(f"the brain changed some of the {committed} committed rows")

    def _new_scheduler(self) -> ChunkScheduler:
        """Create a scheduler without history.

        Raises:
            ConfigError: The parameters do not fit the brain's chunks.
        """
        info = self._brain.info
        trained = self._settings.mode == "trained_rtc"
        try:
            return ChunkScheduler(
                self._settings,
                info.period,
                info.horizon,
                max_committed=info.max_prefix if trained else None,
            )
        except ValueError as error:
            raise ConfigError("parameters of policy", str(error)) from error


def _reference(subtask: Subtask | None) -> SubtaskRef | None:
    """Return the subtask that chunks are predicted for; None: nothing to do."""
    if subtask is None or not subtask.text:
        return None
    spoken = subtask.source == Subtask.SOURCE_HUMAN
    return SubtaskRef(subtask.task, subtask.id, subtask.text, spoken)


def main(args: Sequence[str] | None = None) -> int:
    """Run policy alone."""
    return run_node(Policy, args)


if __name__ == "__main__":
    sys.exit(main())
