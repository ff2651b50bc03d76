"""Stored observations: written, read again, and answered in the same way."""

import dataclasses

import numpy as np
import pytest
from fakes.torch_threads import one_torch_thread  # noqa: F401

from pi05_ros.brain.observation import Observation
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.shipping.stored import (
    StoredObservations,
    again,
    answered,
    largest_difference,
)
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


@pytest.fixture(scope="module")
def stored():
    draw = np.random.default_rng(0)
    moments = []
    for subtask in ("pick up the fork", "put the fork in the sink"):
        images = {c: draw.integers(0, 256, (144, 192, 3), np.uint8) for c in PLATFORM.camera_names}
        nothing = np.full(PLATFORM.size, np.nan)
        seen = Observation(1, PLATFORM.names, PLATFORM.home, nothing, images)
        moments.append((seen, subtask))
    return answered("random:nano", PLATFORM, "put the dishes in the sink", moments)


def test_what_is_read_again_has_the_same_answers(stored, tmp_path):
    stored.save(tmp_path / "nano.npz")
    read = StoredObservations.load(tmp_path / "nano.npz")
    assert (read.platform, read.task, read.subtasks) == (
        "mobile_18dof",
        "put the dishes in the sink",
        ("pick up the fork", "put the fork in the sink"),
    )
    assert read.chunks.shape == (2, 50, 18) and read.images["front"].shape == (2, 144, 192, 3)
    found = again("random:nano", read)
    assert found.answers == stored.answers and all(stored.answers)
    assert largest_difference(found, stored) < 1e-6


def test_other_weights_and_other_pictures_differ_by_more_than_rounding(stored):
    assert largest_difference(again("random:nano?seed=1", stored), stored) > 0.01
    dark = {camera: np.zeros_like(images) for camera, images in stored.images.items()}
    other = dataclasses.replace(stored, images=dark)
    assert largest_difference(again("random:nano", other), stored) > 0.01


def test_a_file_of_something_else_is_named(tmp_path):
    np.savez(tmp_path / "other.npz", a=1)
    (tmp_path / "text.npz").write_text("no")
    for name in ("other.npz", "text.npz", "none.npz"):
        with pytest.raises(Pi05Error, match=f"{name}: wanted stored observations"):
            StoredObservations.load(tmp_path / name)
