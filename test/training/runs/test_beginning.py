"""The model that a run begins from: what is refused, and what its checkpoints say of it."""

import dataclasses

import pytest
import torch
from fakes.training_sources import tiny_recipe

from pi05_ros.checkpoints.checkpoint import make_tokenizer, save_checkpoint
from pi05_ros.checkpoints.number_embeddings import order_numbers
from pi05_ros.errors import ConfigError
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.runs.beginning import begin_checkpoint

TINY = "model.preset=tiny"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folder -> checkpoints `language` of the first stage and `whole` of the second, tiny."""
    folder = tmp_path_factory.mktemp("saved")
    language = begin_checkpoint(load_recipe("smoke_pretrain", [TINY]))
    whole = begin_checkpoint(tiny_recipe(TINY))
    past = dataclasses.replace(whole.training, history=3)
    save_checkpoint(folder / "language", language)
    save_checkpoint(folder / "whole", dataclasses.replace(whole, training=past))
    return folder


def begun(*settings):
    return begin_checkpoint(tiny_recipe(TINY, *settings))


def test_a_new_expert_has_the_size_of_its_language_model(saved):
    found = begun(f"model.init={saved / 'language'}")
    assert found.model.config.has_expert and found.training.flow
    with pytest.raises(ConfigError, match="of another size than the preset 'base'"):
        begun(f"model.init={saved / 'language'}", "model.preset=base")


def test_numbers_of_a_small_model_begin_in_order():
    """As `random_checkpoint` orders them; those of a model with SigLIP are as they are drawn."""
    found = begun("model.preset=nano", "model.seed=5").model
    drawn = Pi05(found.config)
    draw_weights(drawn, 5)
    plain = drawn.language.embedding.weight.clone()
    order_numbers(drawn, make_tokenizer(found.config), 5)
    assert not torch.equal(drawn.language.embedding.weight, plain)
    assert torch.equal(found.language.embedding.weight, drawn.language.embedding.weight)
    found = begun("model.seed=5").model
    drawn = Pi05(found.config)
    draw_weights(drawn, 5)
    assert torch.equal(found.language.embedding.weight, drawn.language.embedding.weight)


def test_low_rank_updates_need_weights_that_were_trained(saved):
    with pytest.raises(ConfigError, match=r"would freeze weights.*\(the whole model\)"):
        begun("model.lora_rank=4")
    with pytest.raises(ConfigError, match=r"would freeze weights.*\(the expert\)"):
        begun("model.lora_rank=4", f"model.init={saved / 'language'}")
    kept = ["model.fresh_expert=false", f"model.init={saved / 'whole'}"]
    names = [name for name, _ in begun("model.lora_rank=4", *kept).model.named_parameters()]
    assert any("lora_a" in name for name in names)


def test_prefix_actions_are_less_than_a_chunk_and_stated(saved):
    horizon = begun().model.config.horizon
    assert begun(f"loss.max_prefix={horizon - 1}").training.max_prefix == horizon - 1
    with pytest.raises(ConfigError, match=f"is {horizon}, wanted less than the {horizon} rows"):
        begun(f"loss.max_prefix={horizon}")
    pretrain = load_recipe("smoke_pretrain", [TINY, "loss.max_prefix=2"])
    assert begin_checkpoint(pretrain).training.max_prefix == 0  # It has no expert.


def test_plans_without_past_subtasks_end_a_checkpoints_history(saved):
    kept = ["model.fresh_expert=false", f"model.init={saved / 'whole'}"]
    assert begun(*kept).training.history == 0
    without = [*kept, "sources.HL.weight=0"]
    assert begun(*without).training.history == 3


def test_fine_tuning_begins_from_a_checkpoint_and_not_from_a_run(tmp_path):
    with pytest.raises(ConfigError, match="the stage finetune begins from a checkpoint"):
        begin_checkpoint(load_recipe("finetune", [TINY]))
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match=f"is the folder of a run.*{tmp_path}/best"):
        begun(f"model.init={tmp_path}")
