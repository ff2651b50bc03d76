"""The training pass: each loss against the model one row at a time, and where gradients stop.

Rows of the batch differ in everything: lengths, missing cameras, text, FAST tokens, actions.
"""

import dataclasses

import pytest
import torch
from torch import Tensor

from pi05_ros.model import flow
from pi05_ros.model.config import load_preset
from pi05_ros.model.context import Context
from pi05_ros.model.pi05 import Pi05, VariantError
from pi05_ros.model.text.tokenizer import END
from pi05_ros.training.objective.batch import Batch, Targets, TrainingSample, collate
from pi05_ros.training.objective.losses import (
    PARTS,
    LossConfig,
    Losses,
    cross_entropy,
    flow_errors,
    losses,
    run_language_model,
    sample_prefix,
)

HORIZON, DIM, CAMERAS = 5, 32, 3
PRE, POST, JOINT = LossConfig(alpha=0.0), LossConfig(), LossConfig(insulated=False)


def make(variant: str) -> Pi05:
    """Two layers, so that one has a successor in the language model; random weights."""
    config = dataclasses.replace(load_preset("tiny"), variant=variant, horizon=HORIZON)
    language = dataclasses.replace(config.language, depth=2)
    model = Pi05(dataclasses.replace(config, language=language))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.1 if parameter.ndim == 1 else parameter.shape[1:].numel() ** -0.5
            parameter.normal_(0.0, scale, generator=generator)
    return model


@pytest.fixture(scope="module", params=["pi05", "pi0"])
def model(request) -> Pi05:
    return make(request.param)


@pytest.fixture(scope="module")
def fast_only() -> Pi05:
    return make("pi0_fast")


def samples(variant: str) -> list[TrainingSample]:
    """All targets, text only, actions only with a missing camera."""
    generator = torch.Generator().manual_seed(1)

    def tokens(count: int) -> list[int]:
        return torch.randint(4, 3000, (count,), generator=generator).tolist()

    def images() -> Tensor:
        shape = (CAMERAS, 3, 28, 28)
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)

    def actions() -> Tensor:
        return torch.randn(HORIZON, DIM, generator=generator)

    made = [
        TrainingSample(
            images(), tokens(7), [*tokens(4), END], [*tokens(3), END], actions=actions()
        ),
        TrainingSample(images(), tokens(9), [*tokens(2), END]),
        TrainingSample(
            images(), tokens(4), cameras=torch.tensor([True, False, True]), actions=actions()
        ),
    ]
    if variant == "pi0":
        made = [dataclasses.replace(s, state=torch.randn(DIM, generator=generator)) for s in made]
    return made


@pytest.fixture
def noise() -> Tensor:
    return torch.randn(3, HORIZON, DIM, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def tau() -> Tensor:
    return flow.sample_tau(3, torch.Generator().manual_seed(3))


def alone(model: Pi05, sample: TrainingSample) -> tuple[Tensor, Context]:
    """Prefill a sample as inference does: without padding, missing pictures left out."""
    images = sample.images if sample.cameras is None else sample.images[sample.cameras]
    text = model.language.embed(torch.tensor([sample.prompt]))
    pictures = model.embed_images(images).flatten(0, 1)[None]
    return model.prefill(torch.cat([pictures, text], dim=1), tail=1)


def entropies_alone(model: Pi05, sample: TrainingSample) -> list[float]:
    """−log p of each target, decoded token by token."""
    hidden, context = alone(model, sample)
    logits = model.language.logits(hidden[:, -1])
    found = []
    for token in [*sample.text, *sample.fast]:
        found.append(-logits[0].log_softmax(-1)[token].item())
        logits, context = model.decode_step(torch.tensor([[token]]), context)
    return found


def grads(model: Pi05, loss: Tensor) -> dict[str, float]:
    """Largest gradient of each parameter; 0 where there is none."""
    model.zero_grad()
    loss.backward()
    found = {
        name: 0.0 if p.grad is None else p.grad.abs().max().item()
        for name, p in model.named_parameters()
    }
    model.zero_grad()
    return found


@torch.no_grad()
def test_the_text_loss_equals_decoding_token_by_token(model):
    rows = samples(model.config.variant)
    found = losses(model, collate(rows), PRE)
    first, second = (entropies_alone(model, row) for row in rows[:2])
    assert found.text[0].item() == pytest.approx(sum(first[:5]) / 9, abs=1e-5)
    assert found.fast[0].item() == pytest.approx(sum(first[5:]) / 9, abs=1e-5)
    assert found.text[1].item() == pytest.approx(sum(second) / 3, abs=1e-5)
    assert found.text[2] == found.fast[1] == found.fast[2] == 0.0
    assert found.flow.tolist() == [0.0] * 3  # α is 0: pre-training has no expert.
    assert found.total.item() == pytest.approx((sum(first) / 9 + sum(second) / 3) / 3, abs=1e-5)


@torch.no_grad()
def test_weights_of_tokens(model):
    """A weight of 0 leaves a token out of the mean; later tokens still attend to it."""
    rows = samples(model.config.variant)
    batch = collate(rows)
    weights = batch.targets.weights.clone()
    weights[0, :2], weights[0, 3] = 0.0, 2.5
    weighted = dataclasses.replace(
        batch, targets=dataclasses.replace(batch.targets, weights=weights)
    )
    found = losses(model, weighted, PRE)
    each = entropies_alone(model, rows[0])
    want = (each[2] + 2.5 * each[3] + each[4]) / 8.5
    assert found.text[0].item() == pytest.approx(want, abs=1e-5)
    assert found.fast[0].item() == pytest.approx(sum(each[5:]) / 8.5, abs=1e-5)


@torch.no_grad()
def test_the_flow_loss_is_the_error_of_the_velocity(model, noise, tau):
    rows = samples(model.config.variant)
    found = losses(model, collate(rows), POST, noise, tau)
    for index in (0, 2):
        _, context = alone(model, rows[index])
        if rows[index].state is not None:
            context = model.append_state_token(context, rows[index].state[None])
        actions, omega = rows[index].actions[None], noise[index : index + 1]
        time = tau[index]
        velocity = model.velocity(
            time * actions + (1 - time) * omega, model.modulate(tau[index : index + 1]), context
        )
        want = (omega - actions - velocity).square().mean().item()
        assert found.flow[index].item() == pytest.approx(want, rel=1e-5)
    assert found.flow[1] == 0.0  # It has no actions.
    parts = found.text + found.fast + 10.0 * found.flow
    assert found.total.item() == pytest.approx(parts.mean().item())


@pytest.mark.parametrize("config", [POST, JOINT])
def test_the_flow_loss_of_many_noises_is_their_mean(model, config, monkeypatch):
    """Value and gradient, of rows with and without actions; the language model runs once."""
    batch = collate(samples(model.config.variant))
    generator = torch.Generator().manual_seed(4)
    noise = torch.randn(4, 3, HORIZON, DIM, generator=generator)
    tau = flow.sample_tau(12, generator).unflatten(0, (4, 3))
    alone = [losses(model, batch, config, n, t) for n, t in zip(noise, tau, strict=True)]
    want = torch.stack([one.flow for one in alone])
    assert want[:, [0, 2]].std(dim=0).min() > 1e-2  # Draws differ.
    want_grads = grads(model, want.mean())
    reads = []
    read_once = model.language.forward
    monkeypatch.setattr(
        model.language, "forward", lambda *a, **k: reads.append(len(a[0])) or read_once(*a, **k)
    )
    found = losses(model, batch, config, noise, tau)
    assert reads == [3]
    torch.testing.assert_close(found.flow, want.mean(dim=0))
    torch.testing.assert_close(found.text, alone[0].text)
    for name, grad in grads(model, found.flow.mean()).items():
        assert grad == pytest.approx(want_grads[name], rel=1e-4, abs=1e-7), name


@torch.no_grad()
def test_weights_of_action_dimensions(model, noise, tau):
    rows = samples(model.config.variant)
    batch = collate(rows)
    _, context = run_language_model(model, batch)
    errors = flow_errors(model, context, batch, noise, tau)
    weights = torch.zeros(HORIZON, DIM)
    weights[:3, :18] = 1.0
    weights[0, 0] = 3.0
    rows[0] = dataclasses.replace(rows[0], action_weights=weights)
    found = losses(model, collate(rows), POST, noise, tau)
    want = (errors[0, :3, :18].sum() + 2.0 * errors[0, 0, 0]) / (3 * 18 + 2)
    torch.testing.assert_close(found.flow[0], want)
    torch.testing.assert_close(found.flow[2], errors[2].mean())


@torch.no_grad()
def test_the_loss_of_a_batch_is_the_mean_of_its_rows(model, noise, tau):
    rows = samples(model.config.variant)
    whole = losses(model, collate(rows), POST, noise, tau)
    single = [
        losses(model, collate([row]), POST, noise[i : i + 1], tau[i : i + 1])
        for i, row in enumerate(rows)
    ]
    mean = sum(one.total.item() for one in single) / 3
    assert whole.total.item() == pytest.approx(mean, rel=1e-5)


@torch.no_grad()
def test_the_contents_of_padding_change_nothing(model, noise, tau):
    batch = collate(samples(model.config.variant))
    want = losses(model, batch, POST, noise, tau)
    images, prompt, tokens = (
        batch.images.clone(),
        batch.prompt.clone(),
        batch.targets.tokens.clone(),
    )
    images[~batch.cameras] = 200
    prompt[~batch.prompt_valid] = 99
    tokens[~batch.targets.valid] = 98
    changed = dataclasses.replace(
        batch,
        images=images,
        prompt=prompt,
        targets=dataclasses.replace(batch.targets, tokens=tokens),
    )
    found = losses(model, changed, POST, noise, tau)
    for part in ("text", "fast", "flow"):
        assert torch.equal(getattr(found, part), getattr(want, part)), part


@torch.no_grad()
def test_the_place_of_padding_changes_nothing(model, noise, tau):
    """The same tokens, moved to the right by padding on their left and in their middle."""
    batch = collate(samples(model.config.variant))
    want = losses(model, batch, POST, noise, tau)

    def spread(x: Tensor) -> Tensor:
        gap = x.new_zeros(len(x), 2)
        return torch.cat([gap, x[:, :1], gap, x[:, 1:], gap], dim=1)

    old = batch.targets
    targets = Targets(*(spread(x) for x in (old.tokens, old.valid, old.weights, old.is_fast)))
    moved = dataclasses.replace(
        batch,
        prompt=spread(batch.prompt),
        prompt_valid=spread(batch.prompt_valid),
        targets=targets,
    )
    found = losses(model, moved, POST, noise, tau)
    for part in ("text", "fast", "flow"):
        torch.testing.assert_close(getattr(found, part), getattr(want, part), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_flow_is_independent_of_the_targets(model, noise, tau):
    """FAST tokens encode the very actions that the expert must predict: changed, or left out."""
    batch = collate(samples(model.config.variant))
    want = losses(model, batch, POST, noise, tau).flow
    tokens = batch.targets.tokens.clone()
    tokens[batch.targets.valid] = 77
    changed = dataclasses.replace(batch, targets=dataclasses.replace(batch.targets, tokens=tokens))
    assert torch.equal(losses(model, changed, POST, noise, tau).flow, want)
    without = dataclasses.replace(batch, targets=None)
    torch.testing.assert_close(losses(model, without, POST, noise, tau).flow, want)


@torch.no_grad()
def test_the_text_is_independent_of_the_actions(model, noise, tau):
    batch = collate(samples(model.config.variant))
    want = losses(model, batch, POST, noise, tau)
    changed = dataclasses.replace(batch, actions=batch.actions + 1.0)
    found = losses(model, changed, POST, noise, tau)
    assert torch.equal(found.text, want.text)
    assert torch.equal(found.fast, want.fast)
    assert not torch.isclose(found.flow[[0, 2]], want.flow[[0, 2]]).any()


def test_insulation_stops_the_flows_gradient_at_the_caches(model, noise, tau):
    batch = collate(samples(model.config.variant))
    found = grads(model, losses(model, batch, POST, noise, tau).flow.mean())
    for name, grad in found.items():
        assert (grad > 0) == name.startswith("expert."), name


def test_without_insulation_the_flow_trains_the_language_model(model, noise, tau):
    batch = collate(samples(model.config.variant))
    found = grads(model, losses(model, batch, JOINT, noise, tau).flow.mean())
    last = "language.layers.1."
    # The expert reads keys and values; what comes after the last layer's is for text alone.
    unused = {
        name
        for name in found
        if name == "language.norm.weight"
        or (
            name.startswith(last)
            and not any(p in name for p in ("attention_norm", "key", "value"))
        )
    }
    assert all(found[name] == 0 for name in unused)
    for name, grad in found.items():
        assert grad > 0 or name in unused | without_effect(model), name


def without_effect(model: Pi05) -> set[str]:
    """Parameters without effect: a key's bias does not change the softmax."""
    return {name for name, _ in model.named_parameters() if name.endswith("key.bias")}


def test_insulation_changes_no_value_and_no_gradient_of_the_expert(model, noise, tau):
    batch = collate(samples(model.config.variant))
    cut, whole = (losses(model, batch, config, noise, tau) for config in (POST, JOINT))
    assert torch.equal(cut.total, whole.total)
    found, want = grads(model, cut.total), grads(model, whole.total)
    for name in found:
        if name.startswith("expert."):
            assert found[name] == pytest.approx(want[name], rel=1e-5), name


def test_text_trains_the_language_model_and_never_the_expert(model, noise, tau):
    batch = collate(samples(model.config.variant))
    cost = losses(model, batch, JOINT, noise, tau)
    found = grads(model, (cost.text + cost.fast).mean())
    for name, grad in found.items():
        assert (grad == 0) == name.startswith("expert.") or name in without_effect(model), name


def test_pre_training_never_runs_the_expert(model):
    found = grads(model, losses(model, collate(samples(model.config.variant)), PRE).total)
    assert all(grad == 0 for name, grad in found.items() if name.startswith("expert."))


@torch.no_grad()
def test_pi0_fast_learns_its_tokens(fast_only, noise, tau):
    rows = samples("pi0_fast")
    found = losses(fast_only, collate(rows), PRE)
    each = entropies_alone(fast_only, rows[0])
    assert (found.text + found.fast)[0].item() == pytest.approx(sum(each) / 9, abs=1e-5)
    with pytest.raises(VariantError, match="has no expert"):
        losses(fast_only, collate(rows), POST, noise, tau)


def test_logits_are_computed_for_weighted_tokens_only(model, monkeypatch):
    seen = []
    logits = model.language.logits
    monkeypatch.setattr(model.language, "logits", lambda h: seen.append(len(h)) or logits(h))
    losses(model, collate(samples(model.config.variant)), PRE)
    assert seen == [9 + 3]


def test_a_batch_without_targets(model, noise, tau):
    rows = [dataclasses.replace(row, text=(), fast=()) for row in samples(model.config.variant)]
    batch = collate(rows)
    assert batch.targets is None
    found = losses(model, batch, POST, noise, tau)
    assert found.text.tolist() == found.fast.tolist() == [0.0] * 3
    assert found.total.item() == pytest.approx(10.0 * found.flow.mean().item())


def test_missing_arguments(model, noise, tau):
    rows = samples(model.config.variant)
    with pytest.raises(ValueError, match="wanted noise and tau"):
        losses(model, collate(rows), POST, noise)
    with pytest.raises(ValueError, match=r"found \(1, 3\) times for \(2, 3\) draws"):
        losses(model, collate(rows), POST, noise.expand(2, *noise.shape), tau[None])
    if model.config.variant == "pi0":
        with pytest.raises(VariantError, match="needs the state"):
            losses(model, dataclasses.replace(collate(rows), state=None), POST, noise, tau)
    with pytest.raises(ValueError, match="alpha -1"):
        LossConfig(alpha=-1.0)
    batch = collate(rows)
    hidden, context = model.prefill(model.language.embed(batch.prompt))
    with pytest.raises(ValueError, match="context of a padded batch"):
        cross_entropy(model, hidden, context, batch.targets)


def test_the_total_is_differentiable_by_part():
    parts = [torch.ones(2, requires_grad=True) for _ in PARTS]
    text, fast, error, grounding = parts
    Losses(text, fast, error, 10.0, grounding, 2.0).total.backward()
    assert [part.grad.tolist() for part in parts] == [[0.5] * 2, [0.5] * 2, [5.0] * 2, [1.0] * 2]


def test_batches_are_padded_by_hand():
    images = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    actions = torch.ones(2, 3)
    batch: Batch = collate(
        [
            TrainingSample(images, [2, 7], [8, 1], [9]),
            TrainingSample(images, [2, 5, 6], actions=actions),
        ]
    )
    assert batch.prompt.tolist() == [[2, 7, 0], [2, 5, 6]]
    assert batch.prompt_valid.tolist() == [[True, True, False], [True] * 3]
    assert batch.targets.tokens.tolist() == [[8, 1, 9], [0, 0, 0]]
    assert batch.targets.valid.tolist() == [[True] * 3, [False] * 3]
    assert batch.targets.weights.tolist() == [[1.0] * 3, [0.0] * 3]
    assert batch.targets.is_fast.tolist() == [[False, False, True], [False] * 3]
    assert batch.actions.tolist() == [[[0.0] * 3] * 2, [[1.0] * 3] * 2]
    assert torch.equal(batch.action_weights, batch.actions)
    assert batch.cameras.tolist() == [[True], [True]]


def test_invalid_samples():
    images = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    with pytest.raises(ValueError, match="1 of 2 samples lack a state"):
        collate([TrainingSample(images, [2], state=torch.zeros(3)), TrainingSample(images, [2])])
    with pytest.raises(ValueError, match="prompt is empty"):
        collate([TrainingSample(images, []), TrainingSample(images, [2])])


def test_a_batch_moves_to_a_device():
    moved = collate(samples("pi0")).to("meta")
    for field in dataclasses.fields(moved):
        value = getattr(moved, field.name)
        if value is None:  # Of models that the samples are not for.
            continue
        inner = (
            [value]
            if isinstance(value, Tensor)
            else [getattr(value, part.name) for part in dataclasses.fields(value)]
        )
        assert all(part.device.type == "meta" for part in inner), field.name


WITH_PREFIX = LossConfig(max_prefix=3)


@torch.no_grad()
def test_a_prefix_is_an_input_without_a_loss(model, noise, tau):
    """Rows of one batch with different prefixes, against the model one row at a time."""
    rows = samples(model.config.variant)
    prefix = torch.tensor([2, 1, 0])
    found = losses(model, collate(rows), WITH_PREFIX, noise, tau, prefix).flow
    for index, count in ((0, 2), (2, 0)):
        _, context = alone(model, rows[index])
        if rows[index].state is not None:
            context = model.append_state_token(context, rows[index].state[None])
        actions, omega = rows[index].actions[None], noise[index : index + 1]
        times = tau[index].double().repeat(1, HORIZON)
        times[:, :count] = 1.0
        noisy = times[..., None].float() * actions + (1 - times[..., None].float()) * omega
        assert torch.equal(noisy[:, :count], actions[:, :count])
        velocity = model.velocity(noisy, model.modulate(times), context)
        want = (omega - actions - velocity)[:, count:].square().mean().item()
        assert found[index].item() == pytest.approx(want, rel=1e-4)
    assert found[1] == 0.0  # It has no actions.


@torch.no_grad()
def test_prefix_actions_have_an_effect_and_their_noise_has_none(model, noise, tau):
    rows = samples(model.config.variant)
    prefix = torch.tensor([2, 2, 2])
    want = losses(model, collate(rows), WITH_PREFIX, noise, tau, prefix).flow
    changed = noise.clone()
    changed[:, :2] += 1.0
    assert torch.equal(losses(model, collate(rows), WITH_PREFIX, changed, tau, prefix).flow, want)
    actions = rows[0].actions.clone()
    actions[:2] += 1.0
    rows[0] = dataclasses.replace(rows[0], actions=actions)
    found = losses(model, collate(rows), WITH_PREFIX, noise, tau, prefix).flow
    assert (found[0] - want[0]).abs() > 1e-4
    assert found[2] == want[2]


@torch.no_grad()
def test_an_empty_prefix_changes_nothing(model, noise, tau):
    batch = collate(samples(model.config.variant))
    want = losses(model, batch, POST, noise, tau).flow
    found = losses(model, batch, WITH_PREFIX, noise, tau, torch.zeros(3, dtype=torch.int64)).flow
    torch.testing.assert_close(found, want, rtol=1e-5, atol=1e-6)


def test_the_flow_loss_of_many_prefixes_is_their_mean(model):
    rows = samples(model.config.variant)
    rows[0] = dataclasses.replace(rows[0], action_weights=torch.rand(HORIZON, DIM))
    batch = collate(rows)
    generator = torch.Generator().manual_seed(4)
    noise = torch.randn(4, 3, HORIZON, DIM, generator=generator)
    tau = flow.sample_tau(12, generator).unflatten(0, (4, 3))
    prefix = sample_prefix((4, 3), 3, generator)
    assert prefix[:, 0].unique().numel() > 1
    alone = [
        losses(model, batch, WITH_PREFIX, n, t, p)
        for n, t, p in zip(noise, tau, prefix, strict=True)
    ]
    want = torch.stack([one.flow for one in alone])
    found = losses(model, batch, WITH_PREFIX, noise, tau, prefix)
    torch.testing.assert_close(found.flow, want.mean(dim=0))
    want_grads = grads(model, want.mean())
    for name, grad in grads(model, found.flow.mean()).items():
        assert grad == pytest.approx(want_grads[name], rel=1e-4, abs=1e-7), name


def test_the_loss_is_zero_if_all_weighted_actions_are_prefix(model, noise, tau):
    rows = samples(model.config.variant)
    weights = torch.zeros(HORIZON, DIM)
    weights[0] = 1.0
    rows[0] = dataclasses.replace(rows[0], action_weights=weights)
    cost = losses(model, collate(rows), WITH_PREFIX, noise, tau, torch.tensor([1, 0, 0]))
    assert cost.flow[0] == 0.0
    assert all(grad == grad for grad in grads(model, cost.total).values())  # None is NaN.


def test_prefixes_are_uniform():
    prefix = sample_prefix((40_000,), 3, torch.Generator().manual_seed(0))
    shares = torch.bincount(prefix) / len(prefix)
    assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.01)
    assert sample_prefix((2, 5), 0).tolist() == [[0] * 5] * 2


@pytest.mark.parametrize(
    ("config", "prefix", "message"),
    [
        (WITH_PREFIX, None, "found none with max_prefix 3"),
        (POST, torch.tensor([1, 1, 1]), "found some with max_prefix 0"),
        (WITH_PREFIX, torch.tensor([1, 1]), r"found \(2,\) prefixes for \(3,\) times"),
        (LossConfig(max_prefix=HORIZON), torch.tensor([1, 1, 1]), "below the horizon 5, found 5"),
    ],
)
def test_prefixes_that_do_not_fit(model, noise, tau, config, prefix, message):
    with pytest.raises(ValueError, match=message):
        losses(model, collate(samples(model.config.variant)), config, noise, tau, prefix)
    with pytest.raises(ValueError, match="max_prefix -1 is below 0"):
        LossConfig(max_prefix=-1)


def test_pictures_of_missing_cameras_are_not_embedded(model, monkeypatch):
    batch = collate(samples(model.config.variant))
    embedded = []
    embed = model.embed_images
    monkeypatch.setattr(model, "embed_images", lambda x: (embedded.append(x), embed(x))[1])
    run_language_model(model, batch)
    (pictures,) = embedded
    assert len(pictures) == 8  # Of nine: the third sample lacks its second camera.
    torch.testing.assert_close(pictures[-1], batch.images[2, 2])
