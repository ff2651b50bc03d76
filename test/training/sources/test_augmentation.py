"""Changes of pictures: boxes follow them, wrists stay in place, colours stay in range."""

import numpy as np
import pytest

from pi05_ros.training.recipes.recipe import AugmentationRecipe
from pi05_ros.training.sources.augmentation import Change, draw_change

SIDE = 224
NO_COLOUR = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0}


def painted(box):
    picture = np.full((SIDE, SIDE, 3), 40, np.uint8)
    x0, y0, x1, y1 = (round(corner * SIDE) for corner in box)
    picture[y0:y1, x0:x1] = 250
    return picture


@pytest.mark.parametrize("seed", range(20))
def test_a_box_follows_its_object(seed):
    draw = np.random.default_rng(seed)
    box = (0.4, 0.5, 0.55, 0.625)
    recipe = AugmentationRecipe(crop_share=0.8, rotate_deg=5.0, **NO_COLOUR)
    change = draw_change(recipe, "front", draw)
    rows, columns = np.nonzero(change.apply(painted(box))[..., 0] > 145)
    centre = np.array([columns.mean() + 0.5, rows.mean() + 0.5]) / SIDE
    moved = np.array(change.move(box))
    assert (moved[:2] + moved[2:]) / 2 == pytest.approx(centre, abs=1.5 / SIDE)
    assert moved[2] - moved[0] == pytest.approx(0.15 / 0.8, abs=1e-9)
    area = len(rows) / SIDE**2
    assert np.prod(moved[2:] - moved[:2]) == pytest.approx(area, rel=0.06)


def test_a_box_at_the_edge_is_cut_or_left_out():
    recipe = AugmentationRecipe(crop_share=0.5, rotate_deg=0.0, **NO_COLOUR)
    change = draw_change(recipe, "front", np.random.default_rng(0))
    moved = [
        change.move((x, y, x + 0.1, y + 0.1)) for x in (0.0, 0.45, 0.9) for y in (0.0, 0.45, 0.9)
    ]
    assert None in moved
    kept = [box for box in moved if box is not None]
    assert kept and all(0.0 <= corner <= 1.0 for box in kept for corner in box)


@pytest.mark.parametrize("camera", ["left_wrist", "right_wrist"])
def test_a_wrist_picture_keeps_its_places(camera):
    change = draw_change(AugmentationRecipe(**NO_COLOUR), camera, np.random.default_rng(1))
    picture = painted((0.1, 0.1, 0.3, 0.2))
    assert (change.apply(picture) == picture).all()
    assert change.move((0.1, 0.1, 0.3, 0.2)) == (0.1, 0.1, 0.3, 0.2)


def test_colours():
    recipe = AugmentationRecipe(crop_share=1.0, rotate_deg=0.0)
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    changed = [
        draw_change(recipe, "front", np.random.default_rng(seed)).apply(picture)
        for seed in range(8)
    ]
    means = [float(each.mean()) for each in changed]
    assert max(means) > picture.mean() * 1.05 and min(means) < picture.mean() * 0.95
    assert all(each.dtype == np.uint8 for each in changed)


def test_the_same_numbers_give_the_same_change():
    picture = painted((0.1, 0.1, 0.3, 0.2))
    one, other = (
        draw_change(AugmentationRecipe(), "front", np.random.default_rng(3)).apply(picture)
        for _ in range(2)
    )
    assert (one == other).all()


def test_colours_are_those_of_brightness_contrast_and_saturation_one_after_the_other():
    picture = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    gray = np.array([0.299, 0.587, 0.114])
    for factors in ((1.3, 1.0, 1.0), (1.0, 0.6, 1.0), (1.0, 1.0, 1.5), (0.8, 1.4, 0.5)):
        brightness, contrast, saturation = factors
        values = picture * brightness
        mean = (values @ gray).mean()
        values = mean + contrast * (values - mean)
        level = (values @ gray)[..., None]
        values = np.clip(level + saturation * (values - level), 0, 255)
        changed = Change(None, *factors).apply(picture)
        assert np.abs(changed - values).max() <= 1.0
