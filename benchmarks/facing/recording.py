"""Episodes of the expert as ordinary bags: front pictures, robot states, one subtask.

An episode begins without a subtask, and the shoulder turns to a random angle, which does not
train. So the angle at the beginning of the skill says nothing about where the door is, and only
the picture does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from facing.expert import pointing_chunk
from facing.loop import HORIZON, facing_loop
from facing.scene import MAX_START, TASK, MarkedHome
from pi05_ros.brain.observation import Observation
from pi05_ros.control.bridge import Tick
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop
from pi05_ros.evaluation.collection.episode_bag import EpisodeBag
from pi05_ros.platforms.platform import Platform, load_platform
from pi05_ros.sim.cameras import CameraRenderer

CAMERA = "front"
_WANDER_S = 0.7  # Time at the beginning without a subtask [s].
_SWITCH_S = 0.2  # From the first observation of the skill to the rows that train [s].
_SECONDS = 3.0  # Of an episode [s].
_ANGLE = 0.7  # Largest angle of the shoulder at the beginning, either way [rad].
_QUALITY = 90  # JPEG.


def record(folder: Path, platform: str, homes: Sequence[int], starts: int, seed: int = 0) -> None:
    """Record episodes from random starts in several homes.

    Args:
        folder: New folder; it gets a bag for each episode.
        platform: Name.
        homes: Seeds.
        starts: Episodes in each home.
        seed: Of the starts.
    """
    robot = load_platform(platform)
    renderer: CameraRenderer | None = None
    for number in homes:
        home = MarkedHome(robot, number)
        if renderer is None:
            renderer = CameraRenderer(home.world)
        draw = np.random.default_rng([seed, number])
        for start in range(starts):
            # Stratified, so that few starts cover the range.
            share = (start + draw.uniform()) / starts
            angle = draw.uniform(-_ANGLE, _ANGLE)
            home.begin((2.0 * share - 1.0) * MAX_START)
            _Recording(robot, home, renderer, angle, folder / f"home{number:05d}_{start}").run()
    if renderer is not None:
        renderer.close()


class _Recording:
    """One episode while it is recorded."""

    def __init__(
        self,
        platform: Platform,
        home: MarkedHome,
        renderer: CameraRenderer,
        angle: float,
        folder: Path,
    ) -> None:
        self._platform, self._home, self._renderer = platform, home, renderer
        self._angle = angle  # Of the shoulder before the skill begins [rad].
        self._pictured_ns = 0
        camera = platform.camera(CAMERA)
        self._facts = EpisodeFacts(
            id=folder.name,
            task=TASK,
            home=str(home.world.home),
            platform=platform.name,
            names=platform.names,
            units=tuple(dimension.unit for dimension in platform.dimensions),
            rate_hz=1.0 / platform.period,
            cameras={CAMERA: f"{camera.topic}/compressed"},
            brain="expert",
            simulated=True,
            started_ns=START_NS,
        )
        self._bag = EpisodeBag(folder, self._facts, platform, _QUALITY)
        self._is_labelled = False
        self._loop: ClosedLoop = facing_loop(home, self._chunk, self._images, self._on_tick)

    def run(self) -> None:
        """Run the episode and close the bag."""
        self._loop.run(_SECONDS)
        self._bag.close(dataclasses.replace(self._facts, outcome="success"))

    def _chunk(self, observation: Observation) -> np.ndarray:
        assert observation.scene is not None
        if observation.stamp_ns < _after(_WANDER_S):
            return pointing_chunk(self._platform, observation.commanded, self._angle, HORIZON)
        bearing = self._home.bearing_in(observation.scene)
        return pointing_chunk(self._platform, observation.commanded, bearing, HORIZON)

    def _images(self) -> Mapping[str, np.ndarray]:
        now_ns = self._loop.now_ns
        if now_ns != self._pictured_ns:  # The planner observes at the same times.
            self._pictured_ns = now_ns
            picture = self._renderer.render(CAMERA, self._home.world.snapshot())
            self._bag.add_picture(CAMERA, picture, now_ns)
        return {}

    def _on_tick(self, tick: Tick, now_ns: int) -> None:
        if not self._is_labelled and now_ns >= _after(_WANDER_S + _SWITCH_S):
            self._is_labelled = True
            self._bag.add_answer(
                now_ns,
                now_ns,
                1,
                TASK,
                (),
                task=TASK,
                source="external",
                trigger="task",
                outcome="changed",
                reason="the skill has one subtask",
            )
        state = self._loop.robot.state(tick, now_ns)
        if state is not None:
            self._bag.add_state(state, tick.reason, now_ns)


def _after(seconds: float) -> int:
    """Return a time after the start of an episode [ns]."""
    return START_NS + round(seconds * 1e9)
