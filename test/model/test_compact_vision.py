"""The compact tower: sizes per camera, and pictures that do not disturb each other."""

import dataclasses

import pytest
import torch
from fakes.compact_model import SIZE, compact_config

from pi05_ros.model.compact_vision import FeatureMaps, Pictures, join, split
from pi05_ros.model.config import CompactVisionConfig
from pi05_ros.model.pi05 import Pi05, draw_weights

HEIGHT, WIDTH = SIZE
FRONT, BACK, LEFT = 0, 1, 2  # The first one is not reduced, the others by 2.


@pytest.fixture(scope="module")
def model() -> Pi05:
    made = Pi05(compact_config())
    draw_weights(made, 0, adaptive_scale=1.0)
    with torch.no_grad():  # Large enough to tell cameras apart.
        made.vision.position_embedding.mul_(10.0)
    return made.eval()


def noise(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, HEIGHT, WIDTH), generator=generator).byte()


def embed(model: Pi05, images: torch.Tensor, *views: int) -> Pictures:
    with torch.no_grad():
        return model.embed_pictures(images, torch.tensor(views))


def assert_same(found: torch.Tensor, wanted: torch.Tensor) -> None:
    """Equal but for the order of sums, which depends on the size of a batch."""
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_sizes_are_per_camera(model):
    pictures = embed(model, noise(3), BACK, FRONT, LEFT)
    assert pictures.tokens.shape == (3, 8, model.config.language.width)
    assert pictures.valid.sum(dim=1).tolist() == [2, 8, 2]
    assert pictures.valid[:, :2].all()  # Those of a picture are its first ones.
    assert not pictures.tokens[~pictures.valid].any()
    whole, reduced = pictures.maps
    assert (whole.rows.tolist(), reduced.rows.tolist()) == ([1], [0, 2])
    assert (whole.fine.shape[2:], whole.coarse.shape[2:]) == ((12, 24), (6, 12))
    assert (reduced.fine.shape[2:], reduced.coarse.shape[2:]) == ((6, 12), (3, 6))


def test_one_size_alone_needs_no_mask(model):
    assert embed(model, noise(2), FRONT, FRONT).valid is None
    alone = embed(model, noise(2), BACK, LEFT)
    assert alone.valid is None and alone.tokens.shape[1] == 2


def test_a_picture_does_not_depend_on_the_others(model):
    images = noise(4)
    together = embed(model, images, LEFT, FRONT, BACK, FRONT)
    alone = [embed(model, images[i : i + 1], v) for i, v in enumerate((LEFT, FRONT, BACK, FRONT))]
    for index, one in enumerate(alone):
        count = one.tokens.shape[1]
        assert_same(together.tokens[index, :count], one.tokens[0])
    assert_same(together.maps[0].fine[1], alone[3].maps[0].fine[0])
    assert_same(together.maps[1].coarse[0], alone[0].maps[0].coarse[0])


def test_what_is_outside_of_the_corner_does_not_matter(model):
    images = noise(1)
    other = images.clone()
    other[:, :, HEIGHT // 2 :] = 255 - other[:, :, HEIGHT // 2 :]
    other[:, :, :, WIDTH // 2 :] = 255 - other[:, :, :, WIDTH // 2 :]
    assert torch.equal(embed(model, images, BACK).tokens, embed(model, other, BACK).tokens)
    other[0, 0, 0, 0] += 100
    assert not torch.equal(embed(model, images, BACK).tokens, embed(model, other, BACK).tokens)


def test_cameras_of_one_size_are_told_apart(model):
    images = noise(1)
    difference = embed(model, images, BACK).tokens - embed(model, images, LEFT).tokens
    assert difference.abs().max() > 0.01


def test_a_token_sees_its_patch_first(model):
    """A change in the last patch changes the last token most."""
    images = noise(1)
    other = images.clone()
    other[:, :, 24:, 72:] = 0
    change = embed(model, images, FRONT).tokens - embed(model, other, FRONT).tokens
    assert change.norm(dim=2).argmax().item() == 7


def test_join_equals_embedding_together(model):
    images = noise(5)
    views = (FRONT, BACK, LEFT, FRONT, BACK)
    together = embed(model, images, *views)
    parts = [
        embed(model, images[:1], FRONT),
        embed(model, images[1:4], BACK, LEFT, FRONT),
        embed(model, images[4:], BACK),
    ]
    joined = join(parts)
    assert torch.equal(joined.valid, together.valid)
    assert_same(joined.tokens, together.tokens)
    for found, wanted in zip(joined.maps, together.maps, strict=True):
        assert found.rows.tolist() == wanted.rows.tolist()
        assert_same(found.fine, wanted.fine)
        assert_same(found.coarse, wanted.coarse)


def test_join_of_pictures_of_one_size_has_no_mask(model):
    joined = join([embed(model, noise(1), FRONT), embed(model, noise(2), FRONT, FRONT)])
    assert joined.valid is None and joined.tokens.shape[:2] == (3, 8)


def test_split_is_the_inverse_of_join(model):
    images = noise(3)
    together = embed(model, images, BACK, FRONT, LEFT)
    parts = split(together)
    assert [part.tokens.shape[1] for part in parts] == [2, 8, 2]
    assert all(part.valid is None and len(part.maps) == 1 for part in parts)
    again = join(parts)
    assert torch.equal(again.tokens, together.tokens)
    assert torch.equal(again.valid, together.valid)
    by_size = {maps.fine.shape[1:]: maps for maps in again.maps}
    for wanted in together.maps:
        found = by_size[wanted.fine.shape[1:]]
        assert torch.equal(found.rows, wanted.rows) and torch.equal(found.fine, wanted.fine)


def test_join_counts_rows_on():
    maps = FeatureMaps(torch.tensor([1]), torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 2, 2))
    part = Pictures(torch.zeros(2, 3, 1), None, (maps,))
    (found,) = join([part, part]).maps
    assert found.rows.tolist() == [1, 3]


def test_the_first_camera_may_be_the_smaller_one():
    tower = CompactVisionConfig(*SIZE, {"wrist": 2, "front": 1}, channels=(4, 8, 8))
    model = Pi05(dataclasses.replace(compact_config(), compact_vision=tower))
    draw_weights(model, 0)
    pictures = embed(model, noise(2), 0, 1)
    assert pictures.valid.sum(dim=1).tolist() == [2, 8]


def test_siglip_is_not_a_compact_tower(model):
    with pytest.raises(ValueError, match="needs the camera of each picture: embed_pictures"):
        model.embed_images(noise(1))
