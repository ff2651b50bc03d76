"""Brains of trials: opened once a process, and without memory from one trial to the next."""

from __future__ import annotations

import functools

from pi05_ros.brain.interface import Brain
from pi05_ros.evaluation.opened_models import opened_model, platform_of
from pi05_ros.evaluation.trials.external import ORACLE, load_planner
from pi05_ros.evaluation.trials.modes import MODES, BrainHighLevel, HighLevel
from pi05_ros.evaluation.trials.settings import EvaluationSettings, Machine, Trial
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.kinematics import ArmKinematics


def low_level(settings: EvaluationSettings, machine: Machine, trial: Trial) -> Brain:
    """Return the brain that acts, as new.

    Raises:
        Pi05Error: The weights cannot be opened, or are of another robot.
    """
    if settings.brain == "expert":
        return expert(settings.platform)
    model = opened_model(
        settings.platform,
        trial.weights.checkpoint,
        machine.device,
        machine.dtype,
        machine.execution,
    )
    model.reseed(trial.random_seed)
    return model


def high_level(settings: EvaluationSettings, trial: Trial, low: Brain) -> HighLevel | None:
    """Return what names the subtasks; None: the task is the subtask.

    Args:
        settings: Of the evaluation.
        trial: The trial.
        low: The brain that acts.

    Raises:
        Pi05Error: The external planner cannot be loaded.
    """
    if MODES[trial.mode].speaks_task:
        return None
    if trial.mode == "full" or settings.brain == "expert":
        return BrainHighLevel(low)
    if trial.mode == "human" or settings.planner == ORACLE:
        return BrainHighLevel(expert(settings.platform))
    return _external(settings.planner)


def expert(platform: str) -> ExpertBrain:
    """Return a new scripted expert."""
    return ExpertBrain(platform_of(platform), kinematics=_kinematics(platform))


def check_planner(settings: EvaluationSettings) -> None:
    """Load the external planner, so that what is wrong with it is found before the first trial.

    Raises:
        Pi05Error: It cannot be loaded.
    """
    if settings.planner not in ("", ORACLE):
        _external(settings.planner)


@functools.lru_cache(maxsize=4)
def _kinematics(platform: str) -> ArmKinematics:
    # Long to make, and without memory.
    return ArmKinematics(platform_of(platform))


@functools.lru_cache(maxsize=4)
def _external(spec: str) -> HighLevel:
    """Return the external planner of this process.

    Raises:
        Pi05Error: It cannot be loaded.
    """
    return load_planner(spec)
