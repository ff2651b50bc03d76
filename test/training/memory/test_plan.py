"""The memory plan against real models and a real process."""

import dataclasses
import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch
from fakes.memory_of_steps import longest_pass

from pi05_ros.cli.main import main
from pi05_ros.model.config import VisionConfig, load_preset
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.memory.activations import PassSize, activations
from pi05_ros.training.memory.compact_activations import prefix_tokens
from pi05_ros.training.memory.plan import least_gpus, memory_plan, model_of, plan_text
from pi05_ros.training.memory.weights import count_parameters, weight_bytes
from pi05_ros.training.objective.losses import LossConfig
from pi05_ros.training.optimization.lora import add_lora
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.runs.objective_module import Objective

MEASURE = Path(__file__).parents[2] / "fakes" / "memory_of_steps.py"


@pytest.mark.parametrize("rank", [0, 4])
def test_parameters_are_those_of_the_model(rank):
    config = load_preset("tiny")
    counts = count_parameters(config, rank)
    model = Pi05(config)
    if rank:
        add_lora(model, rank, 8.0, 0)
    assert counts.all == sum(p.numel() for p in model.parameters())
    assert counts.trained == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_bytes_of_weights():
    counts = dataclasses.replace(
        count_parameters(load_preset("tiny"), 0), all=1000, trained=600, products=500
    )
    options = {"is_float32": True, "recomputes": False}
    alone = weight_bytes(counts, processes=1, eight_bit=False, has_average=True, **options)
    assert (alone.weights, alone.gradients, alone.states, alone.average) == (
        4000,
        2400,
        4800,
        2400,
    )
    assert (alone.gathered, alone.copies, alone.total) == (0, 0, 13600)
    shared = weight_bytes(counts, processes=2, eight_bit=True, has_average=False, **options)
    assert (shared.weights, shared.gradients, shared.average) == (2000, 1200, 0)
    assert shared.states == round(600 * (2 + 8 / 256)) // 2
    assert shared.gathered == 4 * (2 * counts.widest_layer + counts.resident)
    options["is_float32"] = False
    half = weight_bytes(counts, processes=1, eight_bit=False, has_average=True, **options)
    assert half.copies == 1000


# As narrow as nano, with SigLIP's layers.
SIGLIP = VisionConfig(224, 28, width=160, depth=5, heads=4, mlp_width=640)


@pytest.mark.parametrize("tower", ["siglip", "compact"])
@pytest.mark.parametrize("is_float32", [True, False])
@pytest.mark.parametrize("flow_samples", [0, 2])
def test_activations_are_what_autograd_saves(tower, is_float32, flow_samples):
    config = load_preset("nano")
    if tower == "siglip":
        config = dataclasses.replace(config, vision=SIGLIP, compact_vision=None, grounding=None)
    if not flow_samples:
        config = dataclasses.replace(config, expert=None)
    model = Pi05(config)
    queries = 3 if tower == "compact" else 0
    size = PassSize(1, 2, 48, 32, flow_samples, is_float32, recomputes=False, queries=queries)
    saved = bytes_saved(model, size)
    counts = count_parameters(config, 0)
    plan = activations(config, size)
    weights = weight_bytes(
        counts,
        processes=1,
        eight_bit=False,
        has_average=False,
        is_float32=is_float32,
        recomputes=False,
    )
    # Of the logits, their log-softmax is saved.
    logits = 4 * size.targets * config.language.vocabulary
    kept = plan.vision + plan.grounding + plan.language + plan.expert + logits + weights.copies
    assert saved <= 1.1 * kept
    # On a CPU autocast leaves the norms of a compact tower in bfloat16.
    assert saved >= (0.75 if tower == "compact" and not is_float32 else 0.9) * kept


class Saved:
    """What the graph holds in place of a saved tensor, for as long as the graph exists."""

    def __init__(self, tensor):
        self.tensor = tensor


def bytes_saved(model, size):
    """Bytes of the tensors that autograd keeps after the forward pass, weights excepted."""
    batch, draws = longest_pass(model.config, size)
    precision = torch.float32 if size.is_float32 else torch.bfloat16
    loss = LossConfig(10.0 if size.flow_samples else 0.0, insulated=False)
    objective = Objective(model, loss, precision)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    found = weakref.WeakSet()

    def pack(tensor):
        found.add(saved := Saved(tensor.detach()))  # Else the graph would keep itself.
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved.tensor):
        kept = objective(batch, draws)
    gc.collect()
    storages = {t.data_ptr(): t.nbytes() for t in (s.tensor.untyped_storage() for s in found)}
    del kept
    return sum(size for place, size in storages.items() if place not in own)


def test_pictures_of_a_compact_tower():
    """144 x 192 pixels, 24 to a token: 6 * 8 tokens of the front camera, 3 * 4 of the others."""
    config = load_preset("nano")
    assert prefix_tokens(config, 4) == 48 + 3 * 12 + 4  # Each with its points.
    assert prefix_tokens(dataclasses.replace(config, grounding=None), 2) == 48 + 12
    assert prefix_tokens(config, 6) == 3 * 48 + 3 * 12 + 6  # Two that the tower does not know.
    assert prefix_tokens(load_preset("base"), 3) == 3 * 256


def test_queries_are_those_of_the_sources():
    def planned(*settings):
        return memory_plan(load_recipe("posttrain", ["model.preset=nano", *settings]), 1)

    no_web = "sources.WD.weight=0.0"
    assert (planned().size.queries, planned(no_web).size.queries) == (4, 1)
    assert planned().activations.grounding == 4 * planned(no_web).activations.grounding > 0
    assert planned("model.preset=smoke").activations.grounding == 0
    assert "activations: heat maps" in plan_text(load_recipe("nano_posttrain"), 1)


def test_a_process_grows_by_what_was_planned():
    """Within a quarter, of the process's largest resident memory.

    In bfloat16 with passes so large that what libraries keep (60 to 80 MB) is a small part.
    """
    nano = "model.preset=nano"
    recomputed = ["batch.precision=bfloat16", "batch.checkpoint_activations=true"]
    parts = [
        [nano, "batch.micro=2", "batch.precision=float32"],
        [nano, "batch.micro=8", *recomputed],
    ]
    result = subprocess.run(
        [sys.executable, MEASURE, *parts[0], "--", *parts[1]],
        # Without it the C library keeps freed memory for later.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    lines = [tuple(map(int, line.split())) for line in result.stdout.splitlines()]
    assert len(lines) == 2
    for planned, grown in lines:
        assert planned == pytest.approx(grown, rel=0.25)


def test_the_text_states_settings_and_what_fits():
    text = plan_text(load_recipe("posttrain", ["batch.micro=2"]), 4)
    assert "4 processes" in text and "3.35 B parameters, 3.35 B trained (100 %)" in text
    assert "2 samples a pass, 32 passes a step" in text
    assert "bfloat16, 32-bit states, layers kept, no LoRA" in text
    rows = {line.split("  ")[1]: line for line in text.splitlines() if "bit states   " in line}
    assert len(rows) == 4 and "24 GB" in text and "80 GB" in text


def test_more_memory_needs_no_more_gpus():
    recipe = load_recipe("posttrain")
    config = model_of(recipe)
    counts = [int(least_gpus(recipe, config, gb).split()[0]) for gb in (24, 48, 80)]
    assert counts == sorted(counts, reverse=True)
    assert least_gpus(recipe, config, 2.0) == ""
    # Three weights of 4 bytes and their gradients alone are more than one GPU of 24 GB has.
    assert counts[0] > 1


def test_settings_that_save_memory_do():
    def total(*settings, processes=1):
        return memory_plan(load_recipe("posttrain", settings), processes).total

    base = total()
    assert total("batch.checkpoint_activations=true") < base
    assert total("optimizer.eight_bit=true") < base
    assert total("model.lora_rank=16") < base
    assert total("batch.micro=1") < base
    assert total(processes=8) < base
    assert total("batch.precision=float32") > base


def test_the_command_plans_for_several_gpus(capsys):
    assert main(["train", "smoke_posttrain", "--plan", "--gpus", "8"]) == 0
    assert "recipe smoke_posttrain, 8 processes: " in capsys.readouterr().out
    assert main(["train", "smoke_posttrain", "--gpus", "8"]) == 2
