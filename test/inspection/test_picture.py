"""Annotated pictures: boxes on their objects, text in the banner."""

import numpy as np
import pytest

from pi05_ros.data.episodes.episode import PictureBox
from pi05_ros.inspection.colours import SOURCE_COLOURS, rgb
from pi05_ros.inspection.facts import SubtaskFacts
from pi05_ros.inspection.picture import annotate, draw_boxes

SECOND = 1_000_000_000
BANNER = 54


def subtask(*boxes, stamp_s=1.0, text="pick up the cup", source="model"):
    stamp_ns = round(stamp_s * SECOND)
    return SubtaskFacts(stamp_ns, 3, "task", text, source, 0.93, 0.1, boxes=boxes)


def box(camera="front", label="cup", score=0.8, corners=(0.25, 0.5, 0.5, 0.75)):
    return PictureBox(camera, label, *corners, score)


def grey(height=240, width=320, level=90):
    return np.full((height, width, 3), level, np.uint8)


def test_a_small_picture_is_doubled_and_a_large_one_keeps_its_size():
    assert annotate(grey(), "front", SECOND, None, SECOND).shape == (480 + BANNER, 640, 3)
    picture = annotate(grey(720, 1280), "front", SECOND, None, SECOND)
    assert picture.shape == (720 + BANNER, 1280, 3)
    assert (picture[BANNER:] == 90).all()


def test_the_box_stands_where_the_planner_saw_it_and_nowhere_else():
    picture = annotate(grey(), "front", SECOND, subtask(box()), SECOND)[BANNER:]
    colour = rgb(SOURCE_COLOURS["model"])
    lines = (picture == colour).all(axis=2)
    rows, columns = np.nonzero(lines[240:, :])
    assert (rows.min() + 240, rows.max() + 240) == pytest.approx((240, 360), abs=2)
    assert (columns.min(), columns.max()) == pytest.approx((160, 320), abs=2)
    assert (picture[244:355, 166:314] == 90).all()  # What is inside is not covered.
    assert (picture[370:] == 90).all() and (picture[:, 330:] == 90).all()


def test_boxes_of_other_cameras_are_not_drawn():
    picture = annotate(grey(), "back", SECOND, subtask(box("front")), SECOND)[BANNER:]
    assert (picture == 90).all()


def test_a_label_at_the_upper_edge_stands_below_its_box():
    picture = grey(480, 640)
    draw_boxes(picture, [box(corners=(0.2, 0.0, 0.5, 0.25))], (255, 0, 0))
    tag = picture[125:145, 128:170]
    assert tag.max() > 200  # Letters.
    assert (picture[150:] == 90).all()


def test_a_label_at_the_right_edge_stays_inside():
    picture = grey(480, 640)
    draw_boxes(picture, [box(corners=(0.97, 0.5, 1.0, 0.75), label="saucepan")], (255, 0, 0))
    assert picture[215:238, 560:639].max() > 200


def banner_of(subtask_facts, now_s, stamp_s=1.0):
    now_ns, stamp_ns = round(now_s * SECOND), round(stamp_s * SECOND)
    return annotate(grey(), "front", stamp_ns, subtask_facts, now_ns)[:BANNER]


def test_words_source_and_ages_are_in_the_banner():
    first = banner_of(subtask(), 2.0)
    assert first[30, 3].tolist() == list(rgb(SOURCE_COLOURS["model"]))
    later = banner_of(subtask(), 3.0)
    assert (first[:28] == later[:28]).all()
    assert (first[28:, :320] != later[28:, :320]).any()  # How long ago it was said.
    assert (first[28:, 400:] != later[28:, 400:]).any()  # How old the picture is.
    other = banner_of(subtask(text="put it down", source="human"), 2.0)
    assert (first[:28, 20:] != other[:28, 20:]).any()
    assert other[30, 3].tolist() == list(rgb(SOURCE_COLOURS["human"]))


@pytest.mark.parametrize("words", ["x" * 256, "größer als Öfen", "日本語", ""])
def test_any_words_fit(words):
    assert banner_of(subtask(text=words), 2.0).shape == (BANNER, 640, 3)


def test_old_boxes_are_thin():
    fresh = annotate(grey(), "front", SECOND, subtask(box(label="")), 2 * SECOND)[BANNER:]
    old = annotate(grey(), "front", SECOND, subtask(box(label="")), 9 * SECOND)[BANNER:]
    colour = rgb(SOURCE_COLOURS["model"])
    assert (old == colour).all(axis=2).sum() < 0.7 * (fresh == colour).all(axis=2).sum()


def test_who_drives_stands_in_the_banner_however_long_the_reason_is():
    def banner(driver):
        facts = subtask()
        return annotate(grey(), "front", SECOND, facts, SECOND, driver)[:BANNER]

    plain, told, long = banner(""), banner("the model drives"), banner("aligning: x " * 40)
    assert (plain[30:, :400] == told[30:, :400]).all()  # Source and score stay.
    assert (plain[30:] != told[30:]).any()
    assert (plain[30:, :130] == long[30:, :130]).all() and (plain[:30] == long[:30]).all()
