"""Masks and positions, worked out by hand (paper, figure 18)."""

import torch

from pi05_ros.model import masks

T, F = True, False


def test_the_mask_of_the_language_model():
    # Two prefix tokens, one of padding between prefix and targets, two targets.
    blocks = masks.blocks_of(3, 2)
    assert blocks.tolist() == [0, 0, 0, 1, 2]
    valid = torch.tensor([[T, T, F, T, T]])
    allowed = masks.block_causal_mask(blocks, blocks, valid)
    assert allowed[0, [0, 1, 3, 4]].tolist() == [
        [T, T, F, F, F],
        [T, T, F, F, F],
        [T, T, F, T, F],
        [T, T, F, T, T],
    ]
    assert not allowed[0, :, 2].any()  # No query attends to padding,
    assert allowed.any(dim=-1).all()  # and no row is empty.


def test_the_expert_attends_to_the_prefix_and_itself_but_no_target():
    allowed = masks.expert_mask(masks.blocks_of(3, 2), torch.tensor([[T, T, F, T, T]]), horizon=2)
    assert allowed.tolist() == [[[T, T, F, F, F, T, T]] * 2]


def test_padding_takes_no_position():
    valid = torch.tensor([[F, F, T, T, F, T], [T, T, T, T, T, T]])
    positions = masks.positions_of(valid)
    assert positions[0, [2, 3, 5]].tolist() == [0, 1, 2]
    assert positions[1].tolist() == [0, 1, 2, 3, 4, 5]


def test_the_mask_repeats_for_heads_that_share_keys():
    allowed = torch.tensor([[[T, F], [T, T]]])
    mask = masks.attention_mask(allowed, heads_per_key=2, dtype=torch.float32)
    row, full = [0.0, -torch.inf], [0.0, 0.0]
    assert mask.tolist() == [[[row, full, row, full]]]
