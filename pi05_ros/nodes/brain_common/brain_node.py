"""Base class of planner and policy: brain, observations, and the inference thread."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from std_msgs.msg import String

from pi05_msgs.msg import RobotState
from pi05_ros.brain.observation_buffer import Pictures, StateSample
from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.brain_common.observation_inputs import ObservationInputs
from pi05_ros.nodes.brain_common.parameters import BrainParameters
from pi05_ros.nodes.common import qos
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
        self._camera_names: Any = None  # Publisher of the cameras that this node reads.

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
        optional: Collection[str] = (),
    ) -> None:
        """Open the inputs and publish which cameras are read; `run_inference` is called now.

        Args:
            cameras: Cameras of an observation; (): none, and each robot state is a new one.
            on_state: Called after each robot state, in the executor's thread; must be fast.
            optional: Those of the cameras that are left out while they have no picture.
        """
        self._has_cameras, self._on_state_hook = bool(cameras), on_state
        self._camera_names = self.create_publisher(
            String, f"{self.get_name()}_cameras", qos.LATCHED
        )
        self._camera_names.publish(String(data=json.dumps(list(cameras))))
        self._worker = self.start_worker(self.get_name(), self.run_inference)
        self._observations = ObservationInputs(
            self,
            self._platform,
            cameras,
            optional,
            self._brain.info.needs_scene,
            self._take_pictures,
            self._take_state,
        )

    def stop_inference(self) -> None:
        """Wait for an inference in progress and close the inputs."""
        if self._worker is not None:
            self.stop_worker(self._worker)
            self._worker = None
        if self._observations is not None:
            self._observations.close()
            self._observations = None
        if self._camera_names is not None:
            self.destroy_publisher(self._camera_names)
            self._camera_names = None

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
        if self._has_cameras:
            self.request_inference()

    def _take_state(self, state: StateSample, message: RobotState) -> None:
        if self._on_state_hook is not None:
            self._on_state_hook(state, message)
        if not self._has_cameras:
            self.request_inference()
