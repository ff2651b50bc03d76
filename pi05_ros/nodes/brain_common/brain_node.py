"""What planner and policy share: a brain, the observations it needs, and a thread to think in."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pi05_msgs.msg import RobotState
from pi05_ros.brain.model_options import DTYPES, EXECUTIONS, ModelOptions
from pi05_ros.brain.observation_buffer import Pictures, StateSample
from pi05_ros.brain.options import BRAIN_NAMES, DESCRIPTIONS
from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.brain_common.observer import Observer
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.parameters import parameter
from pi05_ros.nodes.common.worker import Worker
from pi05_ros.platforms.platform import load_platform


@dataclass(frozen=True)
class BrainParameters:
    """Parameters of every node that thinks."""

    platform: str = parameter("mobile_18dof", "Platform name, or the path of its YAML file.")
    brain: str = parameter("model", DESCRIPTIONS["brain"], choices=BRAIN_NAMES)
    checkpoint: str = parameter("", DESCRIPTIONS["checkpoint"])
    device: str = parameter(ModelOptions.device, DESCRIPTIONS["device"])
    dtype: str = parameter(ModelOptions.dtype, DESCRIPTIONS["dtype"], choices=DTYPES)
    execution: str = parameter(
        ModelOptions.execution, DESCRIPTIONS["execution"], choices=EXECUTIONS
    )
    threads: int = parameter(
        ModelOptions.threads,
        "Threads of torch on the CPU; 0: as torch has it.",
        minimum=0,
        maximum=256,
    )
    temperature: float = parameter(
        ModelOptions.temperature,
        "Of the subtask's tokens; 0.0 takes the likeliest.",
        minimum=0.0,
        maximum=10.0,
    )
    seed: int = parameter(
        ModelOptions.seed,
        DESCRIPTIONS["seed"],
        minimum=0,
        maximum=2**31 - 1,
    )

    def model_options(self) -> ModelOptions:
        """How the model is run."""
        names = (field.name for field in dataclasses.fields(ModelOptions))
        return ModelOptions(**{name: getattr(self, name) for name in names})


P = TypeVar("P", bound=BrainParameters)


class BrainNode(ManagedNode[P]):
    """A managed node that thinks whenever a new set of pictures has come."""

    def __init__(
        self,
        name: str,
        parameters_type: type[P],
        brain_source: BrainSource | None,
        **arguments: Any,
    ) -> None:
        """Makes the node, unconfigured.

        Args:
            name: Node name.
            parameters_type: Its parameters.
            brain_source: Where the brain comes from; None makes one of its own.
            **arguments: For the lifecycle node.
        """
        super().__init__(name, parameters_type, **arguments)
        self._source = brain_source or BrainSource()
        self._brain: Any = None
        self._observer: Observer | None = None
        self._worker: Worker | None = None

    @abstractmethod
    def think(self) -> None:
        """Works on the newest observation, in the worker's thread."""

    def saw(self, pictures: Pictures) -> None:
        """A camera set came. Called in the executor's thread: be brief."""

    def open_brain(self) -> None:
        """Reads the platform, opens and warms the brain."""
        self._platform = load_platform(self.parameters.platform)
        self._brain = self._source.acquire(
            self.parameters.brain,
            self.parameters.checkpoint,
            self._platform,
            self.parameters.model_options(),
        )
        self.get_logger().info(f"brain: {self._brain.info.description}")

    def close_brain(self) -> None:
        """Gives the brain back."""
        if self._brain is not None:
            self._brain = None
            self._source.release()

    def start_thinking(
        self,
        cameras: Sequence[str],
        on_state: Callable[[StateSample, RobotState], None] | None = None,
    ) -> None:
        """Opens the inputs; from now on `think` is called.

        Args:
            cameras: Those that it must see.
            on_state: Called after each robot state, in the executor's thread: be brief.
        """
        self._worker = self.start_worker(self.get_name(), self.think)
        self._observer = Observer(
            self,
            self._platform,
            cameras,
            self._brain.info.needs_scene,
            self._on_pictures,
            on_state,
        )

    def stop_thinking(self) -> None:
        """Waits for a thought in progress and closes the inputs."""
        if self._worker is not None:
            self.stop_worker(self._worker)
            self._worker = None
        if self._observer is not None:
            self._observer.close()
            self._observer = None

    def blindness(self) -> str:
        """Why there is nothing to think about now, as one clause; empty: there is."""
        observer = self._observer
        return observer.problem() if observer is not None else "not active"

    def think_soon(self) -> None:
        """Calls `think` without waiting for the next pictures."""
        if self._worker is not None:
            self._worker.wake()

    def _on_pictures(self, pictures: Pictures) -> None:
        self.saw(pictures)
        self.think_soon()
