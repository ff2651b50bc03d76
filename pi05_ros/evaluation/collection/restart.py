"""Episodes that begin in the middle of the work."""

from __future__ import annotations

import numpy as np

from pi05_ros.evaluation.collection.arrangements import Arrangements
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.world import World

_SETTLE_S = 0.3  # Time in which what was put somewhere comes to rest [s].
_MIDDLE = 1  # Any scene but the first, which is the home's start.


def restart(world: World, kinematics: ArmKinematics, random: np.random.Generator) -> None:
    """Put the robot near the place of work, and some things where tasks put them.

    Nothing is held: what a hand holds at the start of an episode is known to no rubric.

    Args:
        world: The home at its start; changed.
        kinematics: Of its robot.
        random: Source of what is drawn.
    """
    scene = Arrangements(world, kinematics, random).draw(_MIDDLE)
    world.begin_from(scene.snapshot.qpos)
    world.step(_SETTLE_S)
