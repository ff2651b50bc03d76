"""A process that trains a few steps and prints by how many bytes its memory grew at most.

    python memory_of_steps.py SETTING… [-- SETTING…]

Each part has settings of the recipe, as on the command line, and runs in a child of its own.

Samples have the longest prompts and answers that the model takes.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import torch

from pi05_ros.model.config import ModelConfig
from pi05_ros.model.grounding import POINTS
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.loading.loader import FlowDraws
from pi05_ros.training.memory.activations import PassSize
from pi05_ros.training.memory.compact_activations import views_of
from pi05_ros.training.memory.plan import memory_plan, model_of
from pi05_ros.training.objective.batch import Batch, TrainingSample, collate
from pi05_ros.training.optimization.ema import Average
from pi05_ros.training.optimization.lora import add_lora
from pi05_ros.training.optimization.optimizer import make_optimizer
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.runs.objective_module import Objective, prepare
from pi05_ros.training.runs.processes import Processes

STEPS = 2


def longest_pass(config: ModelConfig, size: PassSize) -> tuple[Batch, FlowDraws | None]:
    """Return a batch of a size, and its noise."""
    queries = [[7] * config.grounding.max_query_tokens] * size.queries if config.grounding else []
    views = []
    if config.compact_vision is not None:
        views = views_of(config.compact_vision, size.pictures)
    sample = TrainingSample(
        torch.zeros(size.pictures, 3, *config.picture_size, dtype=torch.uint8),
        [5] * size.prompt,
        text=[6] * size.targets,
        actions=torch.zeros(config.horizon, config.action_dim) if size.flow_samples else None,
        views=views,
        queries=queries,
        pointed=bool(queries),
        points=torch.full((len(queries), size.pictures, POINTS, 3), 0.5) if queries else None,
    )
    batch = collate([sample] * size.samples)
    if not size.flow_samples:
        return batch, None
    shape = size.flow_samples, size.samples
    noise = torch.zeros(*shape, config.horizon, config.action_dim)
    return batch, FlowDraws(noise, torch.full(shape, 0.5), None)


def measure(settings: list[str]) -> tuple[int, int]:
    """Return the bytes that were planned, and those by which the process grew."""
    torch.set_num_threads(1)
    recipe = load_recipe("posttrain", settings)
    config = model_of(recipe)
    plan = memory_plan(recipe, 1)
    size = plan.size
    batch, draws = longest_pass(config, size)
    # Libraries load their code, which is not the run's.
    is_float32 = recipe.batch.precision == "float32"
    precision = torch.float32 if is_float32 else torch.bfloat16
    warm = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten(2), torch.nn.Linear(36, 8)
    )
    with torch.autocast("cpu", precision, enabled=not is_float32):
        warm(torch.zeros(2, 3, 8, 8)).float().sum().backward()
    before = _resident()
    model = Pi05(config)
    if recipe.model.lora_rank:
        add_lora(model, recipe.model.lora_rank, recipe.model.lora_alpha, 0)
    objective = Objective(model, recipe.loss, precision)
    prepare(objective, recipe.batch, Processes())
    optimizer = make_optimizer(objective, recipe.optimizer)
    average = Average(objective, recipe.optimizer.ema)
    for step in range(STEPS):
        objective(batch, draws).total.backward()
        torch.nn.utils.clip_grad_norm_(objective.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update(objective, step)
    return plan.total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _in_child(settings: list[str]) -> None:
    """Measure in a process that has imported everything already, and has its own maximum."""
    child = os.fork()
    if not child:
        planned, grown = measure(settings)
        print(planned, grown, flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit(f"the measurement of {settings} failed")


if __name__ == "__main__":
    for part in " ".join(sys.argv[1:]).split(" -- "):
        _in_child(part.split())
