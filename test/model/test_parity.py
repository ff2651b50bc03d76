"""The architecture against the public one: LeRobot's PI05 on small random weights, float32.

The weights and the case lie outside the repository, in `shared/reference` beside it or where
PI05_REFERENCE points. Its README describes how they were made and how sensitive they are.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from pi05_ros.checkpoints.checkpoint import read_contents
from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.checkpoints.storage.weights import WEIGHTS, load_model
from pi05_ros.model.config import (
    ExpertConfig,
    LanguageConfig,
    ModelConfig,
    VisionConfig,
    load_preset,
)
from pi05_ros.model.context import Context
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.objective import losses
from pi05_ros.training.objective.batch import Batch

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("PI05_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
SAMPLED = slice(None, None, 37)  # The case keeps every 37th position of the prefix.
TOLERANCE = 1e-5

pytestmark = pytest.mark.skipif(
    not (REFERENCE / "pi05_tiny.json").is_file(),
    reason=f"no reference case in {REFERENCE} (set PI05_REFERENCE)",
)


@pytest.fixture(scope="module")
def facts() -> dict:
    return json.loads((REFERENCE / "pi05_tiny.json").read_text())


@pytest.fixture(scope="module")
def case() -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(REFERENCE / "pi05_tiny_case.safetensors")


@pytest.fixture(scope="module")
def model(facts: dict, tmp_path_factory: pytest.TempPathFactory) -> Pi05:
    sizes = facts["config"]
    config = ModelConfig(
        name="reference",
        vision=VisionConfig(
            image_size=facts["image_px"],
            patch_size=sizes["vision"]["patch_size"],
            width=sizes["vision"]["hidden_size"],
            depth=sizes["vision"]["num_hidden_layers"],
            heads=sizes["vision"]["num_attention_heads"],
            mlp_width=sizes["vision"]["intermediate_size"],
        ),
        language=LanguageConfig(
            width=sizes["vlm"]["width"],
            depth=sizes["vlm"]["depth"],
            mlp_width=sizes["vlm"]["mlp_dim"],
            heads=sizes["vlm"]["num_heads"],
            kv_heads=sizes["vlm"]["num_kv_heads"],
            head_dim=sizes["vlm"]["head_dim"],
            vocabulary=sizes["vocab"],
        ),
        expert=ExpertConfig(sizes["expert"]["width"], sizes["expert"]["mlp_dim"]),
        action_dim=sizes["action_dim"],
        horizon=sizes["horizon"],
        flow_steps=sizes["steps"],
        max_prompt_tokens=sizes["tokens"],
    )
    # Through the loader, as LeRobot's own folder would be.
    folder = tmp_path_factory.mktemp("reference")
    (folder / "config.json").write_text('{"type": "pi05"}')
    (folder / WEIGHTS).symlink_to(REFERENCE / "pi05_tiny_weights.safetensors")
    contents = read_contents(folder, config)
    return load_model(config, contents.tensors, torch.float32, "cpu")


def prefill(
    model: Pi05, case: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, Context]:
    """Prefill the case's prefix: embeddings, hidden states, context."""
    pictures = [model.embed_images(images) for images in case["inputs.images_u8"]]
    text = model.language.embed(case["inputs.tokens"])
    valid = [
        m[:, None].expand(-1, p.shape[1])
        for m, p in zip(case["inputs.image_masks"], pictures, strict=True)
    ]
    valid = torch.cat([*valid, case["inputs.token_mask"]], dim=1)
    assert torch.equal(valid, case["outputs.prefix_pad_mask"])
    embeddings = torch.cat([*pictures, text], dim=1)
    hidden, context = model.prefill(embeddings, valid)
    return embeddings, hidden, context


@torch.inference_mode()
def test_prefix_embeddings_and_caches(model, case):
    embeddings, _, context = prefill(model, case)
    want = case["outputs.prefix_embs_sample"]
    # Text is scaled to several units, so that float32 leaves 1e-5 of it.
    torch.testing.assert_close(embeddings[:, SAMPLED], want, atol=TOLERANCE, rtol=1e-5)
    valid = case["outputs.prefix_pad_mask"][0, SAMPLED]
    for index, layer in enumerate(context.caches):
        for ours, kind in ((layer.keys, "k"), (layer.values, "v")):
            want = case[f"outputs.cache{index}_{kind}_sample"][:, :, valid]
            torch.testing.assert_close(
                ours[:, :, SAMPLED][:, :, valid], want, atol=TOLERANCE, rtol=1e-5
            )


@torch.inference_mode()
def test_expert_inputs(model, case):
    tau = 1.0 - case["inputs.time"].double()
    condition = model.expert.condition(tau)
    torch.testing.assert_close(condition, case["outputs.adarms_cond"], atol=TOLERANCE, rtol=0)
    embedded = model.expert.action_in(case["inputs.noise"])
    torch.testing.assert_close(embedded, case["outputs.suffix_embs"], atol=TOLERANCE, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("steps", [1, 10])
def test_chunk(model, case, steps):
    _, _, context = prefill(model, case)
    chunk = model.sample_actions(context, case["inputs.noise"], steps)
    want = case[f"outputs.actions_steps{steps}"]
    torch.testing.assert_close(chunk, want, atol=TOLERANCE, rtol=0)


@torch.inference_mode()
def test_chunk_without_the_padding(model, case):
    """As in inference: padding and missing pictures left out, no mask."""
    embeddings, _, _ = prefill(model, case)
    valid = case["outputs.prefix_pad_mask"]
    _, context = model.prefill(embeddings[valid][None], tail=0)
    chunk = model.sample_actions(context, case["inputs.noise"], 10)
    want = case["outputs.actions_steps10"]
    torch.testing.assert_close(chunk, want, atol=TOLERANCE, rtol=0)


def test_loss_and_gradients(model, case, facts):
    """Through the pass that training runs; the public code insulates nothing."""
    batch = Batch(
        images=case["inputs.images_u8"].transpose(0, 1),
        cameras=case["inputs.image_masks"].transpose(0, 1),
        prompt=case["inputs.tokens"],
        prompt_valid=case["inputs.token_mask"],
        actions=case["inputs.actions"],
    )
    noise, tau = case["inputs.noise"], 1.0 - case["inputs.time"].double()
    model.zero_grad()
    _, context = losses.run_language_model(model, batch)
    errors = losses.flow_errors(model, context, batch, noise, tau)
    torch.testing.assert_close(errors, case["outputs.loss"], atol=TOLERANCE, rtol=1e-5)
    config = losses.LossConfig(alpha=1.0, insulated=False)
    found = losses.losses(model, batch, config, noise, tau)
    assert found.total.item() == pytest.approx(facts["scalars"]["outputs.loss_mean"], abs=1e-5)
    found.total.backward()
    want = facts["scalars"]["outputs.grad_norms"]
    for name, parameter in model.named_parameters():
        norm = 0.0 if parameter.grad is None else parameter.grad.norm().item()
        # A key's bias moves no softmax: its gradient is 0 but for rounding.
        assert norm == pytest.approx(want.get(public_name(name), 0.0), rel=1e-3, abs=1e-7), name
    model.zero_grad()


def test_base_has_every_tensor_of_the_public_weights():
    listed = REFERENCE.parent / "lerobot_pi05_base_keys.txt"
    if not listed.is_file():
        pytest.skip(f"no {listed}")
    with torch.device("meta"):
        model = Pi05(load_preset("base"))
    ours = {public_name(name): tuple(p.shape) for name, p in model.named_parameters()}
    lines = [line.split() for line in listed.read_text().splitlines() if not line.startswith("#")]
    theirs = {name: tuple(map(int, shape.split(","))) for name, shape, _ in lines}
    heads = {name for name in theirs if name.endswith("lm_head.weight")}
    assert len(heads) == 2
    assert ours == {name: shape for name, shape in theirs.items() if name not in heads}
