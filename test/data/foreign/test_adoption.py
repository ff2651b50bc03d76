"""Adoption of recordings of three styles, and of recordings that do not fit their mapping."""

import copy
import math

import numpy as np
import pytest
import yaml
from fakes.foreign_bags import (
    ALOHA,
    ARRAY,
    COMPRESSED,
    FLAG,
    JOINTS,
    MS,
    START,
    TEXT,
    ForeignBag,
    aloha,
    jpeg,
    libero,
    mobile,
)

from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.foreign.adoption import adopt, save_adoption
from pi05_ros.data.foreign.mapping import ForeignBagError
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import Pi05Error
from pi05_ros.foundation.resources import resource_path

DEGREE = math.pi / 180


def example(name):
    return yaml.safe_load(resource_path(f"config/adopt/{name}.yaml").read_text())


def mapping(**keys):
    return {**copy.deepcopy(ALOHA), **keys}


def adopted(path, content, out=None):
    where = save_adoption(adopt(path, content, "m.yaml"), path, out)
    return open_episodes(where)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_leader_and_a_follower(tmp_path, storage):
    (episode,) = adopted(aloha().write(tmp_path / "towel", storage), mapping())
    k = np.arange(100)
    assert np.array_equal(episode.times_ns, START + 20 * MS * k)
    # The gripper of the leader: 0.5 * 1.0 + 0.25, clipped at 0.7.
    assert episode.states == pytest.approx(np.stack([0.01 * k, np.full(100, 0.4)], axis=1))
    assert episode.actions == pytest.approx(np.stack([0.01 * k + 0.5, np.full(100, 0.7)], axis=1))
    assert (episode.modes == 1).all() and (episode.control_sources == 2).all()
    assert episode.facts.names == ("waist", "gripper") and episode.facts.units == ("rad", "")
    assert (episode.facts.id, episode.facts.task) == ("towel", "fold the towel")
    assert (episode.facts.platform, episode.facts.outcome) == ("aloha", "success")
    # Pictures of rows 0, 5, 10, …, grey as the row's number.
    assert np.array_equal(episode.frame_of_row("high"), k // 5)
    assert [round(p.mean()) for p in episode.pictures("high", 0, 3)] == [0, 5, 10]


def test_an_arm_on_a_base_in_two_episodes(tmp_path):
    first, second = adopted(mobile().write(tmp_path / "tidy"), example("mobile_base"))
    assert [first.facts.id, second.facts.id] == ["tidy_0", "tidy_1"]
    assert [first.facts.outcome, second.facts.outcome] == ["success", "failure"]
    assert first.facts.task == "tidy up"
    seconds = (first.times_ns - START) / 1e9
    assert seconds == pytest.approx(1 + 0.05 * np.arange(60))
    # Degrees on the line between two messages; a finger of 0.02 m is 25 * 0.02 = 0.5 open.
    assert first.states[:, 0] == pytest.approx((90 + 10 * seconds) * DEGREE)
    assert first.states[:, 1:] == pytest.approx(np.tile([0.5, 0.3, 0.0], (60, 1)))
    # The last point of the trajectory of each second; cmd_vel from 2.0 to 3.0 s and 0.2 s after.
    assert first.actions[:, 0] == pytest.approx(2 + np.floor(seconds + 1e-6))
    assert first.actions[:, 1].tolist() == [0.0] * 60
    moving = (seconds > 1.99) & (seconds < 3.21)
    assert np.array_equal(first.actions[:, 2], np.where(moving, 0.4, 0.0))
    assert [(la.start_row, la.stop_row, la.text) for la in first.labels] == [
        (0, 40, "go to the table"),
        (40, 60, "pick up the cup"),
    ]
    # The second one: the subtask from before it holds on, and the button is pressed.
    assert [(la.start_row, la.stop_row, la.text) for la in second.labels] == [
        (0, 40, "pick up the cup")
    ]
    assert second.actions[0].tolist() == [7.0, 1.0, 0.0, 0.0]
    assert second.times_ns[0] == START + 5000 * MS and len(second) == 40
    assert round(second.picture("front", int(second.frame_of_row("front")[0])).mean()) == 100


def test_a_state_of_8_and_an_action_of_7(tmp_path):
    (episode,) = adopted(libero().write(tmp_path / "bowl"), example("libero"))
    assert len(episode) == 11 and len(episode.facts.names) == 8
    assert episode.facts.action_names[::6] == ("delta_x", "gripper")
    assert episode.states[3] == pytest.approx(3 + np.arange(8) / 10)
    assert episode.actions[3] == pytest.approx(-3 - np.arange(7) / 10)
    assert (episode.control_sources == 1).all()
    # Neither arrays nor pictures have stamps: they stand at their log times.
    assert episode.times_ns[1] == START + 100 * MS
    assert [round(p.mean()) for p in episode.pictures("wrist", 2, 4)] == [102, 103]


def test_nothing_of_the_bag_is_rewritten(tmp_path):
    path = aloha().write(tmp_path / "towel")
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    adoption = adopt(path, mapping(), "m.yaml")
    assert {file.name for file in path.iterdir()} == set(before)
    save_adoption(adoption, path)
    after = {file.name: file.read_bytes() for file in path.iterdir()}
    assert set(after) - set(before) == {"adopted.yaml"}
    assert all(after[name] == data for name, data in before.items())


def test_a_folder_of_links_holds_what_must_not_get_another_file(tmp_path):
    path = aloha().write(tmp_path / "towel")
    for bag in (path, next(path.glob("*.mcap"))):
        (episode,) = adopted(bag, mapping(), tmp_path / f"out_{bag.suffix}")
        assert len(episode) == 100 and episode.source.parent == tmp_path / f"out_{bag.suffix}"
    assert not (path / "adopted.yaml").exists()


def test_a_file_without_a_folder_needs_another_place(tmp_path):
    path = aloha().write(tmp_path / "towel")
    single = tmp_path / "single.mcap"
    next(path.glob("*.mcap")).rename(single)
    with pytest.raises(BagError, match="--out FOLDER makes one, with a link to it"):
        save_adoption(adopt(single, mapping(), "m.yaml"), single)


def test_the_fingerprint_covers_the_mapping_and_the_span(tmp_path):
    path = mobile().write(tmp_path / "tidy")
    content = example("mobile_base")
    prints = {episode.fingerprint for episode in adopted(path, content)}
    content["entries"][1]["state"]["scale"] = 20.0
    prints |= {episode.fingerprint for episode in adopted(path, content)}
    assert len(prints) == 4


def test_gaps_divide_a_bag(tmp_path):
    bag = ForeignBag()
    for k in [*range(60), *range(150, 220), *range(400, 410)]:
        bag.joints("/follower/joint_states", 20 * k, waist=float(k), gripper=0.0)
        bag.joints("/leader/joint_states", 20 * k, waist=0.0, gripper=0.0)
    content = mapping(cameras=[], split={"by": "gaps", "gap_s": 1.0})
    adoption = adopt(bag.write(tmp_path / "b"), content, "m.yaml")
    # A row at max_age_s after the last message is still there: 5 rows more before each gap.
    assert [(one.span.id, one.rows) for one in adoption.episodes] == [("b_0", 65), ("b_1", 75)]
    assert "1 episodes are shorter than split: min_s (1 s)" in adoption.notes
    episodes = adopted(tmp_path / "b", content)
    assert [len(episode) for episode in episodes] == [65, 75]
    assert episodes[1].states[0, 0] == 150.0


def test_a_string_divides_a_bag_and_names_the_task(tmp_path):
    bag = aloha(4.0)
    for at, text in ((0, ""), (500, "fold"), (2000, "unfold"), (3500, "")):
        bag.add("/task", TEXT, at, data=text)
    content = mapping(task="", task_topic="/task", split={"by": "topic", "topic": "/task"})
    found = adopt(bag.write(tmp_path / "b"), content, "m.yaml").episodes
    assert [(one.span.task, one.rows) for one in found] == [("fold", 75), ("unfold", 75)]


def test_odd_messages_are_notes(tmp_path):
    bag = aloha()
    bag.joints("/follower/joint_states", 201.5, waist=9.0, gripper=0.04)  # Its own stamp: 200.5.
    bag.add("/leader/joint_states", JOINTS, 22, 20, name=["waist", "gripper"], position=[1, 1])
    nan = {"name": ["waist", "gripper"], "position": [math.nan, 0.04]}
    bag.add("/follower/joint_states", JOINTS, 401.4, 400.1, **nan)
    adoption = adopt(bag.write(tmp_path / "b"), mapping(subtask=""), "m.yaml")
    assert set(adoption.notes) == {
        "/leader/joint_states: 1 messages have the stamp of another one: the later one counts",
        "no row has a subtask, so none trains yet: `./pi05 bags label` adds them",
    }
    bag.add("/follower/joint_states", JOINTS, 402, 410, **nan)
    bag.add("/follower/joint_states", JOINTS, 440, 420, **nan)
    notes = adopt(bag.write(tmp_path / "c"), mapping(), "m.yaml").notes
    assert "waist: state: 1 of 100 rows have no finite value and do not train" in notes


def test_damaged_and_unstamped_pictures_are_left_out(tmp_path):
    bag = aloha()
    topic = "/cam_high/image_raw/compressed"
    bag.add(topic, COMPRESSED, 411, -START / MS, format="jpeg", data=jpeg(1))
    bag.add(topic, COMPRESSED, 431, 430, format="jpeg", data=jpeg(1)[:-40])
    path = bag.write(tmp_path / "b")
    notes = adopt(path, mapping(), "m.yaml").notes
    assert notes == ("camera high: 1 pictures are left out: old, or unstamped",)
    (episode,) = adopted(path, mapping())
    assert len(episode.frame_times_ns("high")) == 20


def without(topic):
    bag = aloha()
    bag.messages = [message for message in bag.messages if message[1] != topic]
    return bag


def jumping():
    bag = aloha()
    bag.add("/follower/joint_states", JOINTS, 1000.5, 1000 - 5000, name=["waist", "gripper"],
            position=[0, 0])  # fmt: skip
    return bag


def other_clock():
    bag = without("/leader/joint_states")
    for k in range(100):
        bag.add("/leader/joint_states", JOINTS, 20 * k, 20 * k - 7000, name=["waist", "gripper"],
                position=[0, 0])  # fmt: skip
    return bag


def half_stamped():
    bag = aloha()
    bag.add("/leader/joint_states", JOINTS, 500, -START / MS, name=["waist"], position=[0])
    return bag


def flag_pictures():
    bag = without("/cam_high/image_raw/compressed")
    bag.add("/cam_high/image_raw/compressed", FLAG, 5, data=True)
    return bag


def nan_leader():
    bag = without("/leader/joint_states")
    for k in range(100):
        bag.joints("/leader/joint_states", 20 * k, waist=math.nan, gripper=0.0)
    return bag


def late_leader():
    bag = without("/leader/joint_states")
    bag.joints("/leader/joint_states", 0, waist=0.0, gripper=0.0)
    bag.joints("/follower/joint_states", 9000, waist=0.0, gripper=0.0)
    return bag


def said(text):
    bag = aloha()
    bag.add("/subtask", TEXT, 10, data=text)
    return bag


CASES = {
    "no topic": (
        lambda: without("/leader/joint_states"),
        {},
        r"entries: waist: action: there is no topic /leader/joint_states in the bag; did you mean",
    ),
    "wrong type of a camera": (
        flag_pictures,
        {},
        r"cameras: high: /cam_high/image_raw/compressed: wanted sensor_msgs/msg/Image or .*"
        "CompressedImage, found std_msgs/msg/Bool",
    ),
    "wrong type of a topic of texts": (
        aloha,
        {"task": "", "task_topic": "/leader/joint_states"},
        "task_topic: /leader/joint_states: wanted std_msgs/msg/String, found sensor_msgs",
    ),
    "no joint": (
        lambda: _renamed("waist", "waste"),
        {},
        "/follower/joint_states: joint: wanted 'waist', found gripper, waste; did you mean 'wast",
    ),
    "a clock that jumped back": (jumping, {}, "/follower/joint_states: wanted stamps that rise"),
    "two clocks": (other_clock, {}, r"found /leader/joint_states stamped 6.999 s behind"),
    "a stamp that is missing": (half_stamped, {}, "found 1 of 101 without one; `log_time: "),
    "NaN": (nan_leader, {}, r"entries: waist: action: wanted numbers, found none in 100 rows"),
    "a subtask with a token": (
        lambda: said("pick <loc0>"),
        {"subtask": "", "subtask_topic": "/subtask"},
        "subtask_topic: /subtask: 'pick <loc0>': it has '<'.*`./pi05 bags label` labels",
    ),
    "an outcome that is none": (
        lambda: said("great"),
        {"outcome": "", "outcome_topic": "/subtask"},
        "outcome_topic: /subtask: 'great': wanted success or failure",
    ),
    "no episode": (
        lambda: said(""),
        {"split": {"by": "topic", "topic": "/subtask"}},
        "split: no episode is left: /subtask never began an episode",
    ),
}


def _renamed(old, new):
    bag = ForeignBag()
    for k in range(100):
        bag.joints("/follower/joint_states", 20 * k, **{new: 0.0, "gripper": 0.0})
        bag.joints("/leader/joint_states", 20 * k, **{old: 0.0, "gripper": 0.0})
    bag.add("/cam_high/image_raw/compressed", COMPRESSED, 5, 4, format="jpeg", data=jpeg(9))
    return bag


@pytest.mark.parametrize("case", CASES)
def test_a_bag_that_does_not_fit_says_which_topic_and_key(tmp_path, case):
    make, keys, message = CASES[case]
    path = make().write(tmp_path / "b")
    with pytest.raises(ForeignBagError, match=message):
        adopt(path, mapping(**keys), "m.yaml")


def test_log_times_replace_the_stamps_of_a_wrong_clock(tmp_path):
    content = mapping(log_time=["/leader/joint_states"])
    assert adopt(other_clock().write(tmp_path / "b"), content, "m.yaml").episodes[0].running > 90


def test_commands_that_fall_silent_end_the_run(tmp_path):
    summary = adopt(late_leader().write(tmp_path / "b"), mapping(), "m.yaml").episodes[0]
    # Fresh for 100 ms from the stamp at -1 ms on: rows at 0, 20, …, 80 ms.
    assert (summary.running, summary.labelled) == (5, summary.rows)


def test_an_array_that_is_too_short_is_named(tmp_path):
    bag = libero()
    bag.add("/action", ARRAY, 555, data=[0.0] * 6)
    with pytest.raises(ForeignBagError, match=r"/action, message 7: wanted data\[6\], found 6"):
        adopt(bag.write(tmp_path / "b"), example("libero"), "m.yaml")


def test_an_episode_of_the_suite_is_refused(tmp_path):
    from fakes.bags import make_bag, text

    from pi05_ros.data.bags.writer import BagTopic

    path = make_bag(
        tmp_path / "ours", [BagTopic("/t", TEXT, ())], [("/t", text("x"), START)],
        EpisodeFacts(id="ours"),
    )  # fmt: skip
    with pytest.raises(BagError, match="is an episode of the suite already"):
        adopt(path, mapping(), "m.yaml")


def test_an_empty_bag_is_refused(tmp_path):
    path = ForeignBag().write(tmp_path / "b")
    with pytest.raises(BagError, match="holds no messages"):
        adopt(path, mapping(), "m.yaml")


def test_random_recordings_are_adopted_or_refused_in_words(tmp_path):
    """Missing, repeated, late, NaN and reordered messages in any mixture."""
    random = np.random.default_rng(7)
    outcomes = set()
    for number in range(12):
        bag = aloha(1.0)
        for _ in range(int(random.integers(1, 40))):
            at = int(random.integers(len(bag.messages)))
            what = random.integers(4)
            log_ns, topic, kind, data = bag.messages[at]
            if what == 0:
                del bag.messages[at]
            elif what == 1:
                bag.messages.append(bag.messages[at])
            elif what == 2:
                bag.messages[at] = (
                    log_ns + int(random.integers(-200, 200)) * MS, topic, kind, data
                )  # fmt: skip
            elif kind == JOINTS:
                bag.joints(topic, float(random.integers(1000)), waist=math.nan, gripper=0.0)
        path = bag.write(tmp_path / str(number))
        try:
            (episode,) = adopted(path, mapping())
            assert (np.diff(episode.times_ns) > 0).all() and len(episode) <= 60
            assert len(episode.states) == len(episode.actions) == len(episode.modes)
            outcomes.add("adopted")
        except Pi05Error as error:
            assert "/" in str(error)
            outcomes.add("refused")
    assert "adopted" in outcomes
