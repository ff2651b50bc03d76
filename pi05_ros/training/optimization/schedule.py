"""Learning rate over the steps of a run: linear warm-up, then a cosine."""

from __future__ import annotations

import math

from pi05_ros.training.recipes.recipe import OptimizerRecipe


def learning_rate(step: int, steps: int, recipe: OptimizerRecipe) -> float:
    """Return the learning rate of a step.

    Args:
        step: From 0.
        steps: Of the whole run; the rate of the last one is close to `final_share` of the largest.
        recipe: Largest rate, warm-up and final share.
    """
    warmup = min(recipe.warmup_steps, steps)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1, steps - warmup)
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return recipe.learning_rate * (recipe.final_share + (1.0 - recipe.final_share) * cosine)
