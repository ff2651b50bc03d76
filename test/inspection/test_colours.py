"""Colours by age."""

import numpy as np
import pytest

from pi05_ros.inspection.colours import by_age, rgba


def test_a_colour_turns_and_fades_with_age():
    colours = by_age("#ff0000", "#0000ff", np.array([-1.0, 0.0, 1.0, 2.0, 5.0]), 2.0, floor=0.2)
    assert colours[:2] == pytest.approx(np.tile([1, 0, 0, 1], (2, 1)))
    assert colours[2] == pytest.approx([0.5, 0, 0.5, 0.6])
    assert colours[3:] == pytest.approx(np.tile(rgba("#0000ff", 0.2), (2, 1)))
