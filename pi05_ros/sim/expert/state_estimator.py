"""Estimation of the expert's planning state from an observation."""

from __future__ import annotations

import numpy as np

from pi05_ros.brain.observation import Observation, SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.layout import ArmLayout
from pi05_ros.sim.expert.recent_chunks import RunningCommands
from pi05_ros.sim.expert.state import Hand, RobotState
from pi05_ros.sim.expert.transforms import Transform, yaw_of
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.room import Fixture, Item, Room

_LONG_AGO = 1e3  # [s]
_DONE_MOVING = 0.35  # Opening fraction from its end within which a gripper counts as done.


class StateEstimator:
    """Converts observations to robot states; tracks when each hand was commanded to switch."""

    def __init__(self, kinematics: ArmKinematics, config: ScriptedExpertConfig) -> None:
        self._kinematics = kinematics
        self._config = config
        self._switched: dict[str, tuple[bool, int]] = {}

    def clear(self) -> None:
        """Discard the history of gripper commands."""
        self._switched.clear()

    def estimate(
        self,
        observation: Observation,
        scene: SceneState,
        room: Room,
        running: RunningCommands,
    ) -> RobotState:
        """Estimate the state at the observation's stamp.

        Args:
            observation: An observation that `check_observation` accepts.
            scene: Its scene.
            room: Room of the scene's home.
            running: The commands at the stamp.
        """
        command = running.command.copy()
        tracking_error = observation.state - command
        layout = self._kinematics.layout
        tracking_error[layout.base] = 0.0
        for arm in layout.arms:
            tracking_error[arm.gripper] = 0.0  # Fingers stop at what they hold.
        base = Transform.from_pose(scene.base)
        robot = RobotState(
            kinematics=self._kinematics,
            command=command,
            velocity=running.rate.copy(),
            tracking_error=tracking_error,
            base=FloorPose(base.position[0], base.position[1], yaw_of(base.rotation)),
            items={n: Transform.from_pose(p) for n, p in scene.objects.items()},
        )
        for arm in layout.arms:
            robot.hands[arm.side] = Hand()
        for arm in layout.arms:
            since = self._since(arm, robot.is_open(arm.side), observation)
            robot.hands[arm.side].since = since
            if not robot.is_open(arm.side):
                self._detect_held_item(robot, arm.side, room)
        return robot

    def _since(self, arm: ArmLayout, is_open: bool, observation: Observation) -> float:
        """Time since the hand's present open or close command began [s]."""
        side, measured = arm.side, arm.opening(float(observation.state[arm.gripper]))
        known = self._switched.get(side)
        if known is None or known[0] != is_open:
            self._switched[side] = known = (is_open, observation.stamp_ns)
        if abs(measured - (1.0 if is_open else 0.0)) < _DONE_MOVING:
            return _LONG_AGO
        return max(0.0, (observation.stamp_ns - known[1]) * 1e-9)

    def _detect_held_item(self, robot: RobotState, side: str, room: Room) -> None:
        """Attach to a closed hand the thing with the nearest graspable points, if one is near."""
        tcp = robot.tcp(side).position
        nearest, name = self._config.grasp_reach, None
        things: tuple[Item | Fixture, ...] = (*room.items, *room.fixtures)
        for thing in things:
            if thing.grasp is None or robot.holder(thing.name) is not None:
                continue
            T_thing_odom = robot.items[thing.name].inverse()
            distance = thing.grasp.distance(T_thing_odom.apply(tcp))
            if distance < nearest:
                nearest, name = distance, thing.name
        if name is not None:
            robot.grasp(side, name)


def check_observation(observation: Observation, names: tuple[str, ...]) -> SceneState:
    """Check that an observation is usable by the expert.

    Args:
        observation: The observation.
        names: Layout of the platform's vector.

    Returns:
        The observation's scene.

    Raises:
        Pi05Error: The observation is of another robot, not finite, or lacks the scene.
    """
    if observation.scene is None:
        raise Pi05Error(
            "the expert needs the ground truth of a mock home, and the observation has none: "
            "use it in a mock home only, with the scene subscribed"
        )
    if observation.names != names:
        raise Pi05Error(
            f"the expert was made for a vector of {len(names)} entries ({', '.join(names)}), "
            f"found {len(observation.names)} ({', '.join(observation.names)})"
        )
    if len(observation.state) != len(names):
        raise Pi05Error(f"wanted a state of {len(names)} entries, found {len(observation.state)}")
    bad = [names[i] for i in np.flatnonzero(~np.isfinite(observation.state))]
    if bad:
        raise Pi05Error(f"the measured state of {', '.join(bad)} is not finite")
    return observation.scene
