"""Base class of planner and policy: brain, observations, and the inference thread."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pi05_msgs.msg import RobotState
from pi05_ros.brain.observation_buffer import Pictures, StateSample
from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.brain_common.observation_inputs import ObservationInputs
from pi05_ros.nodes.brain_common.parameters import BrainParameters
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.worker import Worker
from pi05_ros.platforms.platform import load_platform

P = TypeVar("P", bound=BrainParameters)


class BrainNode(ManagedNode[P]):
    """A managed node that runs inference on each new camera set.

    Args:
        name: Node name.
        parameters_type: Dataclass of its parameters.
        brain_source: Source of the brain; None creates one for this node.
        **arguments: Passed on to LifecycleNode.
    """

    def __init__(
        self,
        name: str,
        parameters_type: type[P],
        brain_source: BrainSource | None,
        **arguments: Any,
    ) -> None:
        super().__init__(name, parameters_type, **arguments)
        self._source = brain_source or BrainSource()
        self._brain: Any = None
        self._observations: ObservationInputs | None = None
        self._worker: Worker | None = None

    @abstractmethod
    def run_inference(self) -> None:
        """Process the newest observation, in the worker's thread."""

    def on_pictures(self, pictures: Pictures) -> None:
        """Take a camera set, in the executor's thread; must be fast."""

    def open_brain(self) -> None:
        """Read the platform, open and warm up the brain."""
        self._platform = load_platform(self.parameters.platform)
        self._brain = self._source.acquire(
            self.parameters.brain,
            self.parameters.checkpoint,
            self._platform,
            self.parameters.model,
        )
        self.get_logger().info(f"brain: {self._brain.info.description}")

    def close_brain(self) -> None:
        """Release the brain."""
        if self._brain is not None:
            self._brain = None
            self._source.release()

    def start_inference(
        self,
        cameras: Sequence[str],
        on_state: Callable[[StateSample, RobotState], None] | None = None,
    ) -> None:
        """Open the inputs; from now on `run_inference` is called.

        Args:
            cameras: Cameras that an observation must have.
            on_state: Called after each robot state, in the executor's thread; must be fast.
        """
        self._worker = self.start_worker(self.get_name(), self.run_inference)
        self._observations = ObservationInputs(
            self,
            self._platform,
            cameras,
            self._brain.info.needs_scene,
            self._take_pictures,
            on_state,
        )

    def stop_inference(self) -> None:
        """Wait for an inference in progress and close the inputs."""
        if self._worker is not None:
            self.stop_worker(self._worker)
            self._worker = None
        if self._observations is not None:
            self._observations.close()
            self._observations = None

    def observation_problem(self) -> str:
        """Return why there is no observation now, as one clause; empty if there is one."""
        observations = self._observations
        return observations.problem() if observations is not None else "not active"

    def request_inference(self) -> None:
        """Call `run_inference` without waiting for the next pictures."""
        if self._worker is not None:
            self._worker.wake()

    def _take_pictures(self, pictures: Pictures) -> None:
        self.on_pictures(pictures)
        self.request_inference()
