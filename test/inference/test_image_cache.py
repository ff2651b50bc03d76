"""Pictures are embedded once, by their content."""

import numpy as np
import torch

from pi05_ros.inference.image_cache import ImageCache, digest_of
from pi05_ros.model.compact_vision import Pictures


def picture(value: int) -> np.ndarray:
    return np.full((2, 2, 3), value, np.uint8)


def make(capacity: int = 8) -> tuple[ImageCache, list[int]]:
    batches: list[int] = []

    def embed(images: torch.Tensor, views: torch.Tensor) -> Pictures:
        batches.append(len(images))
        value = images.float().mean(dim=(1, 2, 3)) + 1000.0 * views
        return Pictures(value[:, None, None])  # One token, width 1.

    return ImageCache(embed, capacity), batches


def values(cache: ImageCache, *images: np.ndarray) -> list[float]:
    keys = [(digest_of(image), 0) for image in images]
    return cache.embed(images, keys).tokens.flatten().tolist()


def test_each_picture_is_embedded_once_and_in_order():
    cache, batches = make()
    assert values(cache, picture(1), picture(2), picture(1)) == [1, 2, 1]
    assert values(cache, picture(3), picture(2)) == [3, 2]
    assert batches == [2, 1]
    cache.clear()
    assert values(cache, picture(3)) == [3]
    assert batches == [2, 1, 1]


def test_one_changed_pixel_is_another_picture():
    changed = picture(0)
    changed[-1, -1, -1] = 12
    assert digest_of(changed) != digest_of(picture(0))
    cache, _ = make()
    assert values(cache, picture(0), changed) == [0, 1]


def test_the_least_recently_used_is_dropped_first():
    cache, batches = make(capacity=2)
    values(cache, picture(1), picture(2))
    values(cache, picture(1))
    values(cache, picture(3))  # Drops 2.
    values(cache, picture(1), picture(3))
    assert batches == [2, 1]
    values(cache, picture(2))
    assert batches == [2, 1, 1]
    assert values(cache, *map(picture, range(5))) == [0, 1, 2, 3, 4]  # More than it holds.


def test_equal_pictures_of_two_views_are_two_pictures():
    cache, batches = make()
    same, digest = picture(5), digest_of(picture(5))
    found = cache.embed([same, same], [(digest, 0), (digest, 1)])
    assert found.tokens.flatten().tolist() == [5, 1005]
    found = cache.embed([same], [(digest, 1)])
    assert found.tokens.flatten().tolist() == [1005]
    assert batches == [2]
