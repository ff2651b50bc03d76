"""Learning rates, groups, the moving average, and low-rank updates."""

import dataclasses

import pytest
import torch
from torch import nn

from pi05_ros.errors import ConfigError
from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.training.optimization.ema import Average
from pi05_ros.training.optimization.lora import LoraLinear, add_lora, merged
from pi05_ros.training.optimization.optimizer import make_optimizer, set_learning_rate
from pi05_ros.training.optimization.schedule import learning_rate
from pi05_ros.training.recipes.recipe import OptimizerRecipe

RECIPE = OptimizerRecipe(learning_rate=1.0, warmup_steps=9, final_share=0.1)


def test_the_rate_rises_linearly_and_falls_on_a_cosine():
    assert [learning_rate(s, 109, RECIPE) for s in (0, 4, 8)] == pytest.approx([0.1, 0.5, 0.9])
    assert learning_rate(9, 109, RECIPE) == pytest.approx(1.0)
    assert learning_rate(59, 109, RECIPE) == pytest.approx(0.55)
    assert learning_rate(109, 109, RECIPE) == pytest.approx(0.1)


def test_a_warm_up_longer_than_the_run():
    recipe = dataclasses.replace(RECIPE, warmup_steps=1000)
    assert 0.0 < learning_rate(0, 10, recipe) < learning_rate(9, 10, recipe) < 1.0


def tiny():
    model = Pi05(load_preset("tiny"))
    draw_weights(model, 0, adaptive_scale=0.1)
    return model


def test_matrices_decay_and_embeddings_do_not():
    model = tiny()
    optimizer = make_optimizer(model, OptimizerRecipe(weight_decay=0.1))
    decayed, others, patches = (
        {id(p) for p in group["params"]} for group in optimizer.param_groups
    )
    names = {name: id(p) for name, p in model.named_parameters()}
    assert len(decayed) + len(others) + len(patches) == len(names)
    assert names["language.layers.0.mlp.up.weight"] in decayed
    assert names["language.embedding.weight"] in others
    assert names["language.norm.weight"] in others


def test_the_patch_embedding_has_a_rate_of_its_own():
    model = tiny()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = make_optimizer(model, OptimizerRecipe(patch_rate=0.25, weight_decay=0.0))
    set_learning_rate(optimizer, 0.008)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        # AdamW's first step is the rate, whatever the gradient is.
        rate = 0.002 if name.startswith("vision.patch_embedding.") else 0.008
        moved = before[name] - parameter.detach()
        assert torch.allclose(moved, torch.full_like(moved, rate), atol=1e-6), name


def test_8_bit_states_want_their_library():
    with pytest.raises(ConfigError, match="bitsandbytes"):
        make_optimizer(tiny(), OptimizerRecipe(eight_bit=True))


def test_the_average_moves_slowly_and_can_be_applied():
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(0.0)
    average = Average(layer, decay=0.9)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    average.update(layer, step=0)  # The first decay is 1 / 10.
    assert float(average.tensors["weight"]) == pytest.approx(0.9)
    average.update(layer, step=10_000)
    assert float(average.tensors["weight"]) == pytest.approx(0.91)
    with average.applied(layer):
        assert float(layer.weight.detach()) == pytest.approx(0.91)
    assert float(layer.weight.detach()) == 1.0


def test_low_rank_updates_begin_at_nothing_and_merge():
    model, plain = tiny(), tiny()
    add_lora(model, rank=2, alpha=4.0, seed=0)
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert "language.layers.0.mlp.up.lora_a" in trained
    assert "expert.action_in.weight" in trained
    assert not {n for n in trained if n.startswith("vision") or n.endswith("up.weight")}
    begun = merged(dict(model.state_dict()), scale=2.0)
    assert begun.keys() == plain.state_dict().keys()
    assert all(torch.equal(begun[n], v) for n, v in plain.state_dict().items())
    layer = model.language.layers[0].mlp.up
    assert isinstance(layer, LoraLinear)
    with torch.no_grad():
        layer.lora_b.normal_()
    plain.load_state_dict(merged(dict(model.state_dict()), scale=2.0))
    x = torch.randn(3, layer.in_features)
    torch.testing.assert_close(plain.language.layers[0].mlp.up(x), layer(x))
