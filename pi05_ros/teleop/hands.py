"""Inverse kinematics of the robot's hands (mink), a small step at a time within all limits."""

from __future__ import annotations

import mink
import numpy as np

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.description import arm_groups, load_urdf, torso_groups
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.robot import tcp_site
from pi05_ros.sim.robot_model import q_addresses, robot_model

_SOLVER = "daqp"
_ORIENTATION_COST = 0.3  # Per rad, against 1 per m: at a limit the position is kept longer.
# Per rad from the home pose. It keeps an elbow from becoming quite straight, where pulling the
# hand back would bend it to neither side; elsewhere it costs about 1 mm.
_POSTURE_COST = 1e-2
# Of the joints' velocities. It shortens the steps near a singularity: less lets a stretched elbow
# swing back and forth, more makes the hand lag behind its goal.
_DAMPING = 5e-3
# Greatest distance of a goal from where the hand is: what the joints cannot do is not saved up.
LEASH_M, LEASH_RAD = 0.005, 0.05


class HandMotion:
    """Moves one hand in small steps.

    Not thread-safe: it reuses its buffers.

    Args:
        platform: The robot.
        hand: Gripper group of the hand.

    Raises:
        ConfigError: The URDF lacks a joint or the tool centre point, or no group moves the hand.
    """

    def __init__(self, platform: Platform, hand: str) -> None:
        urdf = load_urdf(platform)
        indices = np.arange(platform.size)
        arm = [indices[platform.slices[g.name]] for g in arm_groups(platform, urdf)[hand]]
        torso = [indices[platform.slices[g.name]] for g in torso_groups(platform, urdf)]
        self.joints = np.concatenate(arm)  # Entries that it moves, (n,) int.
        self._platform = platform
        self._entries = np.concatenate([*torso, *arm])
        model = robot_model(platform, keep=self._entries)
        self._q_entries = q_addresses(model, platform, self._entries)
        q_joints = q_addresses(model, platform, self.joints)
        # All joints have one degree of freedom: addresses in qpos and in qvel are equal.
        self._low, self._high = platform.lower[self._entries], platform.upper[self._entries]
        self._configuration = mink.Configuration(model)
        self._frame = mink.FrameTask(
            tcp_site(hand),
            "site",
            position_cost=1.0,
            orientation_cost=_ORIENTATION_COST,
        )
        self._posture = mink.PostureTask(model, cost=_POSTURE_COST)
        home = np.zeros(model.nq)
        home[self._q_entries] = platform.home[self._entries]
        self._posture.set_target(home)
        speeds = {platform.dimensions[i].joint_name: platform.max_velocity[i] for i in self.joints}
        self._limits = [mink.ConfigurationLimit(model), mink.VelocityLimit(model, speeds)]
        held = sorted(set(range(model.nv)) - set(q_joints.tolist()))
        self._held = [mink.DofFreezingTask(model, dof_indices=held)] if held else []
        self._step = platform.max_velocity * platform.period

    def pose(self, vector: np.ndarray) -> mink.SE3:
        """Return T_base_hand for the state `vector` (D,)."""
        q = np.array(self._configuration.q)
        q[self._q_entries] = np.clip(vector[self._entries], self._low, self._high)
        self._configuration.update(q)
        return self._configuration.get_transform_frame_to_world(self._frame.frame_name, "site")

    def step(self, vector: np.ndarray, goal: mink.SE3) -> tuple[np.ndarray, mink.SE3]:
        """Move the hand towards a goal for one period.

        Args:
            vector: (D,) start; its joints of the torso hold.
            goal: T_base_hand to reach.

        Returns:
            (D,) `vector` with the arm's joints moved, no joint by more than its velocity limit
            allows in a period, none outside its position limits; and T_base_hand after the step.
        """
        start = self.pose(vector)
        self._frame.set_target(goal)
        try:
            velocity = mink.solve_ik(
                self._configuration,
                [self._frame, self._posture],
                dt=self._platform.period,
                solver=_SOLVER,
                damping=_DAMPING,
                limits=self._limits,
                constraints=self._held,
            )
        except mink.NoSolutionFound:  # The limits leave no step: the hand stays.
            return vector.copy(), start
        self._configuration.integrate_inplace(velocity, self._platform.period)
        moved = vector.copy()
        solved = np.empty(self._platform.size)
        solved[self._entries] = self._configuration.q[self._q_entries]
        joints = self.joints
        step = np.clip(solved[joints] - vector[joints], -self._step[joints], self._step[joints])
        low, high = self._platform.lower[joints], self._platform.upper[joints]
        moved[joints] = np.clip(vector[joints] + step, low, high)
        return moved, self.pose(moved)


class Hands:
    """The motions of a robot's hands, each made when it is first needed.

    Args:
        platform: The robot.

    Attributes:
        names: Gripper groups of the hands, in the platform's order.
        problems: Hand -> why `prepare` could not make its motion.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._motions: dict[str, HandMotion] = {}
        self.names = tuple(group.name for group in platform.groups_of("parallel_gripper"))
        self.problems: dict[str, str] = {}

    def motion(self, hand: str) -> HandMotion:
        """Return the motion of a hand; `prepare` makes it beforehand.

        Raises:
            ConfigError: See HandMotion.
        """
        if hand not in self._motions:
            self._motions[hand] = HandMotion(self._platform, hand)
        return self._motions[hand]

    def prepare(self) -> None:
        """Make the motions of all hands and move each once, which loads the solver.

        A hand for which that fails is in `problems`: leaders and bases work without it.
        """
        for name in self.names:
            try:
                motion = self.motion(name)
            except ConfigError as error:
                self.problems[name] = str(error)
                continue
            home = np.array(self._platform.home)
            motion.step(home, motion.pose(home))


def moved_goal(goal: mink.SE3, linear: np.ndarray, angular: np.ndarray) -> mink.SE3:
    """Return a pose moved along the base axes (3,) [m] and turned about them (3,) [rad]."""
    rotation = mink.SO3.exp(angular) @ goal.rotation()
    return mink.SE3.from_rotation_and_translation(rotation, goal.translation() + linear)


def leashed(goal: mink.SE3, hand: mink.SE3) -> mink.SE3:
    """Return the goal, near the hand: by each axis no further than LEASH_M and LEASH_RAD.

    Each axis by itself: a hand at the end of its reach then does not slide off sideways.
    """
    offset, turn = _from(goal, hand)
    return moved_goal(
        hand, np.clip(offset, -LEASH_M, LEASH_M), np.clip(turn, -LEASH_RAD, LEASH_RAD)
    )


def approached(start: mink.SE3, goal: mink.SE3, linear: float, angular: float) -> mink.SE3:
    """Return a pose on the way to the goal, at most `linear` [m] and `angular` [rad] ahead."""
    offset, turn = _from(goal, start)
    return moved_goal(start, _bounded(offset, linear), _bounded(turn, angular))


def _from(goal: mink.SE3, start: mink.SE3) -> tuple[np.ndarray, np.ndarray]:
    """Return offset (3,) [m] and turn (3,) [rad] from a pose to a goal, in base axes."""
    turn = (goal.rotation() @ start.rotation().inverse()).log()
    return goal.translation() - start.translation(), turn


def _bounded(vector: np.ndarray, length: float) -> np.ndarray:
    """Return a vector shortened to a length."""
    norm = float(np.linalg.norm(vector))
    return vector if norm <= length else vector * (length / norm)
