"""Low-level samples of a hand-made episode: which row, which pictures, which actions, how old."""

import numpy as np
import pytest
from fakes.episodes import layout_facts, wandering

from pi05_ros.data.episodes import moment_cache
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import (
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
    MODE_HOLDING,
    SubtaskLabel,
)
from pi05_ros.data.episodes.live import live_moments, pictures_of_rows
from pi05_ros.data.episodes.moment_cache import cached_moments
from pi05_ros.data.episodes.samples import Samples

MS = 1_000_000
BEGAN = 1000 * MS
FACTS = layout_facts(("arm", "vx"), ("rad", "m/s"), task="tidy up")


def made(frames, rows=15, **parts):
    """Rows every 20 ms; row k has state (k, k) and action (100 + k, 0.4); pictures at times in ms.

    Picture j of the first camera is grey of value 10 + j, of the second of 20 + j.
    """
    shots = {}
    for number, (name, at) in enumerate(frames.items()):
        pixels = np.full((len(at), 4, 4, 3), 10 * (number + 1), np.uint8)
        pixels += np.arange(len(at), dtype=np.uint8)[:, None, None, None]
        shots[name] = (BEGAN + np.array(at, np.int64) * MS, pixels)
    episode = wandering(rows, facts=FACTS, frames=shots, **parts)
    episode.times_ns = BEGAN + np.arange(rows) * 20 * MS
    episode.states = np.tile(np.arange(rows, dtype=float)[:, None], 2)
    episode.actions = np.stack([100.0 + np.arange(rows), np.full(rows, 0.4)], axis=1)
    return episode


def after(times_ns):
    """Times in ms after BEGAN."""
    return ((times_ns - BEGAN) // MS).tolist()


# The front camera has 30 Hz, the wrist's pictures are 4 ms later. The states are those of rows
# every 20 ms. The first picture makes a set alone, as the wrist has sent nothing yet.
FRONT = (3, 36, 69, 102, 136, 169, 202, 236, 269)
WRIST = tuple(at + 4 for at in FRONT)
# Row, its time [ms], index of both pictures. 36 ms is nearest to row 2 (40 ms), and so on.
TABLE = (
    (2, 40, 1),
    (3, 60, 2),
    (5, 100, 3),
    (7, 140, 4),
    (8, 160, 5),
    (10, 200, 6),
    (12, 240, 7),
    (13, 260, 8),
)


def test_each_sample_is_an_observation_of_the_live_path():
    episode = made({"front": FRONT, "wrist": WRIST})
    samples = Samples([episode], ["front", "wrist"], horizon=4)
    assert len(samples) == len(TABLE)
    for sample, (row, at, index) in zip(samples, TABLE, strict=True):
        assert (sample.row, sample.time_ns) == (row, BEGAN + at * MS)
        assert sample.state.tolist() == [row, row]  # The state nearest to the front's picture.
        assert sample.picture_times_ns == {
            "front": BEGAN + FRONT[index] * MS,
            "wrist": BEGAN + WRIST[index] * MS,
        }
        assert sample.images["front"].max() == 10 + index
        assert sample.images["wrist"].max() == 20 + index
        assert sample.actions[0].tolist() == [100 + row, 0.4]  # They begin at the state's row.


def test_the_newest_pictures_are_a_choice():
    episode = made({"front": FRONT, "wrist": WRIST})
    samples = Samples([episode], ["front", "wrist"], ages="freshest")
    assert [sample.row for sample in samples] == list(range(1, 15))
    # At 140 ms both cameras have a picture of 136 ms and later; at 120 ms of 102 and 106 ms.
    ages = {s.row: (s.time_ns - s.picture_times_ns["wrist"]) // MS for s in samples}
    assert (ages[6], ages[7]) == (14, 0)


def test_behind_a_stop_the_base_stands_and_nothing_counts():
    episode = made({"front": FRONT})
    episode.modes[9:11] = MODE_HOLDING
    (sample,) = [s for s in Samples([episode], ["front"], horizon=4) if s.row == 7]
    assert sample.action_valid.tolist() == [True, True, False, False]
    assert sample.actions.tolist() == [[107, 0.4], [108, 0.4], [108, 0.0], [108, 0.0]]
    (last,) = [s for s in Samples([episode], ["front"], horizon=4) if s.row == 13]
    assert last.action_valid.tolist() == [True, True, False, False]
    assert last.actions.tolist() == [[113, 0.4], [114, 0.4], [114, 0.0], [114, 0.0]]
    assert episode.actions[8].tolist() == [108, 0.4]


def test_rows_of_an_operator_train_like_those_of_the_policy():
    episode = made({"front": FRONT})
    episode.control_sources[:] = [CONTROL_POLICY] * 6 + [CONTROL_TELEOP] * 7 + [CONTROL_NONE] * 2
    episode.modes[13:] = MODE_HOLDING
    samples = Samples([episode], ["front"], horizon=10)
    found = {s.row: (s.control_source, int(s.action_valid.sum())) for s in samples}
    # A takeover does not end a run of actions: the robot goes on.
    assert found == {
        **{0: (1, 10), 2: (1, 10), 3: (1, 10), 5: (1, 8)},
        **{7: (2, 6), 8: (2, 5), 10: (2, 3), 12: (2, 1)},
    }


def test_a_text_holds_from_its_reception():
    labels = (SubtaskLabel(2, 8, "pick", "model"), SubtaskLabel(8, 15, "place", "model"))
    samples = Samples([made({"front": FRONT}, labels=labels)], ["front"])
    assert {s.row: s.subtask for s in samples} == {
        **dict.fromkeys((2, 3, 5, 7), "pick"),
        **dict.fromkeys((8, 10, 12, 13), "place"),
    }


def test_of_several_observations_with_one_state_the_nearest_counts():
    episode = made({"front": (92, 99, 104, 112)})
    moments = live_moments(episode, needed=["front"])
    assert (
        pictures_of_rows(episode, moments, ["front"])["front"].tolist()
        == [-1] * 5 + [1, 3] + [-1] * 8
    )


@pytest.mark.parametrize("wrist", [(), (40, 105)])
def test_rows_without_a_whole_set_are_left_out(wrist):
    episode = made({"front": (0, 100, 200), "wrist": wrist})
    moments = live_moments(episode, needed=["front", "wrist"])
    found = pictures_of_rows(episode, moments, ["front", "wrist"])
    assert np.flatnonzero(found["front"] >= 0).tolist() == ([5] if wrist else [])


def test_observations_are_matched_once_and_again_when_the_cache_is_damaged(tmp_path, monkeypatch):
    episode, folder = made({"front": FRONT, "wrist": WRIST}), CacheFolder(tmp_path, 1 << 20)
    for damage in (False, False, True):
        if damage:
            (file,) = tmp_path.glob("memory/moments*")
            file.write_bytes(file.read_bytes()[:-9])
        found = cached_moments(episode, ["front", "wrist"], cache=folder)
        assert found.rows.tolist() == [row for row, _, _ in TABLE]
        assert found.frames["wrist"].tolist() == [index for _, _, index in TABLE]
        assert after(found.times_ns) == list(FRONT[1:])
    monkeypatch.setattr(moment_cache, "live_moments", None)  # From here on it is read.
    assert len(cached_moments(episode, ["front", "wrist"], cache=folder).rows) == len(TABLE)


def test_an_episode_without_cameras_has_all_rows():
    assert len(Samples([made({})], [])) == 15
