"""Samples of a LeRobot dataset are those of the bags that it was made of."""

import concurrent.futures
import multiprocessing
import pickle

import numpy as np
import pytest
from fakes.model_bags import episode_bag

from pi05_ros.cli.bags import command
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.open import open_episodes
from pi05_ros.data.statistics.robot import Layout, RobotStatistics

CAMERAS = ("front", "left_wrist")


@pytest.fixture
def both(tmp_path, monkeypatch):
    """The episodes of two bags, and of the dataset that they were exported to."""
    monkeypatch.setenv("PI05_CACHE", str(tmp_path / "cache"))
    for name, rows in (("a", 60), ("b", 35)):
        episode_bag(
            tmp_path / "bags" / name, rows, outcome="success", size=(120, 160), smooth=True
        )
    assert command.main(["export", str(tmp_path / "bags"), str(tmp_path / "set")]) == 0
    return open_episodes(tmp_path / "bags"), open_episodes(tmp_path / "set")


def test_a_datasets_samples_are_those_of_its_bags(tmp_path, both):
    of_bags, of_set = both
    cached = FrameCache(CacheFolder(tmp_path / "cache", 1 << 30))
    cached.build([*of_bags, *of_set], CAMERAS)
    wanted = Samples(of_bags, CAMERAS, cached, ages="freshest")
    found = pickle.loads(pickle.dumps(Samples(of_set, CAMERAS, cached, ages="freshest")))
    plain = Samples(of_set, CAMERAS, ages="freshest")
    assert len(found) == len(wanted) == len(plain) == 95
    for index in (0, 1, 30, 59, 60, 94):
        bag, dataset = wanted[index], found[index]
        assert (dataset.episode, dataset.row) == (bag.episode, bag.row)
        np.testing.assert_array_equal(dataset.state, bag.state)
        np.testing.assert_array_equal(dataset.actions, bag.actions)
        np.testing.assert_array_equal(dataset.action_valid, bag.action_valid)
        assert (dataset.subtask, dataset.task, dataset.source) == (
            *(bag.subtask, bag.task, bag.source),
        )
        for camera in CAMERAS:
            off = np.abs(dataset.images[camera].astype(int) - bag.images[camera])
            assert off.mean() < 4.0  # The video's codec.
            np.testing.assert_array_equal(plain[index].images[camera], dataset.images[camera])


def test_a_dataset_has_the_live_observations_of_its_bags(both):
    (bags, of_set) = (Samples(episodes, CAMERAS) for episodes in both)
    assert len(bags) == len(of_set) == 11 + 6  # Without the first set, which makes one camera.
    for bag, other in zip(bags, of_set, strict=True):
        assert (other.row, other.picture_times_ns) == (bag.row, bag.picture_times_ns)


def test_a_datasets_statistics_are_those_of_its_bags(both):
    found = []
    for episodes in both:
        statistics = RobotStatistics(Layout.of(episodes[0]))
        for episode in episodes:
            statistics.add(episode)
        found.append(statistics.norm_stats(["left_arm_joint_1"]))
    assert found[0] == found[1]


def _as_before(episode, wanted, seed):
    """Check that random pictures equal those that the parent read."""
    return all(
        np.array_equal(episode.picture("front", int(index)), wanted[index])
        for index in np.random.default_rng(seed).integers(0, len(wanted), 40)
    )


def test_forked_workers_do_not_share_their_parents_place_in_a_video(tmp_path, monkeypatch):
    monkeypatch.setenv("PI05_CACHE", str(tmp_path / "cache"))
    episode_bag(  # Noise: the video must be larger than what a decoder reads ahead.
        *(tmp_path / "bag", 60), frames_every=1, cameras=("front",), size=(240, 320),
        outcome="success",
    )  # fmt: skip
    assert command.main(["export", str(tmp_path / "bag"), str(tmp_path / "set")]) == 0
    (episode,) = open_episodes(tmp_path / "set")
    wanted = [episode.picture("front", i) for i in range(len(episode.frame_times_ns("front")))]
    with concurrent.futures.ProcessPoolExecutor(
        2, mp_context=multiprocessing.get_context("fork")
    ) as pool:
        jobs = [pool.submit(_as_before, episode, wanted, seed) for seed in range(2)]
        assert all(job.result() for job in jobs)
