"""From an observation to the state that the expert plans with."""

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
from pi05_ros.sim.homes.home import Kitchen

_LONG_AGO = 1e3  # [s]
_DONE_MOVING = 0.35  # A measured gripper this near to its command's end has done what it was told.


class StateEstimator:
    """Turns observations into states. Remembers when each hand was told to open or to close."""

    def __init__(self, kinematics: ArmKinematics, config: ScriptedExpertConfig) -> None:
        self._kinematics = kinematics
        self._config = config
        self._switched: dict[str, tuple[bool, int]] = {}

    def clear(self) -> None:
        """Forgets the past."""
        self._switched.clear()

    def estimate(
        self,
        observation: Observation,
        scene: SceneState,
        kitchen: Kitchen,
        running: RunningCommands,
    ) -> RobotState:
        """The state at the observation's stamp.

        Args:
            observation: One that `check_observation` accepts.
            scene: Its scene.
            kitchen: Of the scene's home.
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
                self._detect_held_item(robot, arm.side, kitchen)
        return robot

    def _since(self, arm: ArmLayout, is_open: bool, observation: Observation) -> float:
        """Time since the hand was told to do what it is told now [s]."""
        side, measured = arm.side, observation.state[arm.gripper]
        known = self._switched.get(side)
        if known is None or known[0] != is_open:
            self._switched[side] = known = (is_open, observation.stamp_ns)
        if abs(measured - (1.0 if is_open else 0.0)) < _DONE_MOVING:
            return _LONG_AGO
        return max(0.0, (observation.stamp_ns - known[1]) * 1e-9)

    def _detect_held_item(self, robot: RobotState, side: str, kitchen: Kitchen) -> None:
        """A closed hand holds the item whose graspable points are nearest, if one is near."""
        tcp = robot.tcp(side).position
        nearest, name = self._config.grasp_reach, None
        for item in kitchen.items:
            if item.grasp is None or robot.holder(item.name) is not None:
                continue
            T_item_odom = robot.items[item.name].inverse()
            distance = item.grasp.distance(T_item_odom.apply(tcp))
            if distance < nearest:
                nearest, name = distance, item.name
        if name is not None:
            robot.grasp(side, name)


def check_observation(observation: Observation, names: tuple[str, ...]) -> SceneState:
    """Accepts only what the expert can work with.

    Args:
        observation: To be checked.
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
