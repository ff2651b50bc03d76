"""The model that a run begins from: drawn, or of a checkpoint, with or without a new expert."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pi05_ros.checkpoints.checkpoint import (
    Checkpoint,
    Training,
    make_tokenizer,
    open_checkpoint,
)
from pi05_ros.checkpoints.number_embeddings import order_numbers
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import ModelConfig, load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.training.optimization.lora import add_lora
from pi05_ros.training.recipes.files import recipe_hash
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.runs.folder import BEST

_EXPERT = "expert."


def begin_checkpoint(recipe: Recipe) -> Checkpoint:
    """Return the model to train, on the CPU, and what is known of it.

    A stage without flow loss has no expert: that of a checkpoint is left out. A stage with it
    keeps the checkpoint's, or draws a new one where there is none or the recipe says so; nothing
    else is drawn then.

    Raises:
        ConfigError: The checkpoint or the preset does not fit the recipe.
        CheckpointError: The checkpoint cannot be read.
    """
    wanted = recipe.model
    if recipe.stage == "finetune" and not wanted.init:
        raise ConfigError(
            f"recipe '{recipe.name}': model.init",
            "is empty, and the stage finetune begins from a checkpoint: name one (--init "
            "CHECKPOINT)",
        )
    if not wanted.init:
        _check_lora(recipe, "the whole model")
        config = config_of_run(load_preset(wanted.preset), recipe)
        model = Pi05(config)
        draw_weights(model, wanted.seed, gates=wanted.gates)
        tokenizer = make_tokenizer(config)
        if config.compact_vision is not None:
            order_numbers(model, tokenizer, wanted.seed)
        begun = Checkpoint(model, tokenizer, source=f"drawn, seed {wanted.seed}")
    else:
        folder = Path(wanted.init).expanduser()
        if (folder / "run.json").exists():
            raise ConfigError(
                wanted.init,
                f"is the folder of a run: name one of its checkpoints, {folder / BEST}",
            )
        opened = open_checkpoint(wanted.init)
        config = config_of_run(opened.model.config, recipe)
        begun = dataclasses.replace(opened, model=_with_weights(opened, config, recipe))
    if recipe.has_expert and recipe.loss.max_prefix >= config.horizon:
        raise ConfigError(
            f"recipe '{recipe.name}': loss.max_prefix",
            f"is {recipe.loss.max_prefix}, wanted less than the {config.horizon} rows of a chunk",
        )
    if wanted.lora_rank:
        add_lora(begun.model, wanted.lora_rank, wanted.lora_alpha, wanted.seed)
    return dataclasses.replace(begun, is_random=False, training=_training(recipe, begun))


def _check_lora(recipe: Recipe, drawn: str) -> None:
    """Raise ConfigError if low-rank updates are to train weights that are drawn at random."""
    if recipe.model.lora_rank:
        raise ConfigError(
            f"recipe '{recipe.name}': model.lora_rank",
            f"would freeze weights that are drawn at random ({drawn}): train all weights "
            "(lora_rank=0), or begin from a checkpoint that has them, with fresh_expert=false",
        )


def config_of_run(config: ModelConfig, recipe: Recipe) -> ModelConfig:
    """Return the config with an expert if the recipe trains one, else without."""
    if not recipe.has_expert:
        return dataclasses.replace(config, expert=None)
    if config.variant == "pi0_fast":
        raise ConfigError(
            f"recipe '{recipe.name}'",
            "trains an expert (loss.alpha), and the variant pi0_fast has none: set loss.alpha=0",
        )
    if config.expert is not None:
        return config
    preset = load_preset(recipe.model.preset)
    expert = preset.expert
    language = dataclasses.replace(preset.language, vocabulary=config.language.vocabulary)
    if language != config.language:
        raise ConfigError(
            f"recipe '{recipe.name}': model.preset",
            f"the checkpoint {recipe.model.init} is of another size than the preset "
            f"'{recipe.model.preset}', which gives the new expert: name the checkpoint's (--set "
            "model.preset=NAME)",
        )
    if expert is None:
        raise ConfigError(
            f"recipe '{recipe.name}'",
            f"the preset '{recipe.model.preset}' has no sizes of an expert: name the preset of "
            "the checkpoint as model.preset",
        )
    return dataclasses.replace(config, expert=expert)


def _with_weights(opened: Checkpoint, config: ModelConfig, recipe: Recipe) -> Pi05:
    """Return a model with the weights of a checkpoint, and a new expert where it wants one."""
    before = opened.model.state_dict()
    model = Pi05(config)
    keeps = recipe.has_expert and opened.model.config.has_expert and not recipe.model.fresh_expert
    own = {n: v for n, v in before.items() if keeps or not n.startswith(_EXPERT)}
    missing, unknown = model.load_state_dict(own, strict=False)
    if unknown or any(not name.startswith(_EXPERT) for name in missing):
        name = (unknown or [name for name in missing if not name.startswith(_EXPERT)])[0]
        raise ConfigError(opened.source, f"the weight '{name}' does not fit the model")
    if config.has_expert and not keeps:
        _check_lora(recipe, "the expert")
        draw_weights(model, recipe.model.seed, only=_EXPERT, gates=recipe.model.gates)
    return model


def _training(recipe: Recipe, begun: Checkpoint) -> Training:
    """Return what the weights will have been trained for, what they were before included."""
    sources = recipe.active_sources().values()
    robots = [source for source in sources if source.kind in ("MM", "ME", "CE")]
    before = begun.training
    plans = any(source.kind in ("HL", "VI") for source in sources)
    return Training(
        text=before.text or plans,
        fast=before.fast or any(source.fast for source in robots),
        flow=recipe.has_expert and any(source.flow for source in robots),
        max_prefix=recipe.loss.max_prefix if recipe.has_expert else 0,
        origin=f"recipe {recipe.name} ({recipe_hash(recipe)}), from {begun.source}",
        # The plans that train have no past subtasks in their prompts.
        history=0 if plans else before.history,
    )
