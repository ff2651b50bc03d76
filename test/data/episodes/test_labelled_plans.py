"""Plans of an episode whose labels were edited, by a table of times."""

import numpy as np

from pi05_ros.data.episodes.episode import PLAN, SPOKEN, PictureBox, Plan, SubtaskLabel
from pi05_ros.data.episodes.label_overlay import with_recorded_details
from pi05_ros.data.episodes.label_spans import LabelFile, LabelSpan
from pi05_ros.data.episodes.labelled_plans import labelled_plans

BOX = (PictureBox("front", "cup", 0.1, 0.1, 0.2, 0.2),)
# A row a tenth of a second, from 10 s to 14 s; subtasks are heard half a second after their stamp.
TIMES = 10**10 + np.arange(40) * 10**8
RECORDED = (
    SubtaskLabel(5, 20, "pick", "model", "tidy", id=1, boxes=BOX),
    SubtaskLabel(20, 40, "put", "human", "tidy", id=2, model_text="pick"),
)


def second(time):
    return 10**10 + round(time * 10**9)


PLANS = (
    Plan(second(0.0), "tidy", "pick", "model", boxes=BOX, score=0.5, subtask_id=1),
    Plan(second(1.0), "tidy", "pick", "model", boxes=BOX, subtask_id=1),
    Plan(second(1.5), "tidy", "put", "human", SPOKEN, model_text="pick", subtask_id=2),
    Plan(second(3.5), "tidy", "", "model", done=True),
)


def plans(*spans, done=()):
    spans = [LabelSpan(second(a), second(b), *rest) for a, b, *rest in spans]
    given = LabelFile("e", "r", tuple(spans), done_ns=tuple(second(time) for time in done))
    labels = with_recorded_details(given.labels(TIMES), RECORDED)
    return labelled_plans(given, labels, RECORDED, PLANS, TIMES, 10.0)


PICK, PUT = (0.5, 2, "pick", "tidy", "model"), (2, 4, "put", "tidy", "human")


def test_what_was_kept_has_its_recorded_plans():
    assert plans(PICK, PUT, done=[3.5]) == PLANS
    assert plans(PICK, PUT) == PLANS[:3]


def test_an_edited_label_has_a_plan_a_second():
    edited = (0.8, 3.0, "wave", "greet")
    assert plans((0.5, 0.8, *PICK[2:]), edited, (3, 4, *PUT[2:]), done=[3.9]) == (
        PLANS[0],
        Plan(second(0.8), "greet", "wave", "human", PLAN),
        Plan(second(1.8), "greet", "wave", "human", PLAN),
        Plan(second(2.8), "greet", "wave", "human", PLAN),
        Plan(second(3.9), "tidy", "", "human", done=True),
    )


def test_a_label_that_was_erased_has_no_plans():
    assert plans(PUT) == (PLANS[2],)
    assert plans((0.5, 0.9, *PICK[2:])) == (PLANS[0],)
    assert plans() == ()


def test_marks_of_another_episode_in_the_bag_are_none_here():
    assert [p.stamp_ns for p in plans(PICK, done=[-1, 3.95, 9]) if p.done] == [second(3.95)]
