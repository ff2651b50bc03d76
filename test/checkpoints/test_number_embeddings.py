"""Embeddings of numbers before training."""

import numpy as np
import torch

from pi05_ros.checkpoints.checkpoint import make_tokenizer, random_checkpoint
from pi05_ros.checkpoints.number_embeddings import order_numbers
from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.text import prompts

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


def test_numbers_of_prompts_are_one_token_each():
    """What is ordered is what prompts and answers consist of."""
    text = prompts.low_level("pick up the plate", np.array([-1.2, 0.0, 1.2]))
    pieces = [TOKENIZER.decode([token]) for token in TOKENIZER.encode(text)]
    assert pieces[-6:] == [", State:", " -1", " 128", " 255", ";\n", "Action: "]
    assert len(TOKENIZER.encode("<loc0000><loc0100><loc1023>")) == 3


def test_only_models_with_a_compact_tower_begin_so():
    for preset, ordered in (("tiny", False), ("nano", True)):
        drawn = Pi05(load_preset(preset))
        draw_weights(drawn, 5, adaptive_scale=0.1)
        weights = drawn.state_dict()
        found = random_checkpoint(preset, 5).model.state_dict()
        changed = {name for name in found if not torch.equal(found[name], weights[name])}
        assert changed == ({"language.embedding.weight"} if ordered else set())
