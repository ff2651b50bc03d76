"""Embeddings of numbers before training."""

import torch

from pi05_ros.checkpoints.checkpoint import make_tokenizer
from pi05_ros.checkpoints.number_embeddings import order_numbers
from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights

CONFIG = load_preset("nano")
TOKENIZER = make_tokenizer(CONFIG)


def embeddings(texts, seed=0):
    model = Pi05(CONFIG)
    draw_weights(model, seed)
    before = model.language.embedding.weight.detach().clone()
    order_numbers(model, TOKENIZER, seed)
    tokens = torch.tensor([TOKENIZER.encode(text) for text in texts])
    assert tokens.shape == (len(texts), 1)  # One token each.
    weight = model.language.embedding.weight.detach()
    others = torch.ones(len(weight), dtype=torch.bool)
    for text in [f" {n}" for n in range(-1, 256)] + [f"<loc{n:04d}>" for n in range(1024)]:
        others[TOKENIZER.encode(text)] = False
    assert torch.equal(weight[others], before[others])
    return weight[tokens[:, 0]]


def test_neighbours_are_nearer_than_distant_numbers():
    for form, count in ((" {}", 256), ("<loc{:04d}>", 1024)):
        found = embeddings([form.format(n) for n in range(count)])
        step = (found[1:] - found[:-1]).norm(dim=1).mean()
        far = (found[count // 2 :] - found[: count // 2]).norm(dim=1).mean()
        assert step < 0.6 * far
        # As large as what `draw_weights` gives: variance 1 / width.
        assert 0.5 < found.var() * CONFIG.language.width < 2.0


def test_the_seed_decides():
    texts = [" 0", " 128"]
    assert torch.equal(embeddings(texts, 1), embeddings(texts, 1))
    assert not torch.equal(embeddings(texts, 1), embeddings(texts, 2))
