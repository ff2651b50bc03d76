"""Smaller sizes of steps: homes, and lengths of training."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.evaluation.reproduction.plan import PlanError
from pi05_ros.evaluation.rollout import parse_homes
from pi05_ros.training.recipes.recipe import Recipe

LEAST_EVAL_HOMES = 3
LEAST_STEPS = 20  # Of a training that is made shorter.
LEAST_VALIDATION = 32  # Samples of each source.


def scaled(count: int, scale: float, least: int) -> int:
    """Return a share of a count, at least `least` and at most the count itself."""
    return min(count, max(least, round(count * scale)))


def scaled_homes(text: str, scale: float, least: int) -> list[int]:
    """Return the first homes of a list such as "1000-4999".

    Raises:
        PlanError: The text is no list of homes.
    """
    try:
        homes = parse_homes(text)
    except ValueError:
        homes = []
    if not homes:
        raise PlanError(f"wanted homes as in 0-99 or 1,5,8-10, found '{text}'")
    return homes[: scaled(len(homes), scale, least)]


def homes_text(homes: Sequence[int]) -> str:
    """Return homes as the command line takes them: [0, 1, 2, 7] is "0-2,7"."""
    runs: list[list[int]] = []
    for home in homes:
        if runs and home == runs[-1][1] + 1:
            runs[-1][1] = home
        else:
            runs.append([home, home])
    return ",".join(f"{a}-{b}" if b > a else str(a) for a, b in runs)


def scaled_training(recipe: Recipe, scale: float) -> list[str]:
    """Return the settings that make a training shorter; none at scale 1.

    Warm-up, the interval of saving and the samples of a validation shrink with the steps, so that
    validation keeps its share of the time.

    Args:
        recipe: With the steps of scale 1.
        scale: Above 0, at most 1.
    """
    if scale == 1.0:
        return []
    keys = {
        "steps": scaled(recipe.steps, scale, LEAST_STEPS),
        "optimizer.warmup_steps": scaled(recipe.optimizer.warmup_steps, scale, 1),
        "saving.every_steps": scaled(recipe.saving.every_steps, scale, 1),
        "validation.samples": scaled(recipe.validation.samples, scale, LEAST_VALIDATION),
    }
    return [f"{key}={value}" for key, value in keys.items()]
