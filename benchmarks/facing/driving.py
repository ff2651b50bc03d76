"""A trained policy in homes that it has not seen, in closed loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facing.expert import POINTER
from facing.loop import HORIZON, facing_loop
from facing.recording import CAMERA
from facing.scene import MAX_START, TASK, MarkedHome
from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.cameras.model_input import model_input
from pi05_ros.control.bridge import Tick
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer

POINTED = math.radians(8.0)  # Distance of the shoulder from the bearing, at most [rad].
AT_REST = 0.25  # Speed of the shoulder at the end, at most [rad/s].
_SECONDS = 3.5  # Of a trial.
_REST_S = 0.5  # Angle and speed count over this time at the end.

Pictures = Callable[[np.ndarray], np.ndarray]  # (h, w, 3) uint8 to what the policy sees instead.


@dataclass(frozen=True)
class Trial:
    """One home."""

    home: int
    bearing: float  # To the door [rad].
    angle: float  # Of the shoulder, mean of the last half second [rad].
    speed: float  # Mean speed of the shoulder from the beginning to the end of that time [rad/s].
    rejected: int  # Chunks that the bridge rejected.

    @property
    def error(self) -> float:
        """Distance of the shoulder from the bearing [rad]."""
        return abs(self.angle - self.bearing)

    @property
    def succeeded(self) -> bool:
        """True if the shoulder points at the door and stands."""
        return self.error < POINTED and self.speed < AT_REST


def drive(
    checkpoint: str,
    platform: str,
    homes: Sequence[int],
    pictures: Pictures = lambda picture: picture,
) -> list[Trial]:
    """Let a policy point in each home, with the door to the left and to the right in turn.

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

    joint = home.world.platform.names.index(POINTER)
    angles: list[float] = []

    def on_tick(tick: Tick, now_ns: int) -> None:
        if tick.measurement is not None:
            angles.append(float(tick.measurement.values[joint]))

    loop = facing_loop(home, chunk, images, on_tick)
    loop.run(_SECONDS)
    last = angles[-round(_REST_S / home.world.platform.period) :]
    return Trial(
        home.world.home,
        home.bearing(),
        float(np.mean(last)),
        abs(last[-1] - last[0]) / _REST_S,
        len(loop.rejected),
    )
