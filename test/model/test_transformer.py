"""The parts of the layers, computed by hand or by a plain loop."""

import math

import numpy as np
import pytest
import torch

from pi05_ros.model.config import VisionConfig
from pi05_ros.model.expert import AdaptiveRMSNorm, embed_time
from pi05_ros.model.transformer import Attention, GatedMLP, RMSNorm, rotate, rotation_of
from pi05_ros.model.vision import VisionTower


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_rotary_positions_by_hand():
    # Two pairs: (x0, x2) turns by the position, (x1, x3) by a hundredth of it (10000^(-2/4)).
    x = torch.tensor([[[[1.0, 0.0, 0.0, 1.0]]]])
    found = rotate(x, rotation_of(torch.tensor([3]), head_dim=4))[0, 0, 0]
    want = [math.cos(3), -math.sin(0.03), math.sin(3), math.cos(0.03)]
    torch.testing.assert_close(found, torch.tensor(want))


def test_scores_depend_on_distance_only():
    queries, keys = draw(1, 1, 1, 8), draw(1, 1, 1, 8, seed=1)

    def score(query_at: int, key_at: int) -> float:
        turned = [
            rotate(x, rotation_of(torch.tensor([at]), 8))
            for x, at in ((queries, query_at), (keys, key_at))
        ]
        return float((turned[0] * turned[1]).sum())

    assert score(5, 2) == pytest.approx(score(105, 102), abs=1e-4)
    assert score(5, 2) != pytest.approx(score(5, 4), abs=1e-2)


def test_rms_norm_by_hand():
    norm = RMSNorm(2)
    norm.weight.data = torch.tensor([0.0, 1.0])
    found, gate = norm(torch.tensor([[[3.0, 4.0]]]))
    rms = math.sqrt(12.5)
    torch.testing.assert_close(found, torch.tensor([[[3 / rms, 2 * 4 / rms]]]))
    assert gate is None


def test_adaptive_norm_by_hand():
    norm = AdaptiveRMSNorm(2)
    modulation = torch.tensor([[[1.0, 0.0, 10.0, 20.0, 0.5, 0.25]]])  # Scale, shift, gate.
    found, gate = norm(torch.tensor([[[3.0, 4.0]]]), modulation)
    rms = math.sqrt(12.5)
    torch.testing.assert_close(found, torch.tensor([[[2 * 3 / rms + 10, 4 / rms + 20]]]))
    assert gate.tolist() == [[[0.5, 0.25]]]
    with pytest.raises(ValueError, match="no modulation"):
        norm(torch.ones(1, 1, 2), None)


def test_grouped_attention_by_plain_loops():
    """Each head by itself in numpy: head h uses keys h // 2; softmax(q·k / √D) · v."""
    attention = Attention(width=12, heads=4, kv_heads=2, head_dim=6)
    x = draw(1, 5, 12)
    rotation = rotation_of(torch.arange(5), 6)
    with torch.no_grad():
        cache = attention.append(x, rotation, None)
        found = attention(x, rotation, cache, None)[0].numpy()
        queries = rotate(attention.query(x).view(1, 5, 4, 6).transpose(1, 2), rotation)[0].numpy()
    heads = []
    for head in range(4):
        keys, values = (part[0, head // 2].numpy() for part in cache)
        scores = queries[head] @ keys.T / math.sqrt(6)
        weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        heads.append(weights @ values)
    want = np.concatenate(heads, axis=-1) @ attention.output.weight.detach().numpy().T
    np.testing.assert_allclose(found, want, atol=1e-6)


def test_gated_mlp_by_hand():
    mlp = GatedMLP(1, 1)
    for layer, weight in ((mlp.gate, 2.0), (mlp.up, 3.0), (mlp.down, 5.0)):
        layer.weight.data.fill_(weight)
    gelu = 0.5 * 2.0 * (1 + math.tanh(math.sqrt(2 / math.pi) * (2.0 + 0.044715 * 8.0)))
    assert mlp(torch.ones(1, 1, 1)).item() == pytest.approx(5.0 * gelu * 3.0, rel=1e-6)


def test_time_embedding_at_its_two_ends():
    # Width 4: the periods are 0.004 and 4, so that time 1 is 250 turns and a quarter turn.
    found = embed_time(torch.tensor([1.0, 0.001]), 4)
    quarter = 2 * math.pi * 0.001 / 4
    want = [[0, 1, 1, 0], [1, math.sin(quarter), 0, math.cos(quarter)]]
    torch.testing.assert_close(found, torch.tensor(want, dtype=torch.float64), atol=1e-6, rtol=0)


def test_patches_come_row_by_row():
    config = VisionConfig(image_size=6, patch_size=2, width=4, depth=1, heads=1, mlp_width=4)
    tower = VisionTower(config, language_width=5)
    picture = torch.zeros(1, 3, 6, 6)
    picture[:, :, 0:2, 4:6] = 1.0  # The last patch of the first row.
    patches = []
    tower.layers[0].register_forward_pre_hook(lambda _, inputs: patches.append(inputs[0]))
    with torch.no_grad():
        assert tower(picture).shape == (1, 9, 5)
        tower(torch.zeros(1, 3, 6, 6))
    changed = (patches[0] - patches[1]).abs().sum(-1)[0] > 1e-6
    assert changed.tolist() == [False, False, True, *[False] * 6]


def test_pictures_are_scaled_to_plus_minus_one_and_text_by_its_width(tiny):
    seen = []
    hook = tiny.vision.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        tiny.embed_images(
            torch.tensor([0, 51, 255], dtype=torch.uint8).repeat(1, 3, 28, 10)[..., :28]
        )
        text = tiny.language.embed(torch.tensor([[7]]))[0, 0]
    hook.remove()
    torch.testing.assert_close(seen[0][0, 0, 0, :3], torch.tensor([-1.0, -0.6, 1.0]))
    want = tiny.language.embedding.weight[7] * math.sqrt(tiny.config.language.width)
    torch.testing.assert_close(text, want)
