"""A trained policy in homes that it has not seen, in closed loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facing.loop import HORIZON, facing_loop
from facing.recording import CAMERA
from facing.scene import MAX_START, TASK, MarkedHome
from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.cameras.model_input import model_input
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer

AHEAD = math.radians(6.0)  # Bearing to the door at the end, at most [rad].
AT_REST = 0.05  # Turn rate at the end, at most [rad/s].
_SECONDS = 6.0  # Of a trial.
_REST_S = 0.5  # The turn rate counts over this time at the end.

Pictures = Callable[[np.ndarray], np.ndarray]  # (h, w, 3) uint8 to what the policy sees instead.


@dataclass(frozen=True)
class Trial:
    """One home."""

    home: int
    start: float  # Bearing to the door [rad].
    end: float
    rate: float  # Largest turn rate of the last half second [rad/s].
    rejected: int  # Chunks that the bridge rejected.

    @property
    def succeeded(self) -> bool:
        """True if the door is ahead and the robot stands."""
        return abs(self.end) < AHEAD and self.rate < AT_REST


def drive(
    checkpoint: str,
    platform: str,
    homes: Sequence[int],
    pictures: Pictures = lambda picture: picture,
) -> list[Trial]:
    """Let a policy drive in each home, from starts to the left and to the right in turn.

    Args:
        checkpoint: Of the policy, a folder.
        platform: Name.
        homes: Seeds.
        pictures: What the policy sees instead of the front picture.
    """
    robot = load_platform(platform)
    brain = ModelBrain(robot, checkpoint, ModelOptions(device="cpu", execution="eager", threads=1))
    if brain.info.horizon != HORIZON:
        raise ValueError(f"wanted chunks of {HORIZON} rows, found {brain.info.horizon}")
    renderer: CameraRenderer | None = None
    trials = []
    for index, number in enumerate(homes):
        home = MarkedHome(robot, number)
        renderer = renderer or CameraRenderer(home.world)
        draw = np.random.default_rng([1, number])
        home.begin((1 if index % 2 else -1) * MAX_START * draw.uniform(0.5, 1.0))
        trials.append(_trial(home, brain, renderer, pictures))
    if renderer is not None:
        renderer.close()
    brain.close()
    return trials


def _trial(
    home: MarkedHome, brain: ModelBrain, renderer: CameraRenderer, pictures: Pictures
) -> Trial:
    def chunk(observation: Observation) -> np.ndarray:
        return brain.predict_chunk(observation, TASK).actions

    def images() -> Mapping[str, np.ndarray]:
        picture = renderer.render(CAMERA, home.world.snapshot())
        return {CAMERA: model_input(pictures(picture))}

    start = home.bearing()
    loop = facing_loop(home, chunk, images)
    loop.run(_SECONDS - _REST_S)
    rate = 0.0
    for _ in range(round(_REST_S / home.world.platform.period)):
        loop.run(home.world.platform.period)
        rate = max(rate, abs(home.world.base_velocity()[2]))
    return Trial(home.world.home, start, home.bearing(), rate, len(loop.rejected))
