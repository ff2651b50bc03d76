"""Chunk generation: rollout of a skill on the predicted robot, within the platform's limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.motion import LimitedMotion
from pi05_ros.sim.expert.moves import Goal
from pi05_ros.sim.expert.skills import Skill
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.steering import base_error


class ChunkMaker:
    """Rolls skills out into chunks.

    Args:
        platform: The robot, with limits and period.
        share: Share of its velocity and acceleration limits to use.
        horizon: Rows of a chunk.
    """

    def __init__(self, platform: Platform, share: float, horizon: int) -> None:
        self._lower, self._upper = platform.lower, platform.upper
        self._period = platform.period
        self._horizon = horizon
        starts = [s.start for s in platform.slices.values()]
        self._base = np.flatnonzero(platform.is_velocity)
        self._base_axes = platform.base_axes
        self._base_step = share * platform.max_acceleration[self._base] * platform.period
        self._motion = LimitedMotion(
            share * platform.max_velocity,
            share * platform.max_acceleration,
            platform.period,
            starts,
        )

    def make(
        self, begin: Callable[[RobotState], Skill], robot: RobotState, committed: np.ndarray
    ) -> np.ndarray:
        """Roll out a skill from `robot`, which is advanced to the state at the last row.

        Args:
            begin: Creates the skill for the state after the committed rows. Its choices prefer
                what has been started, which an older state would not show.
            robot: The state at the chunk's stamp; modified.
            committed: (n, D) first rows of the chunk, which will have been sent when it arrives;
                n may be 0.

        Returns:
            (horizon, D) float64 targets.
        """
        rows = np.empty((self._horizon, len(robot.command)))
        skill = None
        for k, row in enumerate(rows):
            if k < len(committed):
                velocity = self._follow(committed[k], robot)
            else:
                skill = skill or begin(robot)
                goal = skill.goal(robot)
                velocity = self._motion.velocity(self._error(goal, robot), robot.velocity)
            robot.advance(velocity, self._lower, self._upper, self._period)
            row[:] = robot.command
        return rows

    def _follow(self, row: np.ndarray, robot: RobotState) -> np.ndarray:
        """Compute the velocity that reaches `row`; the base's is limited by its acceleration."""
        velocity = (row - robot.command) / self._period
        now = robot.velocity[self._base]
        wanted = np.clip(row[self._base], now - self._base_step, now + self._base_step)
        velocity[self._base] = wanted
        return velocity

    def _error(self, goal: Goal, robot: RobotState) -> np.ndarray:
        error = goal.vector - robot.command
        if goal.base is None:
            error[self._base] = 0.0
        else:
            error[self._base] = base_error(robot.base, goal.base, self._base_axes)
        return error
