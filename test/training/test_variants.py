"""The other variants of the model train from bags, and their checkpoints load."""

import dataclasses
import json

import pytest
import torch
from fakes.model_bags import episode_bag

from pi05_ros.checkpoints.checkpoint import Training, load_checkpoint, save_checkpoint
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.runs.beginning import begin_checkpoint
from pi05_ros.training.train import train


@pytest.fixture
def bags(tmp_path):
    for home in ("1", "2"):
        episode_bag(tmp_path / "bags" / home, 120, home=home, outcome="success")
    return tmp_path / "bags"


def of_variant(variant, tmp_path):
    """Save a tiny checkpoint of a variant."""
    config = dataclasses.replace(load_preset("tiny"), variant=variant)
    if variant == "pi0_fast":
        config = dataclasses.replace(config, expert=None)
    model = Pi05(config)
    draw_weights(model, 0)
    drawn = begin_checkpoint(load_recipe("smoke_pretrain", ["model.preset=tiny"]))
    save_checkpoint(
        tmp_path / variant, dataclasses.replace(drawn, model=model, training=Training())
    )
    return tmp_path / variant


def two_steps(base, bags, init, *settings):
    return load_recipe(
        base,
        [
            *("model.preset=tiny", f"model.init={init}", "steps=2", "batch.size=2"),
            *("batch.micro=2", "batch.workers=0", "batch.precision=float32"),
            *("validation.samples=2", "validation.share=0.5"),
            *(f"sources.MM.paths=['{bags}']", "sources.ME.weight=0"),
            *settings,
        ],
    )


@pytest.mark.parametrize("base", ["pi0", "pi0_fast_flow"])
@pytest.mark.parametrize("variant", ["pi0", "pi05"])
def test_the_papers_baselines(base, variant, bags, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    torch.set_num_threads(1)
    recipe = two_steps(base, bags, of_variant(variant, tmp_path))
    assert train(recipe, tmp_path / "run", "cpu")
    found = load_checkpoint(tmp_path / "run" / "best")
    assert found.model.config.variant == variant and found.training.flow
    assert found.training.fast == (base == "pi0_fast_flow") and not found.training.text
    data = json.loads((tmp_path / "run" / "run.json").read_text())["data"]["MM"]
    assert data["samples"] > 0


def test_a_model_of_fast_tokens_alone(bags, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    init = of_variant("pi0_fast", tmp_path)
    with pytest.raises(ConfigError, match="the variant pi0_fast has none: set loss.alpha=0"):
        begin_checkpoint(two_steps("pi0_fast_flow", bags, init))
    recipe = two_steps("pi0_fast_flow", bags, init, "loss.alpha=0")
    assert train(recipe, tmp_path / "run", "cpu")
    assert not load_checkpoint(tmp_path / "run" / "best").model.config.has_expert


def test_bags_that_were_added_are_refused_when_a_run_goes_on(bags, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recipe = two_steps("pi0", bags, of_variant("pi05", tmp_path))
    train(recipe, tmp_path / "run", "cpu")
    assert train(recipe, tmp_path / "run", "cpu")
    for home in ("3", "4", "5"):  # Two of five homes train, one of two did.
        episode_bag(bags / home, 60, home=home, outcome="success")
    with pytest.raises(ConfigError, match="source MM: its data changed since the run began"):
        train(recipe, tmp_path / "run", "cpu")
