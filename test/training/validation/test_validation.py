"""Validation of the tiny model on held-out samples."""

import logging

import numpy as np
import pytest
import torch
from fakes.held_out import CAMERAS, PLATFORM, STATS, held_out_recipe, prepared

from pi05_ros.errors import Pi05Error
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.validation import prediction
from pi05_ros.training.validation.decoding import DecodedRow
from pi05_ros.training.validation.prediction import Predictor
from pi05_ros.training.validation.validation import Validation


@pytest.fixture(scope="module")
def ready():
    recipe = held_out_recipe()
    return recipe, prepared(recipe)


@pytest.fixture(scope="module")
def figures(ready):
    recipe, data = ready
    return Validation(data, recipe)(data.checkpoint.model, 10)


def test_every_kind_of_figure_is_there(figures):
    groups = [g.name for g in PLATFORM.groups]
    for name in ("loss", "fast", "flow", "prompt_swap", "gripper_accuracy", "hand_cm/1.0s"):
        assert figures[f"MM/{name}"] > 0.0
    assert any(f"/{groups[0]}/" in name for name in figures)
    for name in ("loss", "text", "subtask_exact", "token_accuracy", "box_iou", "done_recall"):
        assert f"HL/{name}" in figures or name == "box_iou"
    assert all(np.isfinite(value) for value in figures.values())
    assert "HL/flow" not in figures


def test_the_loss_is_weighted_by_the_shares(figures):
    assert figures["loss"] == pytest.approx(0.75 * figures["MM/loss"] + 0.25 * figures["HL/loss"])
    assert figures["MM/loss"] == pytest.approx(figures["MM/fast"] + 10.0 * figures["MM/flow"])


def test_it_is_the_same_again_in_batches_of_another_size(ready, figures):
    _, data = ready
    before = {n: p.clone() for n, p in data.checkpoint.model.named_parameters()}
    again = Validation(data, held_out_recipe("batch.micro=4"))(data.checkpoint.model, 20)
    assert dict(again) == pytest.approx(dict(figures), rel=1e-5)
    for name, parameter in data.checkpoint.model.named_parameters():
        assert torch.equal(parameter, before[name]) and parameter.grad is None


def test_another_model_has_other_figures_and_keeps_its_mode(ready, figures):
    recipe, data = ready
    model = Pi05(data.checkpoint.model.config).train()
    again = Validation(data, recipe)(model, 0)
    assert model.training
    assert again["MM/loss"] != pytest.approx(figures["MM/loss"])


def test_recorded_actions_have_no_error(ready, monkeypatch):
    recipe, data = ready

    def recorded(self, items):
        return [
            None
            if item.row is None
            else STATS.normalize_actions(item.row.vectors.actions, item.row.vectors.state)
            for item in items
        ]

    monkeypatch.setattr(Predictor, "chunks", recorded)
    figures = Validation(data, recipe)(data.checkpoint.model, 0)
    errors = {n: v for n, v in figures.items() if "error" in n or "hand" in n}
    assert errors and max(errors.values()) < 1e-9
    assert figures["MM/gripper_accuracy"] == 1.0
    assert figures["MM/prompt_swap"] == 0.0


def test_recorded_answers_are_right(ready, monkeypatch):
    recipe, data = ready
    model = data.checkpoint.model
    texts = iter([])

    def answers(self, items, cameras):
        nonlocal texts
        texts = iter([DecodedRow(tuple(i.sample.text[:-1]), True) for i in items if i.sample.text])
        return found(self, items, cameras)

    found = Predictor.answers
    monkeypatch.setattr(Predictor, "answers", answers)
    monkeypatch.setattr(prediction, "decode_batch", lambda model, batch, limit: list(texts))
    figures = Validation(data, recipe)(model, 0)
    wanted = ("subtask_exact", "done_precision", "done_recall", "box_iou", "box_precision")
    assert {name: figures[f"HL/{name}"] for name in wanted} == dict.fromkeys(wanted, 1.0)


def test_without_expert_fast_tokens_are_decoded(monkeypatch):
    recipe = held_out_recipe("loss.alpha=0", "stage=pretrain", "validation.samples=3")
    data = prepared(recipe, has_expert=False, cut=False)
    validation = Validation(data, recipe)
    untrained = validation(data.checkpoint.model, 0)
    assert untrained["MM/fast_decoded"] < 1.0
    assert "MM/flow" not in untrained

    def recorded(self, inputs, items):
        rows = iter([DecodedRow(tuple(item.sample.fast[:-1]), True) for item in items])
        monkeypatch.setattr(prediction, "decode_batch", lambda *_: list(rows))
        return decoded(self, inputs, items)

    decoded = Predictor._decoded
    monkeypatch.setattr(Predictor, "_decoded", recorded)
    monkeypatch.setattr(Predictor, "answers", lambda self, items, cameras: [None] * len(items))
    figures = validation(data.checkpoint.model, 0)
    assert figures["MM/fast_decoded"] == 1.0
    assert figures["MM/gripper_accuracy"] == 1.0
    assert 0.0 < figures["MM/hand_cm/0.5s"] < 5.0  # FAST rounds its coefficients.


def test_samples_that_cannot_be_read_are_left_out(caplog):
    recipe = held_out_recipe("validation.samples=8")
    with caplog.at_level(logging.WARNING):
        data = prepared(recipe, broken=(2, 5))
        Validation(data, recipe)(data.checkpoint.model, 0)
    assert "leaves out 2 of 8 samples of 'MM'" in caplog.text
    assert "row 5: its picture is damaged" in caplog.text
    none = prepared(recipe, broken=range(8))
    with pytest.raises(Pi05Error, match="no held-out sample of 'MM' can be read"):
        Validation(none, recipe)(none.checkpoint.model, 0)


def test_examples_show_what_was_compared(figures):
    robot = [example for example in figures.examples if example.source == "MM"]
    plans = [example for example in figures.examples if example.source == "HL"]
    assert len(robot) == len(plans) == 4
    first = robot[0]
    assert first.cameras == CAMERAS and first.pictures.shape == (2, 28, 28, 3)
    assert "pick up the" in first.prompt and first.where.startswith("episode e, row ")
    assert first.chunk.predicted.shape == first.chunk.target.shape == (50, 18)
    assert first.chunk.units[0] == "rad" and first.answer is None
    assert {p.answer.target for p in plans} & {"done", "pick up the plate", "pick up the cup"}
    assert any(p.answer.target_boxes for p in plans)
