"""Samples: pictures, state, chunk and texts of one row."""

import logging
import pickle

import numpy as np
import pytest
from fakes.episodes import layout_facts, wandering
from fakes.model_bags import PERIOD, PLATFORM, episode_bag, subtask

from pi05_ros.cameras.model_input import InputSizes, model_input
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import MODE_HOLDING, SubtaskLabel
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.samples import SampleError, Samples

CAMERAS = ("front", "left_wrist", "right_wrist")


def cache(tmp_path):
    return FrameCache(CacheFolder(tmp_path / "cache", 1 << 30))


def every_row(made):
    """Samples of all rows, each with the newest pictures."""
    return Samples([BagEpisode(made.path)], CAMERAS, ages="freshest")


def check(sample, made, row, rows, horizon=50):
    """Compare a sample with what was written into the bag."""
    for camera in CAMERAS:
        wanted = model_input(made.pictures[camera][row // 5])
        np.testing.assert_array_equal(sample.images[camera], wanted)
    np.testing.assert_array_equal(sample.state, made.states[row])
    ahead = np.minimum(row + np.arange(horizon), rows - 1)
    wanted = made.actions[ahead]
    wanted[row + np.arange(horizon) >= rows] *= ~PLATFORM.is_velocity  # The base stands.
    np.testing.assert_array_equal(sample.actions, wanted)
    assert sample.action_valid.tolist() == [row + h < rows for h in range(horizon)]


def test_a_sample_is_a_row_with_what_follows_it(tmp_path):
    made = episode_bag(tmp_path / "e", 120)
    episode = BagEpisode(made.path)
    plain, cached = Samples([episode], CAMERAS, ages="freshest"), cache(tmp_path)
    cached.build([episode], CAMERAS)
    for samples in (plain, Samples([episode], CAMERAS, cached, ages="freshest")):
        samples = pickle.loads(pickle.dumps(samples))
        assert len(samples) == 120
        for row in (0, 4, 5, 69, 70, 71, 119):
            sample = samples[row]
            assert (sample.row, sample.episode) == (row, 0)
            assert sample.time_ns == episode.times_ns[0] + row * PERIOD
            check(sample, made, row, 120)
        assert (sample.subtask, sample.task, sample.source) == (
            "pick up the cup",
            "tidy up",
            "model",
        )


def test_texts_and_boxes_are_those_of_the_row(tmp_path):
    box = {"camera": "front", "label": "cup", "x_max": 1.0}
    labels = [(0, subtask("pick")), (30, subtask("place", "human", boxes=[box], task="", id=2))]
    samples = every_row(episode_bag(tmp_path / "e", 60, labels=labels))
    assert (samples[29].subtask, samples[29].source, samples[29].boxes) == ("pick", "model", ())
    assert (samples[30].subtask, samples[30].source) == ("place", "human")
    assert samples[30].boxes[0].label == "cup"
    assert samples[30].task == "tidy up"  # The episode's, where the message has none.


def test_rows_that_do_not_train_are_left_out(tmp_path):
    labels = [(10, subtask("pick")), (50, subtask(""))]
    made = episode_bag(tmp_path / "e", 60, labels=labels, modes={20: MODE_HOLDING})
    samples = every_row(made)
    rows = [samples[i].row for i in range(len(samples))]
    assert rows == [*range(10, 20), *range(21, 50)]
    # The robot went on after the last label; these actions still follow row 49.
    assert samples[len(samples) - 1].action_valid.sum() == 11
    assert samples[0].action_valid.sum() == 10
    np.testing.assert_array_equal(samples[0].actions[9], made.actions[19])
    standing = np.where(PLATFORM.is_velocity, 0.0, made.actions[19])
    np.testing.assert_array_equal(samples[0].actions[10:], np.tile(standing, (40, 1)))
    assert PLATFORM.is_velocity.sum() == 3 and (made.actions[19][-3:] != 0).all()


def frames_of(times, value=0):
    pixels = np.full((len(times), 8, 8, 3), value, np.uint8)
    return np.array(times, np.int64), pixels + np.arange(len(times), dtype=np.uint8)[
        :, None, None, None
    ]


def test_rows_without_a_fresh_picture_are_left_out():
    episode = wandering(100)
    first = int(episode.times_ns[10])
    episode.frames = {"front": frames_of([first, first + 20_000_000])}
    samples = Samples([episode], ["front"], ages="freshest")
    # 0.3 s after the picture of row 11 is row 26.
    assert [samples[i].row for i in range(len(samples))] == list(range(10, 27))
    assert samples[0].images["front"].max() == 0 and samples[1].images["front"].max() == 1


def test_samples_of_several_episodes_follow_each_other():
    episodes = [wandering(n, seed=n) for n in (3, 1, 5)]
    episodes.insert(1, wandering(4, labels=()))
    samples = Samples(episodes, [], horizon=2)
    assert [(samples[i].episode, samples[i].row) for i in range(len(samples))] == [
        *((0, 0), (0, 1), (0, 2)),
        (2, 0),
        *((3, n) for n in range(5)),
    ]
    np.testing.assert_array_equal(samples[3].state, episodes[2].states[0])
    for index in (-1, 9):
        with pytest.raises(IndexError, match="of 9"):
            samples[index]


def test_a_sample_may_be_written_to():
    episode = wandering(5)
    sample = Samples([episode], [], horizon=2)[0]
    sample.state[:] = sample.actions[:] = 99
    assert episode.states.max() < 2 and episode.actions.max() < 2


def test_a_damaged_cached_picture_is_decoded_again(tmp_path, caplog):
    made = episode_bag(tmp_path / "e", 60)
    episode, cached = BagEpisode(made.path), cache(tmp_path)
    cached.build([episode], CAMERAS)
    (file,) = (tmp_path / "cache").glob("*/front*.u8")
    with file.open("r+b") as pixels:
        pixels.seek(100_000)
        pixels.write(bytes(range(64)))
    samples = Samples([episode], CAMERAS, cached, ages="freshest")
    with caplog.at_level(logging.WARNING):
        check(samples[2], made, 2, 60)
    assert "cached picture 0 of camera 'front' is damaged" in caplog.text
    assert cached.frames(episode, "front") is None  # Rebuilt next time.
    check(samples[59], made, 59, 60)


def test_pictures_that_cannot_be_decoded_cost_their_rows_only():
    episode = wandering(20, frames={"front": frames_of([1, 1_100_000_001])})
    episode.times_ns = 1 + np.arange(20) * 20_000_000 + 900_000_000
    episode.frames["front"] = frames_of([episode.times_ns[0], episode.times_ns[10]])

    class Cache:
        sizes = InputSizes()

        def frames(self, *_):
            from types import SimpleNamespace

            return SimpleNamespace(usable=np.array([False, True]))

    samples = Samples([episode], ["front"], Cache(), ages="freshest")
    assert [int(row) for row in samples._readers[0].rows] == list(range(10, 20))


@pytest.mark.parametrize(
    ("episode", "message"),
    [
        (wandering(5), "has no pictures of front"),
        (wandering(5, labels=(), frames={"front": frames_of([1])}), "followed a chunk under a"),
        (wandering(5, frames={"front": frames_of([1])}), "fresh pictures of all of front in none"),
    ],
    ids=["no camera", "no label", "too old"],
)
def test_episodes_without_trainable_rows_are_an_error(episode, message):
    with pytest.raises(SampleError, match=f"no row of 1 episodes trains: memory .*{message}"):
        Samples([episode], ["front"])
    with pytest.raises(SampleError, match="there are no episodes"):
        Samples([], ["front"])


def test_two_robots_are_refused():
    other = wandering(5, facts=layout_facts(("a", "b"), ("m", "m"), "other"))
    with pytest.raises(SampleError, match=r"is of another robot \(other, 2 entries\)"):
        Samples([wandering(5), other], [])


def of_actions(names, units):
    """80 rows with a state of two joints, and actions of their own: k, k + 0.1, … in row k."""
    facts = layout_facts(
        ("x", "y"), ("m", "m"), action_names=names, action_units=units, task="tidy up"
    )
    episode = wandering(80, facts=facts)
    episode.actions = np.arange(80.0)[:, None] + np.arange(len(names)) / 10
    return episode


def test_actions_may_have_entries_of_their_own():
    episode = of_actions(("vx", "delta_z", "gripper"), ("m/s", "m/step", ""))
    samples = Samples([episode], ())
    assert len(samples) == 80
    sample = samples[78]
    np.testing.assert_array_equal(sample.state, episode.states[78])
    # Behind the end a velocity and a step are 0, and a position repeats.
    np.testing.assert_allclose(
        sample.actions[:4], [[78, 78.1, 78.2], [79, 79.1, 79.2], [0, 0, 79.2], [0, 0, 79.2]]
    )
    assert sample.action_valid.tolist() == [True] * 2 + [False] * 48
    other = of_actions(("vx", "delta_y", "gripper"), ("m/s", "m/step", ""))
    with pytest.raises(SampleError, match="2 entries, 3 of the action"):
        Samples([episode, other], ())


def test_the_policys_cameras_are_in_the_bags_that_tests_make():
    assert set(PLATFORM.policy_cameras) == set(CAMERAS)
    assert SubtaskLabel(0, 1, "x", "model").score is None
