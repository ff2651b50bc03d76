"""The whole model: prefill, sampling, inputs of the expert. See also test_laws."""

import subprocess
import sys

import pytest
import torch

from pi05_ros.model.context import Context
from pi05_ros.model.pi05 import Pi05, draw_weights

PREFIX, TARGETS = 9, 4


@pytest.fixture
def embeddings(tiny: Pi05) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    width = tiny.config.language.width
    return torch.randn(2, PREFIX + TARGETS, width, generator=generator)


@pytest.fixture
def noise(tiny: Pi05) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(2, 50, tiny.config.action_dim, generator=generator)


def velocity(model: Pi05, noise: torch.Tensor, context: Context, tau: float = 0.3) -> torch.Tensor:
    times = torch.full((len(noise),), tau)
    return model.velocity(noise, model.expert.modulate(times), context)


@torch.inference_mode()
@pytest.mark.parametrize("tail", [0, 1, 3])
def test_prefill_for_the_tail_only(tiny, embeddings, noise, tail):
    hidden, context = tiny.prefill(embeddings)
    found, short = tiny.prefill(embeddings, tail=tail)
    assert found.shape[1] == tail
    want = hidden[:, embeddings.shape[1] - tail :]
    torch.testing.assert_close(found, want, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        velocity(tiny, noise, context), velocity(tiny, noise, short), atol=1e-5, rtol=0
    )


@torch.inference_mode()
def test_the_expert_depends_on_the_time_and_every_action(tiny, embeddings, noise):
    _, context = tiny.prefill(embeddings)
    before = velocity(tiny, noise, context, tau=0.3)
    assert (before - velocity(tiny, noise, context, tau=0.4)).abs().max() > 1e-3
    changed = noise.clone()
    changed[:, -1] += 1.0  # The last action reaches the first: the expert is not causal.
    assert (before[:, 0] - velocity(tiny, changed, context)[:, 0]).abs().max() > 1e-5


@torch.inference_mode()
def test_a_batch_is_its_rows(tiny, embeddings, noise):
    _, context = tiny.prefill(embeddings)
    both = tiny.sample_actions(context, noise, 3)
    for row in range(2):
        _, alone = tiny.prefill(embeddings[row : row + 1])
        found = tiny.sample_actions(alone, noise[row : row + 1], 3)
        torch.testing.assert_close(both[row : row + 1], found, atol=1e-5, rtol=0)


def test_weights_follow_their_seed(tiny):
    first, second, third = (Pi05(tiny.config) for _ in range(3))
    draw_weights(first, seed=3)
    draw_weights(second, seed=3)
    draw_weights(third, seed=4)
    for name, parameter in first.named_parameters():
        assert torch.equal(parameter, second.get_parameter(name)), name
    assert not torch.equal(first.language.embedding.weight, third.language.embedding.weight)
    assert first.expert.norm.modulation.weight.abs().max() == 0  # Closed gates to begin with.


def test_importing_the_model_loads_neither_ros_nor_a_simulator():
    code = "import sys, pi05_ros.model.pi05; print({'rclpy', 'mujoco'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.fixture(params=["pi05", "pi0"])
def acting(request, tiny, tiny_pi0, embeddings) -> tuple[Pi05, Context]:
    """A model with an expert, and a context for it."""
    model = tiny if request.param == "pi05" else tiny_pi0
    context = model.prefill(embeddings)[1]
    if request.param == "pi0":
        context = model.append_state_token(context, embeddings[:, 0, : model.config.action_dim])
    return model, context


@torch.inference_mode()
def test_one_time_for_each_action_or_for_all(acting, noise):
    model, context = acting
    tau = torch.tensor([0.3, 0.7], dtype=torch.float64)
    modulation = model.modulate(tau)
    assert modulation.shape[1:3] == (2, 1)
    by_action = model.modulate(tau[:, None].expand(2, 50))
    assert by_action.shape[1:3] == (2, 50)
    torch.testing.assert_close(by_action, modulation.expand_as(by_action), atol=1e-6, rtol=0)
    want = model.velocity(noise, modulation, context)
    # Spread over the actions, a time is the same to the last bit.
    assert torch.equal(model.velocity(noise, modulation.expand_as(by_action), context), want)
    torch.testing.assert_close(model.velocity(noise, by_action, context), want, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_each_action_depends_mostly_on_its_own_time(acting, noise):
    """A time reaches the others through attention only: less than its own action by far."""
    model, context = acting
    tau = torch.full((2, 50), 0.3, dtype=torch.float64)
    before = model.velocity(noise, model.modulate(tau), context)
    tau[0, 7] = 1.0
    moved = (model.velocity(noise, model.modulate(tau), context) - before).abs().amax(dim=-1)
    assert moved[1].max() == 0.0  # Another entry of the batch.
    others = torch.arange(50) != 7
    assert 0.0 < moved[0, others].max() < 0.5 * moved[0, 7]
