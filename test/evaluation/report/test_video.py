"""The pictures, the video and the strip of a run, read back from their files."""

import av
import cv2
import numpy as np
import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.report import video as module
from pi05_ros.evaluation.report.frame import Caption, compose
from pi05_ros.evaluation.report.video import Frame, VideoWriter

CAMERAS = ("front", "back", "left_wrist", "right_wrist")
CELL = (60, 80)
CAPTION = Caption("put the dishes in the sink", "pick up the plate", "1/8 points", "2.0 s")


def images(level, shape=CELL):
    return {name: np.full((*shape, 3), level + 10 * i, np.uint8) for i, name in enumerate(CAMERAS)}


def test_cameras_stand_two_a_row_under_the_banner():
    picture = compose(images(100), CAMERAS, CELL, CAPTION)
    assert picture.shape == (60 + 120, 160, 3)
    for i in range(4):
        middle = picture[60 + i // 2 * 60 + 40, i % 2 * 80 + 60]
        assert middle.tolist() == [100 + 10 * i] * 3


def test_words_are_drawn_and_change():
    one = compose(images(0), CAMERAS, (240, 320), CAPTION)
    other = Caption(CAPTION.task, "put it down", CAPTION.score, CAPTION.time)
    two = compose(images(0), CAMERAS, (240, 320), other)
    assert one[:60].max() > 200
    rows, columns = np.nonzero((one != two).any(axis=2))
    assert rows.size and rows.min() > 20 and rows.max() < 60 and columns.max() < 320


def test_a_camera_of_another_shape_keeps_its_aspect_and_a_missing_one_stays_dark():
    wide = {"front": np.full((30, 80, 3), 200, np.uint8)}
    picture = compose(wide, CAMERAS, CELL, CAPTION)
    cell = picture[60:120, :80]
    assert cell[30, 70].tolist() == [200] * 3
    assert cell[50, 70].tolist() == [0] * 3  # Above and below its 30 rows.
    assert picture[60:120, 140].max() < 40


def test_a_text_that_is_too_long_is_cut():
    long = Caption("x" * 300, "y" * 300, "8/8 points", "1.0 s")
    assert compose(images(0), CAMERAS, (240, 320), long).shape == (540, 640, 3)


def run(writer, count, subtasks=("a",), start=0.0):
    for i in range(count):
        caption = Caption("task", subtasks[i * len(subtasks) // count], "", f"{i} s")
        writer.add(Frame(start + 0.1 * i, images(10 * i % 200), caption))
        while writer.waiting > 10:
            writer._thread.join(0.01)
    writer.finish()
    assert writer.wait(30)


def test_a_video_plays_at_the_speed_of_simulated_time(tmp_path):
    writer = VideoWriter(tmp_path, CAMERAS, CELL)
    run(writer, 25)
    with av.open(str(tmp_path / "video.mp4")) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == writer.frames == 25
    assert [round(float(f.time), 2) for f in frames] == [round(0.1 * i, 2) for i in range(25)]
    picture = frames[5].to_ndarray(format="rgb24")
    assert picture.shape == (180, 160, 3)
    assert abs(int(picture[100, 60].mean()) - 50) < 6


def test_a_gap_in_the_pictures_is_a_gap_in_the_video(tmp_path):
    writer = VideoWriter(tmp_path, CAMERAS, CELL)
    for time_s in (0.0, 0.1, 2.0, 2.0):
        writer.add(Frame(time_s, images(50), CAPTION))
    writer.finish()
    assert writer.wait(30)
    with av.open(str(tmp_path / "video.mp4")) as container:
        times = [round(float(f.time), 2) for f in container.decode(video=0)]
    assert times == [0.0, 0.1, 2.0, 2.1]  # Two frames never share a time.


def test_the_strip_shows_the_end_of_each_subtask(tmp_path):
    writer = VideoWriter(tmp_path, CAMERAS, CELL)
    run(writer, 16, subtasks=("a", "b", "c", "d"))
    strip = cv2.imread(str(tmp_path / "strip.png"))
    height, width = round(180 * 0.6), round(160 * 0.6)
    assert strip.shape == (2 * height + 8, 3 * width + 16, 3)
    level = strip[round(0.6 * 100), round(0.6 * 60)]  # Front camera of the first moment.
    assert abs(int(level.mean()) - 30) < 3  # Of frame 3, the last of subtask "a".
    assert strip[height + 8 :, width + 8 :].min() == 255  # Four moments, six places.


def test_a_run_without_pictures_leaves_no_files(tmp_path):
    writer = VideoWriter(tmp_path, CAMERAS, CELL)
    writer.finish()
    assert writer.wait(10)
    assert list(tmp_path.iterdir()) == []


def test_frames_are_dropped_rather_than_hoarded(tmp_path, monkeypatch):
    writer = VideoWriter(tmp_path, CAMERAS, CELL)
    monkeypatch.setattr(writer, "_compose", lambda frame: writer._thread.join(0) or 1 / 0)
    for i in range(60):
        writer.add(Frame(0.1 * i, images(0), CAPTION))
    assert writer.waiting <= module._WAITING
    assert writer.dropped >= 60 - module._WAITING - 2


def test_a_failure_to_write_is_told_to_the_one_who_waits(tmp_path):
    writer = VideoWriter(tmp_path / "missing", CAMERAS, CELL)
    writer.add(Frame(0.0, images(0), CAPTION))
    writer.finish()
    with pytest.raises(Pi05Error, match="missing: the video cannot be written"):
        writer.wait(10)
