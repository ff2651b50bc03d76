"""Dependences between prefix, targets and expert, for every variant: one entry is changed.

Values that must not depend on it are compared bit by bit; where padding or caching changes the
order of summation, within 1e-5 (float32, values around 1).
"""

import pytest
import torch
from torch import Tensor

from pi05_ros.model.context import Context
from pi05_ros.model.pi05 import Pi05

PREFIX, TARGETS, HORIZON = 8, 5, 6
ACTING = ("tiny", "tiny_pi0")


@pytest.fixture(params=[*ACTING, "tiny_fast"])
def model(request) -> Pi05:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=ACTING)
def acting(request) -> Pi05:
    return request.getfixturevalue(request.param)


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def sequence(model: Pi05, rows: int = 2) -> Tensor:
    return draw(rows, PREFIX + TARGETS, model.config.language.width, seed=1)


def velocity(model: Pi05, context: Context, noisy: Tensor) -> Tensor:
    """Velocity at τ = 0.3; for π0 with a different state per row."""
    if model.config.variant == "pi0":
        state = draw(2, model.config.action_dim, seed=3)[: len(noisy)]
        context = model.append_state_token(context, state)
    return model.velocity(noisy, model.modulate(torch.full((len(noisy),), 0.3)), context)


def noise(model: Pi05) -> Tensor:
    return draw(2, HORIZON, model.config.action_dim, seed=2)


@torch.inference_mode()
@pytest.mark.parametrize("place", range(TARGETS))
def test_a_target_never_reaches_what_stands_before_it(model, place):
    before = sequence(model)
    after = before.clone()
    after[:, PREFIX + place] += 1.0
    (hidden, _), (other, _) = (model.prefill(x, targets=TARGETS) for x in (before, after))
    at = PREFIX + place
    assert torch.equal(hidden[:, :at], other[:, :at])
    assert (hidden[:, at:] - other[:, at:]).abs().amax(dim=(0, 2)).min() > 1e-4


@torch.inference_mode()
@pytest.mark.parametrize("place", range(TARGETS))
def test_a_fast_token_never_reaches_the_expert(acting, place):
    before = sequence(acting)
    after = before.clone()
    after[:, PREFIX + place] += 1.0
    first, second = (
        velocity(acting, acting.prefill(x, targets=TARGETS)[1], noise(acting))
        for x in (before, after)
    )
    assert torch.equal(first, second)


@torch.inference_mode()
@pytest.mark.parametrize("place", range(PREFIX))
def test_every_token_of_the_prefix_reaches_the_whole_prefix_and_the_expert(acting, place):
    before = sequence(acting)[:, :PREFIX]
    after = before.clone()
    after[:, place] += 1.0
    (hidden, context), (other, changed) = (acting.prefill(x) for x in (before, after))
    assert (hidden - other).abs().amax(dim=(0, 2)).min() > 1e-5
    found = velocity(acting, context, noise(acting)) - velocity(acting, changed, noise(acting))
    assert found.abs().amax(dim=2).min() > 1e-6


@torch.inference_mode()
def test_an_action_never_reaches_the_language_model(acting):
    """Keys and values of every layer, hidden states, and logits decoded afterwards."""
    hidden, context = acting.prefill(sequence(acting)[:, :PREFIX])
    kept = [part.clone() for layer in context.caches for part in layer]
    states = hidden.clone()
    token = torch.tensor([[700], [701]])
    want, _ = acting.decode_step(token, context)
    for shift in (0.0, 5.0):
        velocity(acting, context, noise(acting) + shift)
    now = [part for layer in context.caches for part in layer]
    assert all(torch.equal(a, b) for a, b in zip(kept, now, strict=True))
    assert torch.equal(hidden, states)
    assert torch.equal(acting.decode_step(token, context)[0], want)


@torch.inference_mode()
@pytest.mark.parametrize("pads", ["left", "middle", "right", "everywhere"])
def test_padding_changes_nothing_wherever_it_stands(model, pads):
    """Hidden states of the real tokens, and velocities; padding holds arbitrary values."""
    x = sequence(model)
    places = {
        "left": [0, 0],
        "middle": [3, 4, 4],
        "right": [PREFIX],
        "everywhere": [0, 2, PREFIX, PREFIX + 1, PREFIX + 3],  # Also between targets.
    }[pads]
    width = x.shape[2]
    columns: list[Tensor] = []
    is_valid: list[bool] = []
    targets = TARGETS
    for index in range(x.shape[1] + 1):
        for place in places:
            if place == index:
                columns.append(torch.full((2, 1, width), 55.0))
                is_valid.append(False)
                targets += index > PREFIX
        if index < x.shape[1]:
            columns.append(x[:, index : index + 1])
            is_valid.append(True)
    padded, valid = torch.cat(columns, dim=1), torch.tensor([is_valid, is_valid])
    want, context = model.prefill(x, targets=TARGETS)
    found, other = model.prefill(padded, valid, targets=targets)
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(found[valid].view_as(want), want, **close)
    if model.config.has_expert:
        before, after = (velocity(model, c, noise(model)) for c in (context, other))
        torch.testing.assert_close(after, before, **close)


@torch.inference_mode()
def test_rows_of_different_lengths_equal_each_alone(model):
    x = sequence(model)[:, :PREFIX]
    valid = torch.ones(2, PREFIX, dtype=torch.bool)
    valid[1, 5:] = False
    hidden, context = model.prefill(x, valid)
    lengths = [PREFIX, 5]
    for row, length in enumerate(lengths):
        alone, own = model.prefill(x[row : row + 1, :length])
        close = {"atol": 1e-5, "rtol": 1e-5}
        torch.testing.assert_close(hidden[row : row + 1, :length], alone, **close)
        if model.config.variant == "pi05":
            whole = velocity(model, context, noise(model))[row : row + 1]
            torch.testing.assert_close(
                whole, velocity(model, own, noise(model)[row : row + 1]), **close
            )


@torch.inference_mode()
def test_a_row_never_reaches_another(model):
    x = sequence(model)
    changed = x.clone()
    changed[1] += 1.0
    (hidden, context), (other, shifted) = (model.prefill(y, targets=TARGETS) for y in (x, changed))
    assert torch.equal(hidden[0], other[0])
    assert not torch.isclose(hidden[1], other[1]).all()
    if model.config.has_expert:
        changed_noise = noise(model)
        changed_noise[1] += 1.0
        first, second = (
            velocity(model, context, noise(model)),
            velocity(model, shifted, changed_noise),
        )
        assert torch.equal(first[0], second[0])
        assert not torch.isclose(first[1], second[1]).any(dim=1).all()


@torch.inference_mode()
def test_decoding_with_the_cache_equals_one_pass(model):
    tokens = torch.randint(4, 3000, (2, TARGETS), generator=torch.Generator().manual_seed(4))
    prefix = sequence(model)[:, :PREFIX]
    text = model.language.embed(tokens)
    hidden, _ = model.prefill(torch.cat([prefix, text], dim=1), targets=TARGETS)
    want = model.language.logits(hidden[:, PREFIX:])
    _, context = model.prefill(prefix, tail=0)
    for step in range(TARGETS):
        logits, context = model.decode_step(tokens[:, step : step + 1], context)
        torch.testing.assert_close(logits, want[:, step], atol=1e-4, rtol=1e-5)
