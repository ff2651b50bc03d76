"""Opening of a brain, and sharing it between planner and policy in one process."""

from __future__ import annotations

import threading

from pi05_ros.brain.interface import Brain
from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.no_brain import NoBrain
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import Platform


def open_brain(
    name: str, checkpoint: str, platform: Platform, options: ModelOptions | None = None
) -> Brain:
    """Open the brain called `name` for a robot and warm it up.

    Args:
        name: One of brain.options.BRAIN_NAMES.
        checkpoint: See `checkpoints.shipped.named_checkpoint`.
        platform: The robot.
        options: Inference options of the model; None: the defaults. The expert has none.

    Raises:
        Pi05Error: The checkpoint is not usable, or not for this robot.
    """
    # Imported here: the expert needs MuJoCo, the model needs torch, and neither needs the other.
    brain: Brain
    try:
        if name == "none":
            brain = NoBrain(platform)
        elif name == "expert":
            from pi05_ros.sim.expert.brain import ExpertBrain

            brain = ExpertBrain(platform)
        else:
            from pi05_ros.inference.model_brain import ModelBrain

            brain = ModelBrain(platform, checkpoint, options)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"brain '{name}'",
            f"the Python package '{error.name}' is missing: pip install -r requirements/robot.txt",
        ) from error
    brain.warm_up()
    return brain


class BrainSource:
    """Shares a brain: opened at the first `acquire`, closed at the last `release`.

    Planner and policy in one process share one source, and thus one copy of the weights.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._brain: Brain | None = None
        self._key: tuple[str, str, str, ModelOptions | None] | None = None
        self._users = 0

    def acquire(
        self, name: str, checkpoint: str, platform: Platform, options: ModelOptions | None = None
    ) -> Brain:
        """Return the brain, opened if needed; see open_brain. `release` it after use.

        Raises:
            ConfigError: Another brain is open in this source.
            Pi05Error: The brain cannot be opened.
        """
        key = (name, checkpoint, platform.name, options)
        with self._lock:
            if self._brain is None:
                self._brain, self._key = open_brain(name, checkpoint, platform, options), key
            elif key != self._key:
                raise ConfigError(
                    "brain",
                    f"planner and policy share one brain in a process: requested {key} (brain, "
                    f"checkpoint, platform, options), but {self._key} is open",
                )
            self._users += 1
            return self._brain

    def release(self) -> None:
        """Release the brain; the last user's release closes it."""
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._brain is not None:
                self._brain.close()
                self._brain = self._key = None
