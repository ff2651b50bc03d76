"""Decoded pictures: built once, equal to a fresh decoding, rebuilt when damaged."""

import concurrent.futures
import pickle
import threading

import numpy as np
import pytest
from fakes.episodes import wandering
from fakes.model_bags import BEGAN, IMAGE, PLATFORM, episode_bag, image

from pi05_ros.cameras.model_input import model_input
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheError, CacheFolder
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.errors import Pi05Error

CAMERAS = ("front", "left_wrist")
PICTURE = 224 * 224 * 3


def cache(tmp_path, limit=1 << 30):
    return FrameCache(CacheFolder(tmp_path / "cache", limit))


@pytest.fixture
def made(tmp_path):
    return episode_bag(tmp_path / "e", 350, frames_every=5)


def test_cached_pictures_are_those_of_the_episode(tmp_path, made):
    episode, cached = BagEpisode(made.path), cache(tmp_path)
    assert cached.frames(episode, "front") is None
    steps = []
    done = cached.build([episode], CAMERAS, progress=lambda *step: steps.append(step))
    assert done == 140 and steps[-1] == (140, 140)
    for camera in CAMERAS:
        frames = pickle.loads(pickle.dumps(cached)).frames(BagEpisode(made.path), camera)
        assert frames.usable.all() and len(frames.usable) == 70
        for index in (0, 1, 63, 64, 69):
            wanted = model_input(made.pictures[camera][index])
            np.testing.assert_array_equal(frames.read(index), wanted)
    assert cached.frames(episode, "right_wrist") is None


def test_built_pictures_are_not_built_again(tmp_path, made, monkeypatch):
    episode, cached = BagEpisode(made.path), cache(tmp_path)
    cached.build([episode], CAMERAS, workers=1)
    monkeypatch.setattr(BagEpisode, "pictures", lambda *_: pytest.fail("decoded again"))
    assert cached.build([episode], CAMERAS) == 0


def test_a_damaged_picture_is_noticed_and_the_others_are_read(tmp_path, made):
    episode, cached = BagEpisode(made.path), cache(tmp_path)
    cached.build([episode], ["front"])
    (file,) = (tmp_path / "cache").glob("*/front*.u8")
    with file.open("r+b") as pixels:
        pixels.seek(3 * PICTURE + 77_000)
        pixels.write(b"\1\2\3")
    frames = cached.frames(episode, "front")
    assert frames.read(3) is None
    np.testing.assert_array_equal(frames.read(4), model_input(made.pictures["front"][4]))


@pytest.mark.parametrize("damage", ["cut", "gone", "no table", "cut table"])
def test_a_damaged_cache_is_rebuilt(tmp_path, made, damage):
    episode, cached = BagEpisode(made.path), cache(tmp_path)
    cached.build([episode], ["front"])
    (pixels,), (table,) = (list((tmp_path / "cache").glob(f"*/front*.{s}")) for s in ("u8", "npz"))
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "gone":
        pixels.unlink()
    elif damage == "no table":
        table.unlink()
    else:
        table.write_bytes(table.read_bytes()[:100])
    assert cached.frames(episode, "front") is None
    assert cached.build([episode], ["front"]) == 70
    found = cached.frames(episode, "front").read(69)
    np.testing.assert_array_equal(found, model_input(made.pictures["front"][69]))


def test_a_picture_that_cannot_be_decoded_is_not_usable_and_the_rest_is(tmp_path):
    topic = PLATFORM.camera("front").topic
    good = np.full((24, 32, 3), 9, np.uint8)
    sent = [image(BEGAN + n, good, "32FC1" if n in (2, 4) else "rgb8") for n in range(5)]
    extra = [(topic, data, BEGAN + n) for n, data in enumerate(sent)]
    made = episode_bag(
        tmp_path / "e",
        5,
        cameras=(),
        extra=extra,
        extra_topics=[BagTopic(topic, IMAGE, (OfferedQos(),))],
    )
    episode, cached = BagEpisode(made.path), cache(tmp_path)
    cached.build([episode], ["front"])
    frames = cached.frames(episode, "front")
    assert frames.usable.tolist() == [True, True, False, True, False]
    np.testing.assert_array_equal(frames.read(3), model_input(good))


def test_a_camera_without_pictures_is_an_empty_one(tmp_path):
    nothing = (np.zeros(0, np.int64), np.zeros((0, 4, 4, 3), np.uint8))
    episode, cached = wandering(5, frames={"front": nothing}), cache(tmp_path)
    assert cached.build([episode], ["front", "nose"]) == 0
    assert len(cached.frames(episode, "front").usable) == 0


def test_names_of_cameras_are_quoted_in_paths(tmp_path):
    name = "../observation.images/front"
    pixels = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    episode = wandering(5, frames={name: (np.array([1, 2]), pixels)})
    cached = cache(tmp_path)
    cached.build([episode], [name])
    np.testing.assert_array_equal(cached.frames(episode, name).read(1), model_input(pixels[1]))
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]


def test_too_many_pictures_for_the_cache_are_an_error_before_any_is_decoded(tmp_path, made):
    with pytest.raises(CacheError, match="are wanted at once"):
        cache(tmp_path, 10 * PICTURE).build([BagEpisode(made.path)], ["front"])
    assert not list((tmp_path / "cache").glob("*/*.u8"))


def test_room_is_made_by_removing_other_episodes(tmp_path, made):
    other = BagEpisode(episode_bag(tmp_path / "f", 100).path)
    cached = cache(tmp_path, 95 * PICTURE)
    cached.build([other], ["front"])
    mine = BagEpisode(made.path)
    cached.build([mine], ["front"])
    assert cached.frames(other, "front") is not None
    cached.folder.make_room(20 * PICTURE, keep={mine.fingerprint})
    assert cached.frames(other, "front") is None and cached.frames(mine, "front") is not None


def test_two_builders_of_the_same_pictures_share_the_work(tmp_path, made, monkeypatch):
    decoded, plain = [], BagEpisode.pictures

    def counted(self, camera, start, stop):
        decoded.append(stop - start)
        return plain(self, camera, start, stop)

    monkeypatch.setattr(BagEpisode, "pictures", counted)
    cached, together = cache(tmp_path), threading.Barrier(2)

    def build(_):
        episode = BagEpisode(made.path)
        together.wait()
        return cached.build([episode], CAMERAS)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(build, range(2)))
    assert sum(decoded) == 140
    found = cached.frames(BagEpisode(made.path), "left_wrist").read(69)
    np.testing.assert_array_equal(found, model_input(made.pictures["left_wrist"][69]))


def test_a_bag_that_cannot_be_read_ends_the_build_with_its_error(tmp_path, made):
    (file,) = made.path.glob("*.mcap")
    episode = BagEpisode(made.path)
    len(episode)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(Pi05Error, match=str(file.parent)):
        cache(tmp_path).build([episode], CAMERAS)
    assert not list((tmp_path / "cache").glob("*/.tmp-*"))
