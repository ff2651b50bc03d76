"""An episode in a bag equals what was written, lazily and at random access."""

import concurrent.futures
import multiprocessing
import pickle

import cv2
import numpy as np
import pytest
from fakes.bags import SECOND, make_bag
from fakes.model_bags import (
    BEGAN,
    COMPRESSED,
    IMAGE,
    PERIOD,
    PLATFORM,
    STATE,
    encode,
    episode_bag,
    header,
    image,
    jpeg,
    state,
    subtask,
)

from pi05_ros.cameras.decoding import PictureError, decode_message
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, WriterSettings
from pi05_ros.data.episodes import bag_episode
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import MODE_HOLDING, PictureBox
from pi05_ros.data.episodes.samples import Samples

FRONT = PLATFORM.camera("front").topic


def test_rows_come_back_as_they_were_written(tmp_path):
    made = episode_bag(tmp_path / "e", 60, modes={7: MODE_HOLDING})
    episode = BagEpisode(made.path)
    assert len(episode) == 60 and episode.rate_hz == 50.0 and episode.facts.task == "tidy up"
    np.testing.assert_array_equal(episode.times_ns, BEGAN + np.arange(60) * PERIOD)
    np.testing.assert_array_equal(episode.states, made.states)
    np.testing.assert_array_equal(episode.actions, made.actions)
    assert np.flatnonzero(episode.modes != 1).tolist() == [7] and episode.modes[7] == MODE_HOLDING
    assert episode.states.dtype == np.float64 and episode.modes.dtype == np.uint8


def test_an_action_that_was_never_sent_is_nan(tmp_path):
    nothing = np.full(PLATFORM.size, np.nan)
    early = (STATE, state(BEGAN - PERIOD, np.zeros(PLATFORM.size), nothing), BEGAN - PERIOD)
    episode = BagEpisode(episode_bag(tmp_path / "e", 5, extra=[early]).path)
    assert np.isnan(episode.actions[0]).all() and np.isfinite(episode.actions[1:]).all()


def test_labels_have_text_and_source_of_each_subtask(tmp_path):
    box = {"camera": "front", "label": "cup", "x_min": 0.25, "x_max": 0.5, "y_max": 1.0}
    labels = [
        (0, subtask("pick up the cup", boxes=[box], score=0.5)),
        (10, subtask("wave", "human", model_text="place the cup", id=2)),
        (20, subtask("", id=3)),
    ]
    episode = BagEpisode(episode_bag(tmp_path / "e", 30, labels=labels).path)
    first, second = episode.labels
    assert (first.start_row, first.stop_row, first.source, first.score) == (0, 10, "model", 0.5)
    assert first.boxes == (PictureBox("front", "cup", 0.25, 0.0, 0.5, 1.0),)
    assert (second.start_row, second.stop_row, second.text) == (10, 20, "wave")
    assert (second.source, second.model_text, second.task) == ("human", "place the cup", "tidy up")


@pytest.mark.parametrize("draw", [image, jpeg])
def test_pictures_come_back_in_any_order(tmp_path, draw):
    made = episode_bag(tmp_path / "e", 100, draw=draw, cameras=("front", "back"))
    episode = BagEpisode(made.path)
    assert episode.cameras == ("front", "back")
    stamps = BEGAN + np.arange(0, 100, 5) * PERIOD
    np.testing.assert_array_equal(episode.frame_times_ns("back"), stamps)
    for camera in episode.cameras:
        for index in (19, 0, 7, 8, -1):
            rgb = made.pictures[camera][index]
            if draw is jpeg:
                from fakes.model_bags import COMPRESSED, store

                message = store().deserialize_cdr(jpeg(0, rgb), COMPRESSED)
                rgb = decode_message(COMPRESSED, message)
            np.testing.assert_array_equal(episode.picture(camera, index), rgb)
        in_order = list(episode.pictures(camera, 3, 9))
        assert len(in_order) == 6
        np.testing.assert_array_equal(in_order[0], episode.picture(camera, 3))
        np.testing.assert_array_equal(in_order[5], episode.picture(camera, 8))
    assert episode.frame_of_row("front").tolist() == [k // 5 for k in range(100)]
    with pytest.raises(IndexError, match="picture 20 of 20"):
        episode.picture("front", 20)
    with pytest.raises(KeyError, match="nose"):
        episode.frame_times_ns("nose")


def test_late_repeated_and_future_pictures_are_left_out_as_on_the_live_path(
    tmp_path,
):
    pixels = {n: np.full((4, 4, 3), n, np.uint8) for n in range(9)}
    at = BEGAN
    sent = [
        (at + 10, 1, at + 11),
        (at + 30, 2, at + 31),
        (at + 20, 3, at + 32),  # Out of order: not newer.
        (at + 30, 4, at + 33),  # Repeated.
        (0, 5, at + 34),  # Without a stamp.
        (at + SECOND, 6, at + 35),  # By a clock that is ahead.
        (at + 40, 7, at + 36),
        (at + SECOND, 8, at + SECOND + 1),  # Sent again at its own time.
    ]
    extra = [(FRONT, image(stamp, pixels[n]), log) for stamp, n, log in sent]
    topic = BagTopic(FRONT, IMAGE, (OfferedQos(),))
    made = episode_bag(tmp_path / "e", 3, cameras=(), extra=extra, extra_topics=[topic])
    episode = BagEpisode(made.path)
    assert (episode.frame_times_ns("front") - at).tolist() == [10, 30, 40, SECOND]
    assert [int(p[0, 0, 0]) for p in episode.pictures("front", 0, 4)] == [1, 2, 7, 8]
    assert episode.index.frames["front"].left_out == 4


def test_a_picture_that_cannot_be_decoded_is_an_error_and_the_others_are_not(tmp_path):
    broken = image(BEGAN + 1, np.zeros((4, 4, 3), np.uint8), encoding="32FC1")
    extra = [
        (FRONT, broken, BEGAN + 2),
        (FRONT, image(BEGAN + 3, np.ones((4, 4, 3), np.uint8)), BEGAN + 4),
    ]
    topic = BagTopic(FRONT, IMAGE, (OfferedQos(),))
    made = episode_bag(tmp_path / "e", 3, cameras=(), extra=extra, extra_topics=[topic])
    episode = BagEpisode(made.path)
    with pytest.raises(
        PictureError, match="e: picture 0 of camera 'front': unknown encoding '32FC1'"
    ):
        episode.picture("front", 0)
    assert episode.picture("front", 1).max() == 1


def test_unknown_topics_are_ignored(tmp_path):
    extra = [("/strange", b"\0\1\0\0anything", BEGAN + n) for n in range(3)]
    topic = BagTopic("/strange", "std_msgs/msg/String", (OfferedQos(),))
    made = episode_bag(tmp_path / "e", 10, extra=extra, extra_topics=[topic])
    np.testing.assert_array_equal(BagEpisode(made.path).states, made.states)


def test_simulated_time_far_from_wall_time_works(tmp_path):
    """Log times and stamps are those of /clock; nothing reads the wall clock."""
    made = episode_bag(tmp_path / "e", 10, simulated=True)
    episode = BagEpisode(made.path)
    assert episode.facts.simulated and episode.times_ns[0] == BEGAN and len(episode.labels) == 1


def test_a_camera_that_never_sent_is_not_listed(tmp_path):
    assert BagEpisode(episode_bag(tmp_path / "e", 5, cameras=()).path).cameras == ()


def test_only_the_facts_are_read_before_first_use(tmp_path, monkeypatch):
    made = episode_bag(tmp_path / "e", 5)
    monkeypatch.setattr(bag_episode, "read_index", lambda *_: pytest.fail("the bag was read"))
    assert BagEpisode(made.path).facts.id == "e"


def test_the_index_is_read_once_and_then_from_the_cache(tmp_path, monkeypatch):
    labels = [(2, subtask("wave", boxes=[{"camera": "front", "label": "cup"}]))]
    made = episode_bag(tmp_path / "e", 20, labels=labels)
    cache = CacheFolder(tmp_path / "cache", 1 << 30)
    first = BagEpisode(made.path, cache)
    first.index  # noqa: B018 - reads it
    monkeypatch.setattr(bag_episode, "read_index", lambda *_: pytest.fail("the bag was read"))
    again = BagEpisode(made.path, cache)
    np.testing.assert_array_equal(again.states, made.states)
    assert again.labels == first.labels and again.labels[0].boxes
    np.testing.assert_array_equal(again.picture("front", 2), made.pictures["front"][2])


@pytest.mark.parametrize("damage", [b"", b"nonsense"])
def test_a_damaged_index_is_rebuilt(tmp_path, damage):
    made = episode_bag(tmp_path / "e", 20)
    cache = CacheFolder(tmp_path / "cache", 1 << 30)
    BagEpisode(made.path, cache).index  # noqa: B018 - reads it
    (file,) = (tmp_path / "cache").glob("*/index-*.npz")
    whole = file.read_bytes()
    for content in (damage, whole[: len(whole) // 2], whole[:300] + b"\1\2\3" + whole[303:]):
        file.write_bytes(content)
        np.testing.assert_array_equal(BagEpisode(made.path, cache).states, made.states)
        assert len(file.read_bytes()) == len(whole)


def test_a_changed_bag_has_another_fingerprint(tmp_path):
    first = BagEpisode(episode_bag(tmp_path / "a", 20, id="same").path).fingerprint
    other = BagEpisode(episode_bag(tmp_path / "b", 21, id="same").path).fingerprint
    assert first != other and first.isalnum()


def test_it_is_pickled_with_or_without_a_cache(tmp_path):
    made = episode_bag(tmp_path / "e", 20)
    for cache in (None, CacheFolder(tmp_path / "cache", 1 << 30)):
        episode = BagEpisode(made.path, cache)
        for _ in range(2):  # Before and after the index is read.
            back = pickle.loads(pickle.dumps(episode))
            np.testing.assert_array_equal(back.states, made.states)
            np.testing.assert_array_equal(back.picture("front", 1), made.pictures["front"][1])


def test_many_threads_read_it(tmp_path):
    made = episode_bag(tmp_path / "e", 200, settings=WriterSettings(chunk_bytes=8192))
    episode = BagEpisode(made.path)
    jobs = [(camera, i) for i in range(40) for camera in episode.cameras]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for (camera, i), found in zip(
            jobs, pool.map(lambda job: episode.picture(*job), jobs), strict=True
        ):
            np.testing.assert_array_equal(found, made.pictures[camera][i])


def _as_written(episode, pictures, seed):
    """Check that 400 random pictures equal what was written."""
    for index in np.random.default_rng(seed).integers(0, 40, 400):
        if not np.array_equal(episode.picture("front", int(index)), pictures[index]):
            return False
    return True


def test_forked_workers_do_not_share_their_parents_place_in_the_file(tmp_path):
    made = episode_bag(tmp_path / "e", 200, settings=WriterSettings(chunk_bytes=8192))
    episode, pictures = BagEpisode(made.path), made.pictures["front"]
    episode.picture("front", 0)  # The parent's reader is open.
    with concurrent.futures.ProcessPoolExecutor(
        2, mp_context=multiprocessing.get_context("fork")
    ) as pool:
        jobs = [pool.submit(_as_written, episode, pictures, seed) for seed in range(4)]
        assert all(job.result() for job in jobs)


def test_more_bags_than_are_kept_open_are_read_side_by_side(tmp_path):
    made = [episode_bag(tmp_path / f"e{n}", 40 + n) for n in range(6)]
    streams = [BagEpisode(one.path).pictures("front", 0, 8) for one in made]
    for i, pictures in enumerate(zip(*streams, strict=True)):
        for one, picture in zip(made, pictures, strict=True):
            np.testing.assert_array_equal(picture, one.pictures["front"][i])


def refusal(path):
    with pytest.raises(BagError) as caught:
        len(BagEpisode(path))
    return str(caught.value)


def test_another_recorders_bag_is_refused(tmp_path):
    import json

    path = episode_bag(tmp_path / "e", 5).path
    text = (path / "metadata.yaml").read_text()
    (path / "metadata.yaml").write_text(text.replace("pi05.", "theirs."))
    message = refusal(path)
    assert "is a bag, but no episode of this suite" in message and "/pi05/robot_state" in message
    assert json.dumps(str(path))[1:-1] in message


def test_a_bag_without_rows_is_refused(tmp_path):
    topics = [BagTopic("/chatter", "std_msgs/msg/String", (OfferedQos(),))]
    path = make_bag(tmp_path / "e", topics, [("/chatter", b"\0\1\0\0\2\0\0\0a\0", 5)])
    assert "has no rows: wanted messages of /pi05/robot_state" in refusal(path)
    assert "found no such topic; was the control bridge active" in refusal(path)


@pytest.mark.parametrize(("measured", "commanded"), [(17, 18), (18, 17)])
def test_a_row_with_a_value_too_few_is_refused(tmp_path, measured, commanded):
    time = BEGAN - PERIOD
    short = (STATE, state(time, np.zeros(measured), np.zeros(commanded)), time)
    message = refusal(episode_bag(tmp_path / "e", 5, extra=[short]).path)
    assert f"found 18 names and vectors of {measured} and {commanded}" in message


def test_rows_of_another_robot_than_the_metadata_names_are_refused(tmp_path):
    names = ("elbow", *PLATFORM.names[1:])
    message = refusal(episode_bag(tmp_path / "e", 5, names=names).path)
    assert "row 0 is of another robot" in message and "('left_arm_joint_1' for 'elbow')" in message
    short = episode_bag(tmp_path / "f", 5, names=names[:3], units=("rad",) * 3).path
    assert "wanted the 3 entries" in refusal(short) and "found 18 names" in refusal(short)


def test_a_clock_that_jumped_back_is_an_error(tmp_path):
    extra = [(STATE, state(5, np.zeros(18), np.zeros(18)), BEGAN + 2 * PERIOD)]
    message = refusal(episode_bag(tmp_path / "e", 5, extra=extra).path)
    assert "the clock jumped back by 100.020 s at row 2 of 6" in message


def test_rows_from_before_and_after_a_clock_jump_are_not_mixed(tmp_path):
    """The clock jumps back by five rows: sorted by log time, the stamps still rise."""
    times = [BEGAN + k * PERIOD for k in (*range(10), *range(5, 15))]
    pose = np.zeros(PLATFORM.size)
    rows = [(STATE, state(time, pose, pose), time) for time in times]
    topic = BagTopic(STATE, "pi05_msgs/msg/RobotState", (OfferedQos(),))
    made = episode_bag(tmp_path / "facts", 5, cameras=())
    with BagReader(made.path) as reader:
        facts = reader.facts
    message = refusal(make_bag(tmp_path / "e", [topic], rows, facts))
    assert "the clock jumped back while it was recorded, and rows from before and after" in message


def test_pictures_of_another_type_are_refused(tmp_path):
    topic = BagTopic("/talk", "std_msgs/msg/String", (OfferedQos(),))
    made = episode_bag(
        tmp_path / "e",
        5,
        cameras=(),
        extra=[("/talk", b"\0\1\0\0\2\0\0\0a\0", BEGAN)],
        extra_topics=[topic],
    )
    text = (made.path / "metadata.yaml").read_text()
    (made.path / "metadata.yaml").write_text(text.replace(FRONT, "/talk"))
    assert "wanted pictures of camera 'front' on /talk, found std_msgs/msg/String" in refusal(
        made.path
    )


def test_a_bag_of_several_files_is_one_episode(tmp_path):
    made = episode_bag(tmp_path / "e", 200, settings=WriterSettings(split_after_s=1.0))
    assert len(list(made.path.glob("*.mcap"))) > 2
    episode = BagEpisode(made.path)
    np.testing.assert_array_equal(episode.states, made.states)
    assert [(label.start_row, label.stop_row) for label in episode.labels] == [(0, 200)]
    for found, wanted in zip(
        episode.pictures("front", 0, 40), made.pictures["front"], strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


def test_a_bag_in_sqlite_is_an_episode_too(tmp_path):
    """A bag of `ros2 bag convert`: another storage, the same custom_data."""
    from fakes.model_bags import store
    from rosbags.rosbag2 import StoragePlugin, Writer

    made = episode_bag(tmp_path / "e", 60)
    with (
        BagReader(made.path) as reader,
        Writer(tmp_path / "sqlite", version=9, storage_plugin=StoragePlugin.SQLITE3) as writer,
    ):
        for key, value in reader.facts.to_custom_data().items():
            writer.set_custom_data(key, value)
        topics = {
            topic: writer.add_connection(topic, summary.type, typestore=store())
            for topic, summary in reader.topics.items()
        }
        for message in reader.messages():
            writer.write(topics[message.topic], message.log_ns, message.data)
    found, wanted = BagEpisode(tmp_path / "sqlite"), BagEpisode(made.path)
    np.testing.assert_array_equal(found.states, made.states)
    np.testing.assert_array_equal(found.times_ns, wanted.times_ns)
    assert found.labels == wanted.labels and found.facts == wanted.facts
    for index in (11, 0, 5):
        np.testing.assert_array_equal(
            found.picture("left_wrist", index), made.pictures["left_wrist"][index]
        )


def test_pictures_of_turned_cameras_are_upright_also_in_samples_and_datasets(tmp_path):
    made = episode_bag(tmp_path / "e", 30, rotations={"front": 180, "left_wrist": 90})
    episode = BagEpisode(made.path)
    front, wrist = (made.pictures[name][2] for name in ("front", "left_wrist"))
    np.testing.assert_array_equal(episode.picture("front", 2), front[::-1, ::-1])
    np.testing.assert_array_equal(episode.picture("left_wrist", 2), wrist[::-1].transpose(1, 0, 2))
    np.testing.assert_array_equal(
        episode.picture("right_wrist", 2), made.pictures["right_wrist"][2]
    )
    # Whoever writes them on, into a dataset or another bag, does not turn them again.
    assert episode.facts.rotations == {}
    sample = Samples([episode], ("left_wrist",), max_picture_age=1.0)[0]
    assert sample.images["left_wrist"].any(axis=(0, 2)).sum() == 224 * 24 // 32


def test_another_turn_is_another_entry_of_the_cache(tmp_path):
    made = episode_bag(tmp_path / "e", 20)
    with BagReader(made.path) as reader:
        plain = bag_episode.fingerprint_of(reader.files)
        assert bag_episode.fingerprint_of(reader.files, {"front": 0}) == plain
        assert bag_episode.fingerprint_of(reader.files, {"front": 180}) != plain


def test_damaged_pictures_are_none_and_rows_have_the_one_before(tmp_path):
    """As on the live path, where they are in no set; exports and reports read on, too."""
    lost = {3, 4, 9}

    def draw(stamp_ns, rgb):
        data = cv2.imencode(".jpg", rgb[..., ::-1])[1].ravel()
        if (stamp_ns - BEGAN) // (5 * PERIOD) in lost:
            data = np.delete(data, slice(2000, 6000))
        return encode(COMPRESSED, header=header(stamp_ns), format="jpeg", data=data)

    draw.compressed = True
    made = episode_bag(tmp_path / "e", 60, draw=draw, cameras=("front",), size=(120, 160))
    episode = BagEpisode(made.path)
    stamps = BEGAN + np.array([k for k in range(12) if k not in lost]) * 5 * PERIOD
    np.testing.assert_array_equal(episode.frame_times_ns("front"), stamps)
    assert episode.index.frames["front"].left_out == 3
    assert episode.frame_of_row("front")[[14, 16, 24, 25]].tolist() == [2, 2, 2, 3]
    assert len(list(episode.pictures("front", 0, 9))) == 9
