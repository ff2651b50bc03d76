"""The baseline computes what the model computes, with a missing camera and a padded prompt."""

import pytest
import torch
from fakes.compact_model import compact_config
from speed.eager_baseline import EagerBaseline
from speed.implementations import Ours
from speed.workload import make_model, make_workload

TOLERANCE = 1e-5


@pytest.mark.parametrize("padded", [True, False])
def test_chunk_and_text_are_the_engines(workload, model, padded):
    pictures = workload.pictures(0)
    ours, baseline = (
        Ours(model, workload),
        EagerBaseline(model, workload, padded=padded),
    )
    chunk, wanted = baseline.chunk(pictures), ours.chunk(pictures)
    torch.testing.assert_close(chunk.actions, wanted.actions, atol=TOLERANCE, rtol=0)
    assert (
        wanted.actions - workload.noise[0]
    ).abs().mean() > 0.1  # The action expert has an effect.
    text, wanted_text = baseline.text(pictures, keep_logits=True), ours.text(pictures)
    assert text.tokens == wanted_text.tokens and len(text.tokens) == 5
    assert len(set(text.tokens)) > 1
    assert text.score == pytest.approx(wanted_text.score, rel=1e-4)
    laps = text.laps
    parts = laps.pictures + laps.prefix + laps.generation
    assert 0 < parts <= laps.total


@pytest.mark.parametrize("padded", [True, False])
def test_with_a_compact_tower(padded):
    """Three sizes of rows: pictures with points for a chunk, without for text."""
    workload = make_workload(compact_config(), cameras=3, prompt_tokens_wanted=7, tokens=5)
    assert workload.camera_names == ("front", "left_wrist", "right_wrist")
    assert [workload.picture_tokens(points) for points in (True, False)] == [15, 12]
    with torch.inference_mode():
        model = make_model(workload, torch.device("cpu"), torch.float32)
    pictures, ours = workload.pictures(0), Ours(model, workload)
    baseline = EagerBaseline(model, workload, padded=padded)
    chunk, wanted = baseline.chunk(pictures), ours.chunk(pictures)
    torch.testing.assert_close(chunk.actions, wanted.actions, atol=TOLERANCE, rtol=0)
    assert baseline.text(pictures).tokens == ours.text(pictures).tokens
    with pytest.raises(ValueError, match="wanted 1 to 4 cameras and no free slots"):
        make_workload(compact_config(), cameras=3, slots=4)


@torch.inference_mode()
def test_logits_are_the_models(workload, model):
    pictures = workload.pictures(1)
    images = torch.stack([torch.from_numpy(picture) for picture in pictures.values()])
    embedded = model.embed_images(images.permute(0, 3, 1, 2)).flatten(0, 1)[None]
    run = EagerBaseline(model, workload, padded=True).text(pictures, keep_logits=True)
    ids = [*workload.ids, *run.tokens[:-1]]
    embeddings = torch.cat([embedded, model.language.embed(torch.tensor([ids]))], dim=1)
    hidden, _ = model.prefill(embeddings, targets=len(run.tokens) - 1)
    wanted = model.language.logits(hidden[0, -len(run.tokens) :])
    torch.testing.assert_close(run.logits, wanted, atol=TOLERANCE, rtol=0)


@torch.inference_mode()
def test_padding_changes_nothing_and_exists(workload, model):
    pictures = workload.pictures(0)
    padded = EagerBaseline(model, workload, padded=True)
    prefix = padded.prefill(padded.embed_pictures(pictures))
    tokens = workload.config.vision.tokens
    assert prefix.valid.shape == (1, 3 * tokens + 200)
    assert int(prefix.valid.sum()) == 2 * tokens + 7
    tight = EagerBaseline(model, workload, padded=False)
    without = tight.prefill(tight.embed_pictures(pictures))
    assert without.valid is None and without.hidden.shape[1] == 2 * tokens + 7
    seen = prefix.hidden[prefix.valid]
    torch.testing.assert_close(seen, without.hidden[0], atol=TOLERANCE, rtol=0)


def test_it_can_compute_in_another_dtype(workload, model):
    pictures = workload.pictures(0)
    rounded = EagerBaseline(model, workload, padded=False, dtype=torch.bfloat16)
    exact = EagerBaseline(model, workload, padded=False)
    apart = (rounded.chunk(pictures).actions - exact.chunk(pictures).actions).abs().max()
    assert 1e-6 < apart < 0.1
