"""The memory plan against real models and a real process."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pi05_ros.cli.main import main
from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.loading.loader import FlowDraws
from pi05_ros.training.memory.activations import PassSize, activations
from pi05_ros.training.memory.plan import least_gpus, memory_plan, model_of, plan_text
from pi05_ros.training.memory.weights import count_parameters, weight_bytes
from pi05_ros.training.objective.batch import TrainingSample, collate
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


@pytest.mark.parametrize("is_float32", [True, False])
@pytest.mark.parametrize("flow_samples", [0, 2])
def test_activations_are_what_autograd_saves(is_float32, flow_samples):
    config = load_preset("nano")
    if not flow_samples:
        config = dataclasses.replace(config, expert=None)
    model = Pi05(config)
    size = PassSize(1, 2, 48, 32, flow_samples, is_float32, recomputes=False)
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
    kept = plan.vision + plan.language + plan.expert + logits + weights.copies
    assert saved == pytest.approx(kept, rel=0.1)


def bytes_saved(model, size):
    """Bytes of the tensors that autograd saves in the forward pass, weights excepted."""
    side, config = model.config.vision.image_size, model.config
    sample = TrainingSample(
        torch.zeros(size.pictures, 3, side, side, dtype=torch.uint8),
        [5] * size.prompt,
        text=[6] * size.targets,
        actions=torch.zeros(config.horizon, config.action_dim) if size.flow_samples else None,
    )
    draws = None
    if size.flow_samples:
        shape = size.flow_samples, size.samples
        noise = torch.zeros(*shape, config.horizon, config.action_dim)
        draws = FlowDraws(noise, torch.full(shape, 0.5), None)
    precision = torch.float32 if size.is_float32 else torch.bfloat16
    loss = LossConfig(10.0 if size.flow_samples else 0.0, insulated=False)
    objective = Objective(model, loss, precision)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    found = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = objective(collate([sample] * size.samples), draws)
    del kept
    return sum(found.values())


def test_a_process_grows_by_what_was_planned():
    """Within a quarter, of the process's largest resident memory."""
    common = ["model.preset=nano", "batch.micro=2"]
    parts = [
        [*common, "batch.precision=float32"],
        [*common, "batch.precision=bfloat16", "batch.checkpoint_activations=true"],
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
