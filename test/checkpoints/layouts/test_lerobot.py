"""π0.5, π0 and π0-FAST against LeRobot's own code, if it is installed.

Small random weights, float32, several seeds: masked cameras, batches, padded prompts. Compared are
the chunk after 1 and 10 steps, the loss of each entry, every gradient, and text token by token.
LeRobot is on no list of ours. To run this, put its `src` on PYTHONPATH, on Python 3.12.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from speed import lerobot_model
from torch import Tensor

from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.model import flow
from pi05_ros.model.config import ExpertConfig, LanguageConfig, ModelConfig, VisionConfig
from pi05_ros.model.context import Context
from pi05_ros.model.decoding import decode_text
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import BEGIN
from pi05_ros.training.objective import losses
from pi05_ros.training.objective.batch import Batch, Targets

pytestmark = pytest.mark.skipif(bool(lerobot_model.why_not()), reason=lerobot_model.why_not())

TOLERANCE = 1e-5
HORIZON, DIM, VOCABULARY = 12, 10, 500
# Cameras a row (1: there), prompt a row (x: a token), heads that share a key.
CASES = {
    "plain": (("111",), ("xxxxxxxx",), 8),
    "masked camera": (("101",), ("xxxxxxxx",), 8),
    "padded prompt": (("111",), ("xxxxx...",), 8),
    "padding in the middle": (("011",), ("xx..xx.x",), 4),
    "batch": (("111", "110", "001"), ("xxxxxxxx", "xxx.....", "..xxxxx."), 2),
}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
seeds = pytest.mark.parametrize("seed", [0, 1, 2])


def make(variant: str, share: int, seed: int) -> Pi05:
    """Small, with random weights, adaptive norms included."""
    config = ModelConfig(
        variant=variant,
        vision=VisionConfig(42, 14, width=32, depth=2, heads=4, mlp_width=64),
        language=LanguageConfig(
            width=48,
            depth=3,
            mlp_width=96,
            heads=8,  # LeRobot's training pass knows no other number.
            kv_heads=8 // share,
            head_dim=16,
            vocabulary=VOCABULARY,
        ),
        expert=ExpertConfig(32, 64),
        action_dim=DIM,
        horizon=HORIZON,
        max_prompt_tokens=8,
    )
    model = Pi05(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.normal_(0.0, 0.1, generator=generator)
                if name.startswith("vision") and "norm" in name and name.endswith("weight"):
                    parameter.add_(1.0)
            else:
                scale = parameter.shape[1:].numel() ** -0.5
                parameter.normal_(0.0, scale, generator=generator)
    return model


def batch_of(case: tuple, seed: int, variant: str) -> Batch:
    cameras, prompts, _ = case
    generator = torch.Generator().manual_seed(100 + seed)
    there = torch.tensor([[letter == "1" for letter in row] for row in cameras])
    valid = torch.tensor([[letter == "x" for letter in row] for row in prompts])
    rows = len(there)
    images = torch.randint(
        0, 256, (*there.shape, 3, 42, 42), generator=generator, dtype=torch.uint8
    )
    tokens = torch.randint(4, VOCABULARY, valid.shape, generator=generator)
    actions = torch.randn(rows, HORIZON, DIM, generator=generator)
    state = torch.randn(rows, DIM, generator=generator) if variant == "pi0" else None
    return Batch(images, there, tokens, valid, state=state, actions=actions)


def inputs_of(batch: Batch) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor]:
    """Pictures and masks per camera, prompt and mask, as LeRobot's inputs."""
    images = batch.images.float() / 255.0 * 2.0 - 1.0
    return list(images.unbind(1)), list(batch.cameras.unbind(1)), batch.prompt, batch.prompt_valid


def read(model: Pi05, batch: Batch) -> Context:
    _, context = losses.run_language_model(model, batch)
    return context if batch.state is None else model.append_state_token(context, batch.state)


def draw_noise(batch: Batch, seed: int) -> Tensor:
    return torch.randn(batch.actions.shape, generator=torch.Generator().manual_seed(200 + seed))


@torch.inference_mode()
@seeds
@cases
@pytest.mark.parametrize("variant", ["pi05", "pi0"])
def test_chunks(variant, case, seed):
    model, batch = make(variant, case[2], seed), batch_of(case, seed, variant)
    theirs = lerobot_model.build(model, torch.float32)
    state = [] if batch.state is None else [batch.state]
    noise, context = draw_noise(batch, seed), read(model, batch)
    for steps in (1, 10):
        want = theirs.sample_actions(
            *inputs_of(batch), *state, noise=noise.clone(), num_steps=steps
        )
        found = model.sample_actions(context, noise, steps)
        torch.testing.assert_close(found, want, atol=TOLERANCE, rtol=0)
        assert (want - noise).std() > 0.1


@seeds
@cases
@pytest.mark.parametrize("variant", ["pi05", "pi0"])
def test_loss_and_gradients(variant, case, seed):
    model, batch = make(variant, case[2], seed), batch_of(case, seed, variant)
    theirs = lerobot_model.build(model, torch.float32).requires_grad_(True)
    noise = draw_noise(batch, seed)
    tau = flow.sample_tau(len(noise), torch.Generator().manual_seed(300 + seed))
    time = 1.0 - tau
    state = [] if batch.state is None else [batch.state]
    want = theirs(*inputs_of(batch), *state, batch.actions, noise, time)
    want.mean().backward()
    tau = 1.0 - time.double()  # The same bits as theirs.
    _, context = losses.run_language_model(model, batch)
    errors = losses.flow_errors(model, context, batch, noise, tau)
    torch.testing.assert_close(errors, want, atol=TOLERANCE, rtol=1e-5)
    config = losses.LossConfig(alpha=1.0, insulated=False)
    losses.losses(model, batch, config, noise, tau).total.backward()
    compare_gradients(model, theirs)


def compare_gradients(model: Pi05, theirs: torch.nn.Module) -> None:
    loud = 0
    for name, parameter in model.named_parameters():
        want = theirs.get_parameter(public_name(name)).grad
        found = parameter.grad
        want = torch.zeros_like(parameter) if want is None else want
        found = torch.zeros_like(parameter) if found is None else found
        torch.testing.assert_close(
            found, want, atol=1e-6 + 1e-4 * want.abs().max().item(), rtol=0, msg=name
        )
        loud += bool(want.abs().max() > 1e-3)
    assert loud > 20


@seeds
@cases
def test_pi0_fast_loss_and_gradients(case, seed):
    """LeRobot's FAST tokens begin with <bos>, which is not predicted."""
    model, batch = make("pi0_fast", case[2], seed), batch_of(case, seed, "pi0_fast")
    rows = len(batch.prompt)
    generator = torch.Generator().manual_seed(400 + seed)
    tokens = torch.randint(4, VOCABULARY, (rows, 6), generator=generator)
    tokens[:, 0] = BEGIN
    valid = torch.ones_like(tokens, dtype=torch.bool)
    if rows > 1:
        valid[1, 4:] = False
    weights = valid.float()
    weights[:, 0] = 0.0
    targets = Targets(tokens, valid, weights, valid)
    batch = dataclasses.replace(batch, targets=targets, actions=None)
    theirs = lerobot_model.build(model, torch.float32).requires_grad_(True)
    want = theirs(*inputs_of(batch), tokens, valid)["loss"]
    want.backward()
    hidden, context = losses.run_language_model(model, batch)
    entropies = losses.cross_entropy(model, hidden, context, targets)
    found = entropies.sum() / weights.sum()  # By token, where ours counts by sample.
    assert found.item() == pytest.approx(want.item(), abs=TOLERANCE)
    found.backward()
    compare_gradients(model, theirs)


@torch.inference_mode()
@seeds
def test_pi0_fast_decodes_the_same_tokens(seed):
    model, batch = make("pi0_fast", 8, seed), batch_of(CASES["masked camera"], seed, "pi0_fast")
    for layer in model.language.layers:  # Louder, or each token would only repeat the last.
        layer.mlp.down.weight.mul_(8.0)
    theirs = lerobot_model.build(model, torch.float32)
    theirs._paligemma_tokenizer = SimpleNamespace(
        bos_token_id=BEGIN, convert_tokens_to_ids=lambda text: -1
    )
    pictures = model.embed_images(batch.images[batch.cameras]).flatten(0, 1)[None]
    prompt = torch.cat([batch.prompt, torch.tensor([[BEGIN]])], dim=1)
    prefix = torch.cat([pictures, model.language.embed(prompt)], dim=1)
    found = decode_text(model, *model.prefill(prefix, tail=1), end=-1, limit=10)
    for write in (theirs.sample_actions_fast, theirs.sample_actions_fast_kv_cache):
        want = write(*inputs_of(batch), max_decoding_steps=10)
        assert list(found.tokens) == want[0].tolist()
    assert len(set(found.tokens)) > 3
