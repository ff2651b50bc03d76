"""The whole model: ways to read, and what the expert hears. Who depends on whom: test_laws."""

import subprocess
import sys

import pytest
import torch

from pi05_ros.model.pi05 import Context, Pi05, draw_weights

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
def test_reading_for_the_tail_only(tiny, embeddings, noise, tail):
    hidden, context = tiny.read(embeddings)
    found, short = tiny.read_tail(embeddings, tail)
    assert found.shape[1] == tail
    want = hidden[:, embeddings.shape[1] - tail :]
    torch.testing.assert_close(found, want, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        velocity(tiny, noise, context), velocity(tiny, noise, short), atol=1e-5, rtol=0
    )


@torch.inference_mode()
def test_the_expert_hears_the_time_and_every_action(tiny, embeddings, noise):
    _, context = tiny.read(embeddings)
    before = velocity(tiny, noise, context, tau=0.3)
    assert (before - velocity(tiny, noise, context, tau=0.4)).abs().max() > 1e-3
    changed = noise.clone()
    changed[:, -1] += 1.0  # The last action reaches the first: the expert is not causal.
    assert (before[:, 0] - velocity(tiny, changed, context)[:, 0]).abs().max() > 1e-5


@torch.inference_mode()
def test_a_batch_is_its_rows(tiny, embeddings, noise):
    _, context = tiny.read(embeddings)
    both = tiny.sample_actions(context, noise, 3)
    for row in range(2):
        _, alone = tiny.read(embeddings[row : row + 1])
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
