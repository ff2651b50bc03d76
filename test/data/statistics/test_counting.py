"""Statistics of many episodes: counted, merged by robot, entries by name."""

import pytest
from fakes.model_bags import PLATFORM, episode_bag

from pi05_ros.data.filters.episode_filter import NO_FILTER
from pi05_ros.data.open import open_episodes
from pi05_ros.data.statistics.counting import count_episodes, entries_of, merge_by_robot
from pi05_ros.errors import ConfigError


def test_episodes_are_counted_and_merged(tmp_path):
    for name, rows in (("a", 120), ("b", 130)):
        episode_bag(tmp_path / name, rows, cameras=())
    steps, refused = [], []
    parts = count_episodes(
        open_episodes(tmp_path), 50, NO_FILTER, lambda: steps.append(1), refused.append
    )
    (merged,) = merge_by_robot(parts).items()
    assert merged[0] == PLATFORM.name
    assert (merged[1].episodes, merged[1].rows) == (2, 250)
    assert (len(steps), refused) == (4, [])


def test_an_episode_that_cannot_be_counted_is_left_out(tmp_path):
    episode_bag(tmp_path / "a", 120, cameras=())
    (episode,) = open_episodes(tmp_path)
    # Its files are gone before it is read.
    for path in (tmp_path / "a").iterdir():
        path.unlink()
    refused = []
    assert list(count_episodes([episode], 50, NO_FILTER, lambda: None, refused.append)) == []
    assert len(refused) == 1 and str(tmp_path) in refused[0]


def test_groups_stand_for_their_entries():
    assert entries_of(["left_arm", "torso_lift"], PLATFORM) == [*PLATFORM.names[:6], "torso_lift"]
    with pytest.raises(ConfigError, match="no entry or group 'left_arn'; did you mean 'left_arm'"):
        entries_of(["left_arn"], PLATFORM)
