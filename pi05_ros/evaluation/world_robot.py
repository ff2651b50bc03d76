"""The robot of a mock home behind the bridge, with physics."""

from __future__ import annotations

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.evaluation.bridged_robot import joint_states
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.sensors import Sensors
from pi05_ros.sim.world import World


class WorldRobot:
    """A `Robot` whose body and surroundings are a MuJoCo world.

    Args:
        platform: The world's platform.
        world: Stepped by one period at each `move`.
    """

    def __init__(self, platform: Platform, world: World) -> None:
        self.world = world
        self._platform = platform
        self._sensors = Sensors(world)
        self._base = np.flatnonzero(platform.is_velocity)
        self._positions = np.flatnonzero(~platform.is_velocity)
        self._joints = [platform.dimensions[index].joint_name for index in self._positions]
        self._grippers = [
            (platform.slices[group.name], group)
            for group in platform.groups_of("parallel_gripper")
        ]

    def measure(self) -> np.ndarray:
        """Return the state that the drivers measure, (D,) float64 in platform units."""
        measured, state = self._sensors.measure(), np.empty(self._platform.size)
        state[self._positions] = [measured.positions[name] for name in self._joints]
        for part, group in self._grippers:
            state[part] -= group.joint_closed
            state[part] /= group.joint_open - group.joint_closed
        if len(self._base):
            state[self._base] = [measured.twist[axis] for axis in self._platform.base_axes]
        return state

    def move(self, command: np.ndarray | None) -> None:
        """Set the drives to a command (D,) and step the physics by one period.

        Without a command the drives keep what they have.
        """
        if command is not None:
            names, positions = joint_states(self._platform, command)
            self.world.set_joint_commands(dict(zip(names, positions, strict=True)))
            self.world.set_base_command(*self._platform.base_twist(command))
        self.world.step(self._platform.period)

    def scene(self) -> SceneState:
        """Return the ground truth of the home."""
        return self.world.scene_state()
