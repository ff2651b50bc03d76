"""A mock home in which one door of the kitchen is marked, and the robot's bearing to it."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.homes.geometry import wrap_angle
from pi05_ros.sim.world import World

TASK = "point at the marked door"
MAX_START = math.radians(35.0)  # Largest bearing to the door at the start [rad].
_MARK = (1.0, 0.0, 0.8, 1.0)  # No furniture or item of a mock home has this colour.
_TIMESTEP = 0.005  # Of the physics [s], as in the graph's simulation.
_TURN_RATE = 0.7  # Speed at which the robot is turned to its start [rad/s].
_SETTLE = 0.4  # Time that it stands before the beginning [s].


class MarkedHome:
    """A robot in a home, with the cupboard door nearest to the sink in magenta.

    Args:
        platform: With a base that turns.
        home: Seed of the home.

    Attributes:
        world: The home.
        door: Middle of the door in odom, (2,) [m].
    """

    def __init__(self, platform: Platform, home: int) -> None:
        self.world = World(platform, home, timestep=_TIMESTEP)
        self.door = self._mark()

    def begin(self, bearing: float) -> None:
        """Start again, standing, with the door at a bearing [rad], left positive."""
        world, period = self.world, self.world.platform.period
        world.reset()
        turn = self.bearing() - bearing
        ticks = max(1, math.ceil(abs(turn) / _TURN_RATE / period))
        world.set_base_command(0.0, 0.0, turn / (ticks * period))
        for _ in range(ticks):
            world.step(period)
        world.set_base_command(0.0, 0.0, 0.0)
        for _ in range(round(_SETTLE / period)):
            world.step(period)

    def bearing(self) -> float:
        """Return the present direction from the base to the door [rad], left positive."""
        x, y, yaw = self.world.base_pose()
        return bearing_from(x, y, yaw, self.door)

    def bearing_in(self, scene: SceneState) -> float:
        """Return the bearing at an earlier moment [rad]."""
        x, y, _ = scene.base.position.tolist()
        w, _, _, z = scene.base.quaternion.tolist()
        return bearing_from(x, y, 2.0 * math.atan2(z, w), self.door)

    def _mark(self) -> np.ndarray:
        """Paint the door and return its middle."""
        model, data = self.world.model, self.world.data
        sink = self.world.room.container("sink").pose
        found: list[tuple[float, int]] = []
        for geom in range(model.ngeom):
            thickness, width, height = model.geom_size[geom]
            x, y, z = data.geom_xpos[geom]
            is_door = thickness < 0.014 and 0.15 < width < 0.5 and 0.3 < height < 0.45 and z < 0.6
            if is_door and model.geom_bodyid[geom] == model.body("room").id:
                found.append((math.hypot(x - sink.x, y - sink.y), geom))
        door = min(found)[1]
        model.geom_matid[door] = -1
        model.geom_rgba[door] = _MARK
        return np.array(data.geom_xpos[door][:2])


def bearing_from(x: float, y: float, yaw: float, point: np.ndarray) -> float:
    """Return the direction to a point (2,) from a pose on the floor [rad], from -π to π."""
    return wrap_angle(math.atan2(point[1] - y, point[0] - x) - yaw)
