"""Plain, padded and compiled passes agree; a new prompt compiles and captures nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pi05_ros.errors import ConfigError
from pi05_ros.inference.chunk_prefix import ChunkPrefix
from pi05_ros.inference.graph_passes import GraphPasses, Launch, make_passes
from pi05_ros.inference.passes import Passes
from pi05_ros.model.config import load_preset
from pi05_ros.model.context import Context
from pi05_ros.model.decoding import decode
from pi05_ros.model.guidance import soft_mask
from pi05_ros.model.pi05 import Pi05, draw_weights

NEVER = -1
SCENES = [(3, 20), (1, 9), (2, 130), (3, 24)]  # Pictures, tokens of the prompt.


class CountingCapture:
    """Replaces CudaCapture without a GPU: runs the launch again, and counts captures."""

    def __init__(self) -> None:
        self.captured = 0

    def __call__(self, launch: Launch) -> Launch:
        self.captured += 1
        return launch


@pytest.fixture(scope="module", params=["pi05", "pi0"])
def model(request) -> Pi05:
    model = Pi05(replace(load_preset("tiny"), variant=request.param))
    draw_weights(model, seed=0, adaptive_scale=1.0)
    return model.eval().requires_grad_(False)


def scene(model: Pi05, count: int, length: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Pictures, prompt, noise, and for π0 a state."""
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    side = config.vision.image_size
    images = torch.randint(0, 256, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    tokens = torch.randint(4, 3000, (1, length), generator=generator)
    noise = torch.randn(1, config.horizon, config.action_dim, generator=generator)
    state = torch.randn(1, config.action_dim, generator=generator)
    return images, tokens, noise, state if config.variant == "pi0" else None


def sample(passes: Passes, images, tokens, noise, state, prefix=None) -> torch.Tensor:
    return passes.prefill_for_actions(passes.embed(images), tokens, state)(noise, prefix)


def random_prefix(
    noise: torch.Tensor, trained: bool, committed: int = 8, seed: int = 0
) -> ChunkPrefix:
    """A random chunk; trained: the committed rows are known, else more rows have soft weights."""
    generator = torch.Generator().manual_seed(seed)
    actions, horizon = torch.randn(noise.shape, generator=generator), noise.shape[1]
    mask = soft_mask(committed, committed if trained else 30, horizon)
    return ChunkPrefix(actions, mask[None, :, None].expand_as(noise), trained)


def decode_text(passes: Passes, images, tokens, count: int = 6) -> tuple[tuple[int, ...], float]:
    decoded = decode(
        *passes.prefill_for_text(passes.embed(images), tokens), end=NEVER, limit=count
    )
    return decoded.tokens, decoded.score


@torch.inference_mode()
def test_fixed_shapes_change_nothing(model):
    """Padding of the prompt and free positions for text, scenes in any order, repeated."""
    plain, fixed = Passes(model), GraphPasses(model, CountingCapture(), compiled=False)
    for round_ in range(2):
        for count, length in SCENES:
            given = scene(model, count, length, seed=10 * round_ + length)
            torch.testing.assert_close(
                sample(fixed, *given), sample(plain, *given), atol=2e-5, rtol=0
            )
            want, got = decode_text(plain, *given[:2]), decode_text(fixed, *given[:2])
            assert got[0] == want[0]
            assert got[1] == pytest.approx(want[1], abs=1e-6)


@torch.inference_mode()
@pytest.mark.parametrize("trained", [False, True])
def test_fixed_shapes_change_nothing_with_a_prefix(model, trained):
    plain, fixed = Passes(model), GraphPasses(model, CountingCapture(), compiled=False)
    for round_, (count, length) in enumerate(2 * SCENES):
        given = scene(model, count, length, seed=round_)
        prefix = random_prefix(given[2], trained, committed=5 + round_, seed=round_)
        want = sample(plain, *given, prefix)
        torch.testing.assert_close(sample(fixed, *given, prefix), want, atol=1e-4, rtol=0)
        # Buffers are unchanged.
        torch.testing.assert_close(sample(fixed, *given), sample(plain, *given), atol=2e-5, rtol=0)


@torch.inference_mode()
def test_prefix_actions_have_time_one(model):
    """Against a plain loop of Euler steps."""
    passes, given = Passes(model), scene(model, 2, 20)
    prefix = random_prefix(given[2], trained=True)
    found = sample(passes, *given, prefix)
    context = Context(passes._prefill_caches(passes.embed(given[0]).tokens, given[1]))
    if given[3] is not None:
        context = model.append_state_token(context, given[3])
    x, steps = given[2].clone(), model.config.flow_steps
    for step in range(steps):
        tau = torch.full((1, x.shape[1]), step / steps, dtype=torch.float64)
        x[:, :8], tau[:, :8] = prefix.actions[:, :8], 1.0
        x = x - model.velocity(x, model.modulate(tau), context) / steps
    torch.testing.assert_close(found[:, 8:], x[:, 8:], atol=2e-4, rtol=0)
    assert torch.equal(found[:, :8], prefix.actions[:, :8])
    free = sample(passes, *given)
    assert (found - free)[:, 8:].abs().max() > 1e-3  # They affect the others.
    nothing = random_prefix(given[2], trained=True, committed=0)
    torch.testing.assert_close(sample(passes, *given, nothing), free, atol=2e-5, rtol=0)


@torch.inference_mode()
def test_guided_rows_come_near_and_keep_no_gradient(model):
    passes, given = Passes(model), scene(model, 2, 20)
    prefix = random_prefix(given[2], trained=False)
    free, guided = sample(passes, *given), sample(passes, *given, prefix)
    assert not guided.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())

    def off(actions: torch.Tensor) -> float:
        return (actions - prefix.actions)[:, :8].abs().mean().item()

    assert off(guided) < 0.1 * off(free)
    nothing = ChunkPrefix(prefix.actions, torch.zeros_like(prefix.weights), trained=False)
    torch.testing.assert_close(sample(passes, *given, nothing), free, atol=2e-5, rtol=0)


@torch.inference_mode()
def test_text_survives_a_chunk_between_two_tokens(model):
    fixed = GraphPasses(model, CountingCapture(), compiled=False)
    given = scene(model, 2, 20)
    logits, step = fixed.prefill_for_text(fixed.embed(given[0]), given[1])
    undisturbed = [step(torch.tensor([[token]])).clone() for token in (5, 6, 7)]
    again, step = fixed.prefill_for_text(fixed.embed(given[0]), given[1])
    torch.testing.assert_close(again, logits, atol=0, rtol=0)
    for token, want in zip((5, 6, 7), undisturbed, strict=True):
        sample(fixed, *scene(model, 2, 20, seed=token))
        torch.testing.assert_close(step(torch.tensor([[token]])), want, atol=0, rtol=0)


@torch.inference_mode()
def test_all_shapes_are_captured_in_the_warm_up(model):
    capture = CountingCapture()
    fixed = GraphPasses(model, capture, compiled=False)
    for count, length in fixed.shapes(3):
        given = scene(model, count, length)
        sample(fixed, *given)
        decode_text(fixed, *given[:2])
    before = capture.captured
    assert before == 3 + 3 * len(fixed._lengths) * 4
    for count, length in SCENES:
        given = scene(model, count, length)
        sample(fixed, *given)
        decode_text(fixed, *given[:2])
    assert capture.captured == before


@torch.inference_mode()
def test_chunks_with_a_prefix_are_captured_in_the_warm_up(model):
    """One more capture per shape; the length of the prefix is not a shape."""
    capture = CountingCapture()
    fixed = GraphPasses(model, capture, compiled=False)
    for count, length in fixed.shapes(3):
        given = scene(model, count, length)
        sample(fixed, *given)
        sample(fixed, *given, random_prefix(given[2], trained=True))
    before = capture.captured
    assert before == 3 + 3 * len(fixed._lengths) * 3
    for index, (count, length) in enumerate(SCENES):
        given = scene(model, count, length)
        for trained in (False, True):
            sample(fixed, *given, random_prefix(given[2], trained, committed=index))
    assert capture.captured == before


@pytest.mark.timeout(300)  # It compiles.
@pytest.mark.parametrize("model", ["pi05"], indirect=True)
@torch.inference_mode()
def test_captured_passes_can_be_compiled(model):
    """All shapes: more than torch's limit of recompilations of one function."""
    plain, fixed = Passes(model), GraphPasses(model, CountingCapture(), compiled=True)
    shapes = list(fixed.shapes(3))
    assert len(shapes) > torch._dynamo.config.recompile_limit
    for count, length in shapes:
        given = scene(model, count, length)
        torch.testing.assert_close(sample(fixed, *given), sample(plain, *given), atol=2e-5, rtol=0)
        assert decode_text(fixed, *given[:2])[0] == decode_text(plain, *given[:2])[0]


@pytest.mark.parametrize("model", ["pi05"], indirect=True)
@torch.inference_mode()
def test_frozen_weights_are_each_models_own(model):
    """Two engines in one process, as after a node is configured again with another checkpoint."""
    other = Pi05(model.config)
    draw_weights(other, seed=7, adaptive_scale=1.0)
    other.eval().requires_grad_(False)
    given = scene(model, 2, 20)
    token = torch.tensor([[5]])
    results = []
    for each in (model, other):
        compiled = Passes(each, compiled=True)
        _, caches = compiled._prefill_text_pass(each.embed_images(given[0]), given[1])
        with compiled.compiling():
            step = compiled._fixed_size_step(caches, each.embed_images(given[0]), given[1], False)
            found = step(token)
        torch.testing.assert_close(found, compiled._decode_step_pass(token, caches)[0])
        results.append(found)
    assert (results[0] - results[1]).abs().max() > 0.1


def test_graphs_require_a_gpu(model):
    with pytest.raises(ConfigError, match="wants the model on a CUDA device, found it on cpu"):
        make_passes(model, "graphs")
