"""Memory of a run for each GPU, as text: what this recipe takes, and which settings fit where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from pi05_ros.checkpoints.checkpoint import read_contents
from pi05_ros.checkpoints.shipped import existing_folder, named_checkpoint
from pi05_ros.model.config import ModelConfig, load_preset
from pi05_ros.training.memory.activations import Activations, PassSize, activations
from pi05_ros.training.memory.weights import (
    ParameterCounts,
    WeightBytes,
    count_parameters,
    weight_bytes,
)
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.runs.beginning import config_of_run
from pi05_ros.training.sources.queries import MOST_QUERIES

GPUS_GB = (24, 48, 80)
# Of a GPU that a run cannot have: CUDA's context and libraries, and gaps between tensors.
RESERVED_GB = 1.5
_PICTURES = 4  # Of a sample, where the recipe names no cameras (paper, section IV-C).
_PROCESSES = (1, 2, 4, 8, 16, 32, 64)
_MICRO = (64, 32, 16, 8, 4, 2, 1)
_LORA_RANK = 16  # Of the table, where the recipe has none.
_GB = 2**30


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes in one process."""

    counts: ParameterCounts
    weights: WeightBytes
    activations: Activations
    size: PassSize
    optimizer_step: int  # Tensors of the optimiser's step, when activations are gone.

    @property
    def total(self) -> int:
        """Bytes at the largest moment of a step."""
        w = self.weights
        kept = w.weights + w.gradients + w.states + w.average
        return kept + max(w.gathered + w.copies + self.activations.total, self.optimizer_step)

    @property
    def gigabytes(self) -> float:
        """`total` [GiB]."""
        return self.total / _GB


def memory_plan(recipe: Recipe, processes: int, config: ModelConfig | None = None) -> MemoryPlan:
    """Compute the memory of a run, for the longest prompts and answers that the model takes.

    Args:
        recipe: The run.
        processes: Number of GPUs.
        config: Of the model; None: the recipe's.

    Raises:
        ConfigError: The preset or checkpoint does not fit the recipe.
        CheckpointError: The checkpoint cannot be read.
    """
    config = config or model_of(recipe)
    batch = recipe.batch
    is_float32 = batch.precision == "float32"
    counts = count_parameters(config, recipe.model.lora_rank)
    weights = weight_bytes(
        counts,
        processes=processes,
        eight_bit=recipe.optimizer.eight_bit,
        has_average=recipe.optimizer.ema > 0.0,
        is_float32=is_float32,
        recomputes=batch.checkpoint_activations,
    )
    size = PassSize(
        samples=min(batch.micro, max(1, batch.size // processes)),
        pictures=max((len(s.cameras) for s in recipe.active_sources().values()), default=0)
        or _PICTURES,
        prompt=config.max_prompt_tokens,
        targets=_longest_targets(recipe, config),
        flow_samples=batch.flow_samples if recipe.has_expert else 0,
        is_float32=is_float32,
        recomputes=batch.checkpoint_activations,
        trains_all=not recipe.model.lora_rank,
        queries=_most_queries(recipe, config),
    )
    # Gradients squared for their norm, and the update before it is applied.
    step = 4 * counts.trained // processes
    return MemoryPlan(counts, weights, activations(config, size), size, step)


def plan_text(recipe: Recipe, processes: int) -> str:
    """Describe the memory of a run, and which settings fit GPUs of 24, 48 and 80 GB.

    Args:
        recipe: The run.
        processes: Number of GPUs, which share weights, gradients and states (FSDP2).

    Raises:
        ConfigError: The preset or checkpoint does not fit the recipe.
        CheckpointError: The checkpoint cannot be read.
    """
    config = model_of(recipe)
    plan = memory_plan(recipe, processes, config)
    return "\n".join(
        [*_head(recipe, processes, plan), "", *_parts(plan), "", *_table(recipe, config)]
    )


def model_of(recipe: Recipe) -> ModelConfig:
    """Return the sizes of the model that a recipe trains, without its weights."""
    init = recipe.model.init
    if not init:
        known = load_preset(recipe.model.preset)
    elif init.startswith("random:"):
        known = load_preset(init.removeprefix("random:").partition("?")[0])
    else:
        known = read_contents(existing_folder(named_checkpoint(init))).config
    return config_of_run(known, recipe)


def _longest_targets(recipe: Recipe, config: ModelConfig) -> int:
    """Return the most target tokens of a sample; 0 if no source has any."""
    sources = recipe.active_sources().values()
    robots = [source for source in sources if source.kind in ("MM", "ME", "CE")]
    has_text = any(source.kind in ("HL", "VI", "WD") for source in sources)
    has_fast = any(source.fast for source in robots)
    return max(config.max_text_tokens * has_text, config.max_action_tokens * has_fast)


def _most_queries(recipe: Recipe, config: ModelConfig) -> int:
    """Return the most texts of a sample whose heat maps are trained."""
    kinds = {source.kind for source in recipe.active_sources().values()}
    if config.grounding is None or not kinds & {"HL", "VI", "WD"}:
        return 0
    return MOST_QUERIES if "WD" in kinds else 1


def _head(recipe: Recipe, processes: int, plan: MemoryPlan) -> Iterator[str]:
    size, batch = plan.size, recipe.batch
    gpus = "1 process" if processes == 1 else f"{processes} processes"
    share = plan.counts.trained / plan.counts.all
    passes = max(1, batch.size // processes // size.samples)
    yield (
        f"recipe {recipe.name}, {gpus}: {plan.gigabytes:.1f} GB each, and "
        f"{RESERVED_GB:g} GB for CUDA"
    )
    yield (
        f"{_count(plan.counts.all)} parameters, {_count(plan.counts.trained)} trained "
        f"({100 * share:.3g} %)"
    )
    yield (
        f"{size.samples} samples a pass, {passes} passes a step; a sample has {size.pictures} "
        f"pictures, at most {size.prompt} prompt and {size.targets} target tokens, "
        f"{size.flow_samples} chunks"
    )
    settings = (
        batch.precision,
        "8-bit states" if recipe.optimizer.eight_bit else "32-bit states",
        "layers recomputed" if size.recomputes else "layers kept",
        f"LoRA of rank {recipe.model.lora_rank}" if recipe.model.lora_rank else "no LoRA",
    )
    yield ", ".join(settings)


def _parts(plan: MemoryPlan) -> Iterator[str]:
    weights, kept = plan.weights, plan.activations
    rows = [
        ("weights", weights.weights),
        ("gradients", weights.gradients),
        ("optimiser", weights.states),
        ("average", weights.average),
        ("gathered from others", weights.gathered),
        ("bfloat16 copies", weights.copies),
        ("activations: pictures", kept.vision),
        ("activations: language", kept.language),
        ("activations: expert", kept.expert),
        ("logits or one layer's backward", max(kept.logits, kept.transient)),
    ]
    if kept.grounding:
        rows.insert(-3, ("activations: heat maps", kept.grounding))
    for name, value in rows:
        yield f"  {name:32}{value / _GB:8.2f} GB"
    yield f"  {'largest moment of a step':32}{plan.gigabytes:8.2f} GB"
    whole = 4 * plan.counts.all / _GB
    yield f"  validation adds up to {whole:.1f} GB in the first process: the averaged weights"


def _table(recipe: Recipe, config: ModelConfig) -> Iterator[str]:
    """Yield the smallest number of GPUs, and the largest pass on it, for several settings."""
    yield "least number of GPUs, and the largest micro batch there (c: layers recomputed):"
    yield f"  {'':32}" + "".join(f"{f'{gb} GB':>16}" for gb in GPUS_GB)
    for rank in (0, recipe.model.lora_rank or _LORA_RANK):
        for eight_bit in (False, True):
            varied = dataclasses.replace(
                recipe,
                model=dataclasses.replace(recipe.model, lora_rank=rank),
                optimizer=dataclasses.replace(recipe.optimizer, eight_bit=eight_bit),
            )
            name = f"LoRA of rank {rank}" if rank else "all weights"
            name += ", 8-bit states" if eight_bit else ", 32-bit states"
            cells = (least_gpus(varied, config, gb) for gb in GPUS_GB)
            yield f"  {name:32}" + "".join(f"{cell or 'none':>16}" for cell in cells)


def least_gpus(recipe: Recipe, config: ModelConfig, gigabytes: float) -> str:
    """Return the least number of GPUs of a size on which a recipe fits, and the largest pass.

    Layers are recomputed only where it takes that to fit. "": on 64 it does not fit either.
    """
    for processes in _PROCESSES:
        for recomputes in (False, True):
            for micro in _MICRO:
                batch = dataclasses.replace(
                    recipe.batch,
                    micro=micro,
                    size=max(recipe.batch.size, micro * processes),
                    checkpoint_activations=recomputes,
                )
                varied = dataclasses.replace(recipe, batch=batch)
                plan = memory_plan(varied, processes, config)
                if plan.gigabytes + RESERVED_GB <= gigabytes:
                    return f"{processes} × micro {micro}{' c' if recomputes else ''}"
    return ""


def _count(number: int) -> str:
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
