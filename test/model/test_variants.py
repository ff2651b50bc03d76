"""The variants π0 and π0-FAST."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.model import flow
from pi05_ros.model.config import load_preset, preset_names
from pi05_ros.model.context import Context
from pi05_ros.model.expert import embed_time
from pi05_ros.model.pi05 import Pi05, VariantError
from pi05_ros.model.transformer import rotate, rotation_of

PREFIX, HORIZON = 9, 6


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def prefix(tiny_pi0: Pi05) -> torch.Tensor:
    return draw(2, PREFIX, tiny_pi0.config.language.width, seed=1)


@pytest.fixture
def state(tiny_pi0: Pi05) -> torch.Tensor:
    return draw(2, tiny_pi0.config.action_dim, seed=2)


@pytest.fixture
def noisy(tiny_pi0: Pi05) -> torch.Tensor:
    return draw(2, HORIZON, tiny_pi0.config.action_dim, seed=3)


def names(model: Pi05) -> set[str]:
    return {name for name, _ in model.named_parameters()}


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_has_every_variant(preset):
    models = {}
    for variant in ("pi05", "pi0", "pi0_fast"):
        with torch.device("meta"):
            models[variant] = Pi05(dataclasses.replace(load_preset(preset), variant=variant))
    expert = {name for name in names(models["pi05"]) if name.startswith("expert.")}
    assert names(models["pi05"]) - names(models["pi0_fast"]) == expert
    assert names(models["pi0_fast"]) == names(models["pi0"]) - {
        name for name in names(models["pi0"]) if name.startswith("expert.")
    }


def test_pi0_under_the_names_of_the_public_weights(tiny_pi0):
    theirs = {public_name(name): tuple(p.shape) for name, p in tiny_pi0.named_parameters()}
    assert not any("time_mlp" in name and "action" not in name for name in theirs)
    assert not any("dense" in name for name in theirs)  # No adaptive norm.
    assert theirs["state_proj.weight"] == (16, 32)
    assert theirs["action_time_mlp_in.weight"] == (16, 32)  # Twice the width goes in.
    assert theirs["action_time_mlp_out.bias"] == (16,)
    assert "paligemma_with_expert.gemma_expert.model.layers.0.input_layernorm.weight" in theirs


@torch.inference_mode()
@pytest.mark.parametrize("padded", [False, True])
def test_pi0_velocity_in_one_pass(tiny_pi0, prefix, state, noisy, padded):
    """State and actions in one pass, with the mask that keeps the state from the actions."""
    expert, language = tiny_pi0.expert, tiny_pi0.config.language
    tau = torch.tensor([0.3, 0.8], dtype=torch.float64)
    valid = torch.ones(2, PREFIX, dtype=torch.bool)
    if padded:
        valid[0, 2:4] = False
        valid[1, :1] = False
    _, context = tiny_pi0.prefill(prefix, valid if padded else None)
    found = tiny_pi0.velocity(
        noisy, expert.modulate(tau), tiny_pi0.append_state_token(context, state)
    )

    time = embed_time(1.0 - tau, 16).float()[:, None].expand(-1, HORIZON, -1)
    actions = F.linear(noisy, expert.action_in.weight, expert.action_in.bias)
    mixed = expert.action_time_in(torch.cat([actions, time], dim=-1))
    actions = expert.action_time_out(mixed * mixed.sigmoid())
    x = torch.cat([expert.state_in(state)[:, None], actions], dim=1)  # (B, 1 + horizon, W)
    count = 1 + HORIZON
    allowed = torch.ones(count, count, dtype=torch.bool)
    allowed[0, 1:] = False  # The state attends to no action.
    allowed = torch.cat([valid[:, None].expand(-1, count, -1), allowed.expand(2, -1, -1)], dim=2)
    positions = valid.sum(1, keepdim=True) + torch.arange(count)
    rotation = rotation_of(positions, language.head_dim)
    for layer, (keys, values) in zip(expert.layers, context.caches, strict=True):
        normed, _ = layer.attention_norm(x)
        attention = layer.attention

        def split(x, heads):
            return x.unflatten(-1, (heads, -1)).transpose(1, 2)

        queries = rotate(split(attention.query(normed), language.heads), rotation)
        own_keys = rotate(split(attention.key(normed), language.kv_heads), rotation)
        own_values = split(attention.value(normed), language.kv_heads)
        repeat = language.heads // language.kv_heads
        keys = torch.cat([keys, own_keys], 2).repeat_interleave(repeat, 1)
        values = torch.cat([values, own_values], 2).repeat_interleave(repeat, 1)
        scores = queries @ keys.transpose(2, 3) / language.head_dim**0.5
        weights = scores.masked_fill(~allowed[:, None], -torch.inf).softmax(-1)
        x = x + attention.output((weights @ values).transpose(1, 2).flatten(2))
        x = x + layer.mlp(layer.mlp_norm(x)[0])
    want = expert.action_out(expert.norm(x)[0][:, 1:])
    torch.testing.assert_close(found, want, atol=1e-5, rtol=0)
    assert want.std() > 0.1


@torch.inference_mode()
def test_the_state_reaches_every_action_and_nothing_else(tiny_pi0, prefix, state, noisy):
    _, context = tiny_pi0.prefill(prefix)
    modulation = tiny_pi0.expert.modulate(torch.tensor([0.5]))
    before = [part.clone() for layer in context.caches for part in layer]
    with_state, other = (tiny_pi0.append_state_token(context, s) for s in (state, state + 1.0))
    assert with_state.length == PREFIX + 1
    after = [part for layer in context.caches for part in layer]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    changed = tiny_pi0.velocity(noisy, modulation, other)
    assert (tiny_pi0.velocity(noisy, modulation, with_state) - changed).abs().amax(-1).min() > 1e-4


@torch.inference_mode()
def test_pi0_depends_on_the_time(tiny_pi0, prefix, state, noisy):
    _, context = tiny_pi0.prefill(prefix)
    with_state = tiny_pi0.append_state_token(context, state)
    steps = tiny_pi0.modulations(10)
    found = [tiny_pi0.velocity(noisy, steps[:, i : i + 1], with_state) for i in (3, 4)]
    assert (found[0] - found[1]).abs().amax(-1).min() > 1e-4
    tau = flow.euler_times(10)[3:5]
    both = tiny_pi0.velocity(noisy, tiny_pi0.expert.modulate(tau), with_state)
    torch.testing.assert_close(both[0], found[0][0], atol=1e-5, rtol=0)
    torch.testing.assert_close(both[1], found[1][1], atol=1e-5, rtol=0)


def test_unsupported_operations_of_a_variant(tiny, tiny_pi0, tiny_fast, prefix, state, noisy):
    with torch.inference_mode():
        contexts: dict[str, Context] = {
            model.config.variant: model.prefill(prefix)[1] for model in (tiny, tiny_pi0, tiny_fast)
        }
    with pytest.raises(VariantError, match="'pi05' reads the state in its prompt"):
        tiny.append_state_token(contexts["pi05"], state)
    with pytest.raises(VariantError, match="'pi0' needs the state"):
        tiny_pi0.velocity(noisy, tiny_pi0.modulations(1), contexts["pi0"])
    with_state = tiny_pi0.append_state_token(contexts["pi0"], state)
    with pytest.raises(ValueError, match="has a state token already"):
        tiny_pi0.append_state_token(with_state, state)
    with pytest.raises(ValueError, match="without a state only"):
        tiny_pi0.decode_step(torch.tensor([[7], [7]]), with_state)
    for attempt in (
        lambda: tiny_fast.modulations(10),
        lambda: tiny_fast.append_state_token(contexts["pi0_fast"], state),
        lambda: tiny_fast.velocity(noisy, torch.zeros(1), contexts["pi0_fast"]),
        lambda: tiny_fast.sample_actions(contexts["pi0_fast"], noisy, 1),
    ):
        with pytest.raises(VariantError, match="'pi0_fast' has no expert; it writes FAST"):
            attempt()


@torch.inference_mode()
def test_pi0_fast_decodes_as_pi05_does(tiny, tiny_fast, prefix):
    """Vision and language have the same names and shapes, and do the same."""
    shared = {name: p for name, p in tiny.state_dict().items() if not name.startswith("expert.")}
    before = {name: p.clone() for name, p in tiny_fast.state_dict().items()}
    tiny_fast.load_state_dict(shared)
    (hidden, context), (want, other) = (
        tiny_fast.prefill(prefix, tail=1),
        tiny.prefill(prefix, tail=1),
    )
    assert torch.equal(hidden, want)
    token = torch.tensor([[700], [701]])
    assert torch.equal(tiny_fast.decode_step(token, context)[0], tiny.decode_step(token, other)[0])
    tiny_fast.load_state_dict(before)
