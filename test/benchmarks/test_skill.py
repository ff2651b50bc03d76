"""The smallest proof that training is right from end to end: a skill learned from pictures.

It takes five minutes of a core, so that it runs only where PI05_SKILL is set.
"""

import math
import os

import numpy as np
import pytest
from facing.driving import drive
from facing.recording import record
from facing.training import facing_recipe, train
from skill import mean_error

PLATFORM = "mobile_18dof"
HOMES = range(10_000, 10_012)  # Of the validation range: none trained.

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(not os.environ.get("PI05_SKILL"), reason="takes minutes: set PI05_SKILL=1"),
]


def test_a_policy_points_at_what_it_sees_in_unseen_homes(tmp_path):
    record(tmp_path / "bags", PLATFORM, range(40), 4)
    run = train(facing_recipe(tmp_path / "bags"), tmp_path / "run", tmp_path / "cache")
    best = str(run.path / "best")
    trained = mean_error(drive(best, PLATFORM, HOMES))
    blind = mean_error(drive(best, PLATFORM, HOMES, lambda p: np.full_like(p, 128)))
    # Measured: 7.9 degrees, and 27 with a blank picture. Closed loops amplify the last bit.
    assert trained < math.radians(13.0)
    assert trained < 0.6 * blind
