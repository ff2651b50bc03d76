"""Observations of a mock home without a simulator: everything where it was drawn."""

import numpy as np

from pi05_ros.brain.observation import Observation, Pose, SceneState
from pi05_ros.sim.homes.geometry import yaw_quaternion
from pi05_ros.sim.homes.kitchen import draw_kitchen


def kitchen_with(*kinds):
    """The first kitchen that has exactly one dish of each kind."""
    for home in range(1000):
        kitchen = draw_kitchen(home)
        have = [item.design.kind for item in kitchen.dishes]
        if all(have.count(kind) == 1 for kind in kinds):
            return kitchen
    raise LookupError(f"no kitchen has {kinds}")


def observation_of(
    platform, kitchen, *, state=None, commanded=None, base=(0.0, 0.0, 0.0), moved=None, stamp=1.0
):
    """The robot at home in `kitchen`.

    Args:
        platform: The robot.
        kitchen: Where it is.
        state: (D,) measured; None is the home pose.
        commanded: (D,) last command; None is the state.
        base: x, y [m] and yaw [rad] in odom.
        moved: Item name -> position (3,) or Pose in odom, where that is not where it was drawn.
        stamp: [s]
    """
    state = np.array(platform.home if state is None else state, dtype=np.float64)
    objects = {item.name: item.pose for item in kitchen.items}
    for fixture in kitchen.fixtures:
        at_rest = np.array([fixture.pose.x, fixture.pose.y, fixture.height])
        objects[fixture.name] = Pose(at_rest, yaw_quaternion(fixture.pose.yaw))
    for name, place in (moved or {}).items():
        if not isinstance(place, Pose):
            place = Pose(np.asarray(place, dtype=np.float64), objects[name].quaternion)
        objects[name] = place
    return Observation(
        stamp_ns=round(stamp * 1e9),
        names=platform.names,
        state=state,
        commanded=state.copy() if commanded is None else np.array(commanded, dtype=np.float64),
        scene=SceneState(
            home=kitchen.seed,
            room=kitchen.kind,
            base=Pose(np.array([base[0], base[1], 0.0]), yaw_quaternion(base[2])),
            objects=objects,
        ),
    )


def in_sink(kitchen, x=0.0, y=0.0):
    """A place (3,) on the sink's floor, x and y [m] from its middle."""
    sink = kitchen.sink
    point = sink.pose.point((x, y))
    return np.array([point[0], point[1], sink.floor + 0.001])
