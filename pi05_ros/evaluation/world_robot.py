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

    def measure(self) -> np.ndarray:
        """Return the state that the drivers measure, (D,) float64 in platform units."""
        measured = self._sensors.measure()
        joints = measured.positions
        state = np.empty(self._platform.size)
        for group in self._platform.groups:
            part = self._platform.slices[group.name]
            if group.kind == "base_velocity":
                state[part] = [measured.twist[axis] for axis in group.base_axes]
                continue
            state[part] = [joints[d.joint_name] for d in group.dimensions]
            if group.kind == "parallel_gripper":
                state[part] -= group.joint_closed
                state[part] /= group.joint_open - group.joint_closed
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
