"""High-level samples of a hand-made episode, compared with a table computed by hand."""

import math
import pickle

import numpy as np
import pytest
from fakes.episodes import layout_facts, wandering
from fakes.model_bags import BEGAN, PERIOD, SUBTASK
from fakes.planned_bags import CUP_TEXT, MESSAGES, SINK_TEXT, decided, planned_bag, said

from pi05_ros.brain.interface import Box
from pi05_ros.cameras.model_input import model_input
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import PLAN, SPOKEN, Plan, SubtaskLabel
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.plan_samples import PlanSamples
from pi05_ros.data.episodes.plans import plans_of
from pi05_ros.data.episodes.samples import Samples

MS = 1_000_000
CAMERAS = ("front", "left_wrist")
# Stamp [ms], text ("": done), source, kind, the model's text, stamp of the pictures, row, boxes.
TABLE = (
    (200, CUP_TEXT, "model", PLAN, "", 200, 10, 1),
    (1000, CUP_TEXT, "model", PLAN, "", 1000, 50, 0),
    (1100, CUP_TEXT, "model", PLAN, "", 1100, 55, 1),
    (1310, "wave", "human", SPOKEN, SINK_TEXT, 1300, 65, 0),
    (1400, "wave", "human", SPOKEN, SINK_TEXT, 1400, 70, 0),
    (1500, "wave", "human", SPOKEN, "", 1500, 75, 0),
    (1700, SINK_TEXT, "model", PLAN, "", 1700, 85, 0),
    (2100, "", "model", PLAN, "", 2100, 105, 0),
)


def table_of(samples):
    return tuple(
        (
            (s.time_ns - BEGAN) // MS,
            *(s.text, s.source, s.kind, s.model_text),
            (s.picture_times_ns["front"] - BEGAN) // MS,
            *(s.row, len(s.boxes)),
        )
        for s in samples
    )


def test_each_answer_stands_at_the_picture_that_it_was_made_from(tmp_path):
    made = planned_bag(tmp_path / "e")
    episode = BagEpisode(made.path)
    cache = FrameCache(CacheFolder(tmp_path / "cache", 1 << 30))
    cache.build([episode], CAMERAS)
    for samples in (PlanSamples([episode], CAMERAS), PlanSamples([episode], CAMERAS, cache)):
        samples = pickle.loads(pickle.dumps(samples))
        assert table_of(samples) == TABLE and not samples.left_out
        for sample in samples:
            assert sample.task == "tidy up" and sample.done == (sample.text == "")
            np.testing.assert_array_equal(sample.state, made.states[sample.row])
            for camera in CAMERAS:
                picture = made.pictures[camera][sample.row // 5]
                assert sample.picture_times_ns[camera] == BEGAN + sample.row // 5 * 5 * PERIOD
                np.testing.assert_array_equal(sample.images[camera], model_input(picture))
    # The low level's rows have each text from its reception on.
    low = {s.row: s.subtask for s in Samples([episode], CAMERAS)}
    assert low == {
        **dict.fromkeys(range(30, 66, 5), CUP_TEXT),
        **dict.fromkeys(range(70, 95, 5), "wave"),
        **dict.fromkeys(range(95, 110, 5), SINK_TEXT),
    }


@pytest.mark.parametrize(
    ("rotations", "corners"),
    [
        # 32 × 24 fill the columns and rows 28 to 196 of 224; turned by 90°, the other way round.
        ({}, (0.25, (28 + 0.25 * 168) / 224, 0.5, (28 + 0.75 * 168) / 224)),
        ({"front": 90}, ((28 + 0.25 * 168) / 224, 0.25, (28 + 0.5 * 168) / 224, 0.75)),
    ],
)
def test_boxes_are_in_the_models_picture(tmp_path, rotations, corners):
    episode = BagEpisode(planned_bag(tmp_path / "e", rotations=rotations).path)
    (box,) = PlanSamples([episode], CAMERAS)[0].boxes
    assert (box.camera, box.label) == ("front", "cup") and math.isnan(box.score)
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == pytest.approx(corners)
    assert isinstance(box, Box)
    assert PlanSamples([episode], ["left_wrist"])[0].boxes == ()


def test_the_end_of_a_task_depends_on_the_outcome(tmp_path):
    def done(name, messages, outcome):
        episode = BagEpisode(planned_bag(tmp_path / name, messages, outcome=outcome).path)
        return [row[0] for row in table_of(PlanSamples([episode], CAMERAS)) if row[1] == ""]

    before = MESSAGES[:-1]  # Without the decision.
    assert done("a", MESSAGES, "success") == done("b", MESSAGES, "") == [2100]
    assert done("c", MESSAGES, "failure") == done("d", before, "failure") == []
    assert done("e", before, "") == []
    assert done("f", before, "success") == [2380]  # The last row; its pictures are of 2300 ms.


def test_subtasks_alone_are_plans_too(tmp_path):
    spoken = [message for message in MESSAGES if message[0] == SUBTASK]
    samples = PlanSamples([BagEpisode(planned_bag(tmp_path / "e", spoken).path)], CAMERAS)
    assert table_of(samples) == tuple(TABLE[i] for i in (0, 1, 3, 6))


def test_the_model_may_have_said_that_the_task_is_done(tmp_path):
    messages = (
        said(1310, 1312, "wave", "human", 2),
        said(1310, 1490, "wave", "human", 2, model_text="", model_stamp=1400),
        decided(1400, 1490, "overruled", "done", "wave", 2),
    )
    plans = BagEpisode(planned_bag(tmp_path / "e", messages).path).plans
    assert [(p.text, p.model_text, p.done) for p in plans] == [("wave", "done", False)] * 2


def test_what_the_model_would_have_said_is_its_first_answer_meanwhile(tmp_path):
    messages = (
        said(1310, 1312, "wave", "human", 2),
        said(1310, 1690, "wave", "human", 2, model_text="stop", model_stamp=1600),
        said(1310, 1490, "wave", "human", 2, model_text=SINK_TEXT, model_stamp=1400),
        said(1800, 1801, "bow", "human", 3),
    )
    plans = BagEpisode(planned_bag(tmp_path / "e", messages).path).plans
    assert [(p.text, p.model_text) for p in plans] == [("wave", SINK_TEXT), ("bow", "")]


def test_an_operator_who_says_what_stands_did_not_say_it_before(tmp_path):
    # The planner keeps the id of a text that is said again.
    messages = (
        said(200, 290, CUP_TEXT),
        decided(200, 290, "changed", CUP_TEXT, CUP_TEXT),
        said(1000, 1090, CUP_TEXT),
        decided(1000, 1090, "kept", CUP_TEXT, CUP_TEXT),
        decided(1100, 1190, "kept", CUP_TEXT, CUP_TEXT),  # Its Subtask is lost.
        said(1310, 1312, CUP_TEXT, "human"),
        decided(1310, 1312, "changed", CUP_TEXT, CUP_TEXT, trigger="operator"),
    )
    for given in (messages, messages[1:]):
        plans = BagEpisode(planned_bag(tmp_path / str(len(given)), given).path).plans
        assert [((p.stamp_ns - BEGAN) // MS, p.source, p.kind) for p in plans] == [
            (200, "model", PLAN),
            (1000, "model", PLAN),
            (1100, "model", PLAN),
            (1310, "human", SPOKEN),
        ]


def memory(**parts):
    """2 s with a picture every 100 ms of both cameras, and no plans."""
    times = 10**9 + np.arange(20) * 100 * MS
    frames = {name: (times, np.zeros((20, 4, 4, 3), np.uint8)) for name in CAMERAS}
    facts = layout_facts(("a", "b"), ("rad", "rad"), task="tidy up", **parts.pop("facts", {}))
    return wandering(100, frames=parts.pop("frames", frames), facts=facts, **parts)


def test_labels_are_plans_where_none_were_recorded():
    labels = (
        SubtaskLabel(5, 60, "pick", "human", "tidy up"),
        SubtaskLabel(60, 100, "wave", "human", "tidy up", model_text="place"),
    )
    episode = memory(labels=labels, facts={"outcome": "success"})
    found = [(p.stamp_ns / 1e9 - 1, p.text, p.kind, p.model_text) for p in plans_of(episode)]
    assert found == [
        (pytest.approx(0.1), "pick", PLAN, ""),
        (pytest.approx(1.1), "pick", PLAN, ""),
        (pytest.approx(1.2), "wave", SPOKEN, "place"),
        (pytest.approx(1.98), "", PLAN, ""),
    ]
    assert plans_of(memory(labels=())) == ()


def test_a_successful_episode_ends_its_own_task_only():
    other = Plan(10**9, "dust the shelf", "wipe", "model")
    episode = memory(plans=(other,), facts={"outcome": "success"})
    assert plans_of(episode) == (other,)


def test_what_cannot_be_a_sample_is_counted():
    plans = (
        Plan(10**9 - MS, "t", "too early", "model"),
        Plan(10**9 + 200 * MS, "t", "a; b", "human", SPOKEN),
        Plan(10**9 + 300 * MS, "t", "good", "model"),
        Plan(10**9 + 2201 * MS, "t", "too late", "model"),
    )
    samples = PlanSamples([memory(plans=plans)], CAMERAS)
    assert [sample.text for sample in samples] == ["good"]
    assert samples.left_out == {"no pictures of its time": 2, "text that cannot be parsed back": 1}
    with pytest.raises(IndexError, match="sample 1 of 1"):
        samples[1]


def test_the_planner_goes_on_without_a_camera_of_its_own():
    episode = memory(plans=tuple(Plan(10**9 + t * MS, "t", "x", "model") for t in (500, 1900)))
    times, pixels = episode.frames["left_wrist"]
    episode.frames["left_wrist"] = times[:7], pixels[:7]  # Its last picture is of 0.6 s.
    first, second = PlanSamples([episode], CAMERAS)
    assert set(first.images) == set(CAMERAS) and set(second.images) == {"front"}
    (alone,) = [s for s in PlanSamples([episode], ("front", "top")) if s.time_ns < 16 * 10**8]
    assert set(alone.images) == {"front"}


@pytest.mark.parametrize(("text", "done"), [("pick", True), ("", False)])
def test_a_plan_is_a_subtask_or_done(text, done):
    with pytest.raises(ValueError, match="a subtask or is done, one of both"):
        Plan(1, "t", text, "model", done=done)


def test_a_task_may_end_and_the_next_one_begin_at_the_same_picture(tmp_path):
    messages = (
        said(200, 500, CUP_TEXT),
        decided(1000, 1090, "done", number=2),
        said(1000, 1200, "wave", number=3, task="greet"),
    )
    plans = BagEpisode(planned_bag(tmp_path / "e", messages).path).plans
    assert [(p.task, p.text, p.done) for p in plans] == [
        ("tidy up", CUP_TEXT, False),
        ("greet", "wave", False),
        ("tidy up", "", True),
    ]


def test_the_same_pictures_are_not_both_done_and_not_done():
    # The episode ends at 1.98 s; its last pictures are of 1.9 s.
    plans = tuple(Plan(10**9 + t * MS, "tidy up", "pick", "model") for t in (1800, 1900))
    samples = PlanSamples([memory(plans=plans, facts={"outcome": "success"})], CAMERAS)
    assert [((s.time_ns - 10**9) // MS, s.done) for s in samples] == [(1800, False), (1980, True)]
    assert samples.left_out == {"the task was done at its pictures": 1}
    undecided = PlanSamples([memory(plans=plans)], CAMERAS)
    assert [s.done for s in undecided] == [False, False]
