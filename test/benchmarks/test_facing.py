"""The skill of benchmarks/skill.py: its expert, its episodes, and what a policy learns of them."""

import numpy as np
import pytest
from facing.expert import POINTER, pointing_chunk
from facing.loop import HORIZON
from facing.recording import record
from facing.scene import TASK, MarkedHome

from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.open import open_episodes
from pi05_ros.platforms.platform import load_platform

PLATFORM = "mobile_18dof"


def test_the_expert_points_at_the_door_and_stands():
    platform = load_platform(PLATFORM)
    joint = platform.names.index(POINTER)
    chunk = pointing_chunk(platform, platform.home, 0.5, 200)
    assert chunk[:3, joint] == pytest.approx([0.016, 0.032, 0.048])  # 0.8 rad/s in 20 ms.
    assert chunk[-1, joint] == pytest.approx(0.5, abs=0.001)
    others = np.delete(chunk, joint, axis=1)
    assert (others == np.delete(platform.home, joint)).all()


def test_a_home_begins_at_the_bearing_that_is_asked_for():
    home = MarkedHome(load_platform(PLATFORM), 3)
    for bearing in (-0.5, 0.2):
        home.begin(bearing)
        assert home.bearing() == pytest.approx(bearing, abs=0.03)
        assert abs(home.world.base_velocity()[2]) < 0.02
        assert home.bearing_in(home.world.scene_state()) == pytest.approx(home.bearing())


def test_rows_before_the_skill_do_not_train(tmp_path):
    record(tmp_path / "bags", PLATFORM, [0], 2)
    episodes = open_episodes(tmp_path / "bags")
    assert [e.facts.outcome for e in episodes] == ["success", "success"]
    samples = Samples(episodes, ("front",), horizon=HORIZON)
    for sample in (samples[0], samples[len(samples) - 1]):
        assert sample.subtask == TASK
        assert sample.time_ns >= 1_900_000_000  # 0.9 s after the start at 1 s.
    # The last row's chunk ends with the episode.
    assert 1 <= samples[len(samples) - 1].action_valid.sum() < HORIZON
    joint = episodes[0].facts.names.index(POINTER)
    assert np.ptp(samples[len(samples) - 1].actions[:, joint]) < 0.02
