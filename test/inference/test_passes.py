"""Plain, padded and compiled passes say the same; a new prompt compiles and records nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pi05_ros.errors import ConfigError
from pi05_ros.inference.graph_passes import GraphPasses, Launch, make_passes
from pi05_ros.inference.leads import Lead
from pi05_ros.inference.passes import Passes
from pi05_ros.model.config import load_preset
from pi05_ros.model.decoding import decode
from pi05_ros.model.guidance import soft_mask
from pi05_ros.model.pi05 import Context, Pi05, draw_weights

NEVER = -1
SCENES = [(3, 20), (1, 9), (2, 130), (3, 24)]  # Pictures, tokens of the prompt.


class Recorder:
    """Stands for CudaCapture where there is no GPU: does the launch again, and counts."""

    def __init__(self) -> None:
        self.recorded = 0

    def __call__(self, launch: Launch) -> Launch:
        self.recorded += 1
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


def draw(passes: Passes, images, tokens, noise, state, lead=None) -> torch.Tensor:
    return passes.read_for_actions(passes.embed(images), tokens, state)(noise, lead)


def lead_of(noise: torch.Tensor, trained: bool, committed: int = 8, seed: int = 0) -> Lead:
    """Rows drawn at random, of which the committed ones are known or some more bind softly."""
    generator = torch.Generator().manual_seed(seed)
    rows, horizon = torch.randn(noise.shape, generator=generator), noise.shape[1]
    mask = soft_mask(committed, committed if trained else 30, horizon)
    return Lead(rows, mask[None, :, None].expand_as(noise), trained)


def say(passes: Passes, images, tokens, count: int = 6) -> tuple[tuple[int, ...], float]:
    decoded = decode(*passes.read_for_text(passes.embed(images), tokens), end=NEVER, limit=count)
    return decoded.tokens, decoded.score


@torch.inference_mode()
def test_fixed_shapes_change_nothing(model):
    """Padding of the prompt and room for text, in any order of scenes, read again and again."""
    plain, fixed = Passes(model), GraphPasses(model, Recorder(), compiled=False)
    for round_ in range(2):
        for count, length in SCENES:
            given = scene(model, count, length, seed=10 * round_ + length)
            torch.testing.assert_close(draw(fixed, *given), draw(plain, *given), atol=2e-5, rtol=0)
            want, got = say(plain, *given[:2]), say(fixed, *given[:2])
            assert got[0] == want[0]
            assert got[1] == pytest.approx(want[1], abs=1e-6)


@torch.inference_mode()
@pytest.mark.parametrize("trained", [False, True])
def test_fixed_shapes_change_nothing_of_a_chunk_that_goes_on(model, trained):
    plain, fixed = Passes(model), GraphPasses(model, Recorder(), compiled=False)
    for round_, (count, length) in enumerate(2 * SCENES):
        given = scene(model, count, length, seed=round_)
        lead = lead_of(given[2], trained, committed=5 + round_, seed=round_)
        want = draw(plain, *given, lead)
        torch.testing.assert_close(draw(fixed, *given, lead), want, atol=1e-4, rtol=0)
        # Buffers are as they were.
        torch.testing.assert_close(draw(fixed, *given), draw(plain, *given), atol=2e-5, rtol=0)


@torch.inference_mode()
def test_known_rows_stand_at_time_one(model):
    """One Euler step after the other, as the maths says."""
    passes, given = Passes(model), scene(model, 2, 20)
    lead = lead_of(given[2], trained=True)
    found = draw(passes, *given, lead)
    context = Context(passes._read_memory(passes.embed(given[0]), given[1]))
    if given[3] is not None:
        context = model.append_state_token(context, given[3])
    x, steps = given[2].clone(), model.config.flow_steps
    for step in range(steps):
        tau = torch.full((1, x.shape[1]), step / steps, dtype=torch.float64)
        x[:, :8], tau[:, :8] = lead.rows[:, :8], 1.0
        x = x - model.velocity(x, model.modulate(tau), context) / steps
    torch.testing.assert_close(found[:, 8:], x[:, 8:], atol=2e-4, rtol=0)
    assert torch.equal(found[:, :8], lead.rows[:, :8])
    free = draw(passes, *given)
    assert (found - free)[:, 8:].abs().max() > 1e-3  # The others hear them.
    nothing = lead_of(given[2], trained=True, committed=0)
    torch.testing.assert_close(draw(passes, *given, nothing), free, atol=2e-5, rtol=0)


@torch.inference_mode()
def test_guided_rows_come_near_and_leave_no_gradient(model):
    passes, given = Passes(model), scene(model, 2, 20)
    lead = lead_of(given[2], trained=False)
    free, guided = draw(passes, *given), draw(passes, *given, lead)
    assert not guided.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())

    def off(actions: torch.Tensor) -> float:
        return (actions - lead.rows)[:, :8].abs().mean().item()

    assert off(guided) < 0.1 * off(free)
    nothing = Lead(lead.rows, torch.zeros_like(lead.weights), trained=False)
    torch.testing.assert_close(draw(passes, *given, nothing), free, atol=2e-5, rtol=0)


@torch.inference_mode()
def test_text_survives_a_chunk_between_two_tokens(model):
    fixed = GraphPasses(model, Recorder(), compiled=False)
    given = scene(model, 2, 20)
    logits, write = fixed.read_for_text(fixed.embed(given[0]), given[1])
    undisturbed = [write(torch.tensor([[token]])).clone() for token in (5, 6, 7)]
    again, write = fixed.read_for_text(fixed.embed(given[0]), given[1])
    torch.testing.assert_close(again, logits, atol=0, rtol=0)
    for token, want in zip((5, 6, 7), undisturbed, strict=True):
        draw(fixed, *scene(model, 2, 20, seed=token))
        torch.testing.assert_close(write(torch.tensor([[token]])), want, atol=0, rtol=0)


@torch.inference_mode()
def test_all_shapes_are_recorded_in_the_warm_up(model):
    recorder = Recorder()
    fixed = GraphPasses(model, recorder, compiled=False)
    for count, length in fixed.shapes(3):
        given = scene(model, count, length)
        draw(fixed, *given)
        say(fixed, *given[:2])
    before = recorder.recorded
    assert before == 3 + 3 * len(fixed._lengths) * 4
    for count, length in SCENES:
        given = scene(model, count, length)
        draw(fixed, *given)
        say(fixed, *given[:2])
    assert recorder.recorded == before


@torch.inference_mode()
def test_chunks_that_go_on_are_recorded_in_the_warm_up(model):
    """One launch for each shape more; how many rows are known is no shape."""
    recorder = Recorder()
    fixed = GraphPasses(model, recorder, compiled=False)
    for count, length in fixed.shapes(3):
        given = scene(model, count, length)
        draw(fixed, *given)
        draw(fixed, *given, lead_of(given[2], trained=True))
    before = recorder.recorded
    assert before == 3 + 3 * len(fixed._lengths) * 3
    for index, (count, length) in enumerate(SCENES):
        given = scene(model, count, length)
        for trained in (False, True):
            draw(fixed, *given, lead_of(given[2], trained, committed=index))
    assert recorder.recorded == before


@pytest.mark.parametrize("model", ["pi05"], indirect=True)
@torch.inference_mode()
def test_what_is_recorded_can_be_compiled(model):
    """All shapes: more than torch lets a function be compiled for."""
    plain, fixed = Passes(model), GraphPasses(model, Recorder(), compiled=True)
    shapes = list(fixed.shapes(3))
    assert len(shapes) > torch._dynamo.config.recompile_limit
    for count, length in shapes:
        given = scene(model, count, length)
        torch.testing.assert_close(draw(fixed, *given), draw(plain, *given), atol=2e-5, rtol=0)
        assert say(fixed, *given[:2])[0] == say(plain, *given[:2])[0]


@pytest.mark.parametrize("model", ["pi05"], indirect=True)
@torch.inference_mode()
def test_frozen_weights_are_each_models_own(model):
    """Two engines in one process, as when a node is configured anew with another checkpoint."""
    other = Pi05(model.config)
    draw_weights(other, seed=7, adaptive_scale=1.0)
    other.eval().requires_grad_(False)
    given = scene(model, 2, 20)
    token = torch.tensor([[5]])
    drawn = []
    for each in (model, other):
        compiled = Passes(each, compiled=True)
        read = compiled._read_text_pass(each.embed_images(given[0]), given[1])
        with compiled.compiling():
            write = compiled._cached_writer(read[1], each.embed_images(given[0]), given[1], False)
            found = write(token)
        torch.testing.assert_close(found, compiled._write_pass(token, read[1])[0])
        drawn.append(found)
    assert (drawn[0] - drawn[1]).abs().max() > 0.1


def test_graphs_want_a_gpu(model):
    with pytest.raises(ConfigError, match="wants the model on a CUDA device, found it on cpu"):
        make_passes(model, "graphs")
