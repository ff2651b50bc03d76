"""The skill of benchmarks/skill.py: its expert, its episodes, and what a policy learns of them."""

import numpy as np
import pytest
from facing.expert import TURN, facing_chunk
from facing.loop import HORIZON
from facing.recording import record
from facing.scene import TASK, MarkedHome

from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.open import open_episodes
from pi05_ros.platforms.platform import load_platform

PLATFORM = "mobile_18dof"


def test_the_expert_turns_the_door_ahead_and_stands():
    platform = load_platform(PLATFORM)
    chunk = facing_chunk(platform, platform.home, 0.7, 200)
    rates = chunk[:, platform.names.index(TURN)]
    assert rates[:3] == pytest.approx([0.032, 0.064, 0.096])  # 1.6 rad/s² in periods of 20 ms.
    assert rates.max() == pytest.approx(0.8)
    assert rates.sum() * 0.02 == pytest.approx(0.7, abs=0.01)
    assert abs(rates[-1]) < 0.01
    others = np.delete(chunk, platform.names.index(TURN), axis=1)
    assert (others == np.delete(platform.home, platform.names.index(TURN))).all()


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
    turn = episodes[0].facts.names.index(TURN)
    for sample in (samples[0], samples[len(samples) - 1]):
        assert sample.subtask == TASK
        assert sample.time_ns >= 1_900_000_000  # 0.9 s after the start at 1 s.
    # The last row's chunk ends with the episode.
    assert 1 <= samples[len(samples) - 1].action_valid.sum() < HORIZON
    assert abs(samples[len(samples) - 1].state[turn]) < 0.1
