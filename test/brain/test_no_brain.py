"""The brain `none`: nothing is predicted, and whoever asks is told so."""

import pytest

from pi05_ros.brain.no_brain import NoBrain
from pi05_ros.brain.options import BRAIN_NAMES
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


def test_it_reads_no_pictures_and_predicts_nothing():
    info = NoBrain(PLATFORM).info
    assert info.name in BRAIN_NAMES
    assert not info.predicts
    assert info.cameras_of_planner(PLATFORM) == info.cameras_of_policy(PLATFORM) == ()


def test_whoever_asks_is_told_who_decides():
    brain = NoBrain(PLATFORM)
    with pytest.raises(ConfigError, match="it names no subtasks: an operator does"):
        brain.predict_subtask(None, "tidy up")
    with pytest.raises(ConfigError, match="it moves nothing: an operator drives"):
        brain.predict_chunk(None, "tidy up")
