"""Decoding of a batch."""

import dataclasses

import torch
from fakes.tiny_models import drawn

from pi05_ros.model import decoding
from pi05_ros.model.text.tokenizer import END
from pi05_ros.training.objective.batch import TrainingSample, collate
from pi05_ros.training.objective.losses import run_language_model
from pi05_ros.training.validation.decoding import decode_batch


def samples():
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (3, 2, 3, 28, 28), generator=draw).to(torch.uint8)
    present = torch.tensor([[True, True], [True, False], [False, True]])
    prompts = [[2, 70, 71], [2, 72, 73, 74, 75, 76, 77], [2, 90]]
    return [
        TrainingSample(image, prompt, text=[80, END], cameras=cameras)
        for image, prompt, cameras in zip(images, prompts, present, strict=True)
    ]


def alone(model, sample, limit):
    """The sample without padding, by the decoder of the live path."""
    shown = sample.images[sample.cameras]
    embeddings = torch.cat(
        [
            model.embed_images(shown).flatten(0, 1)[None],
            model.language.embed(torch.tensor([sample.prompt])),
        ],
        dim=1,
    )
    hidden, context = model.prefill(embeddings, tail=1)
    return decoding.decode_text(model, hidden, context, end=END, limit=limit)


@torch.no_grad()
def test_a_batch_decodes_as_each_sample_alone():
    model = drawn("pi05")
    found = decode_batch(model, collate(samples()), limit=9)
    wanted = [alone(model, sample, 9) for sample in samples()]
    assert [row.tokens for row in found] == [one.tokens for one in wanted]
    assert [row.finished for row in found] == [one.finished for one in wanted]
    assert len({row.tokens for row in found}) == 3


@torch.no_grad()
def test_a_row_ends_at_its_own_end(monkeypatch):
    """Rows that have ended are cut there, however long the others go on."""
    model = drawn("pi05")
    plan = torch.tensor([[5, END, 9, 9], [5, 6, 7, 8], [END, 4, 4, END]])
    place = iter(range(4))

    def logits(hidden):
        return torch.nn.functional.one_hot(plan[:, next(place)], 3072).float()

    monkeypatch.setattr(model.language, "logits", logits)
    found = decode_batch(model, collate(samples()), limit=4)
    assert [row.tokens for row in found] == [(5,), (5, 6, 7, 8), ()]
    assert [row.finished for row in found] == [True, False, True]


@torch.no_grad()
def test_targets_are_not_read():
    model = drawn("pi05")
    with_targets = decode_batch(model, collate(samples()), limit=3)
    without = [dataclasses.replace(sample, text=()) for sample in samples()]
    assert decode_batch(model, collate(without), limit=3) == with_targets
    assert run_language_model(model, collate(samples()))[1].targets == 2
