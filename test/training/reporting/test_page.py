"""The page of a run."""

import base64
import json
import logging
import re

import cv2
import numpy as np
import pytest
from fakes.training_sources import tiny_recipe

from pi05_ros.model.text.locations import Location
from pi05_ros.training.reporting.history import History
from pi05_ros.training.reporting.page import PageReporter
from pi05_ros.training.reporting.pictures import RECORDED, jpegs
from pi05_ros.training.reporting.tables import share_rows, source_tables
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.records import SourceLosses, StepRecord
from pi05_ros.training.validation.figures import AnswerExample, ChunkExample, Example, Figures

SHARES = {"MM": 0.75, "HL": 0.25}


def record(step, loss=1.0, bad=()):
    sources = {
        "MM": SourceLosses(6, 0.0, 0.5, 0.1, 0.0, loss),
        "HL": SourceLosses(2, 0.7, 0, 0, 0, loss),
    }
    return StepRecord(step, loss, 0.5, 1e-4, 0.5, 0.05, sources, 2**30, bad)


def figures(level=1.0, examples=()):
    return Figures(
        {
            "loss": level,
            "MM/loss": level,
            "MM/error_rad/left_arm/0.5s": 0.25,
            "MM/error_m_per_s/base/0.5s": 0.125,
            "MM/error_rad/left_arm/1.0s": 0.5,
            "MM/hand_cm/0.5s": 3.25,
            "HL/loss": level,
            "HL/subtask_exact": 0.875,
        },
        examples,
    )


def example():
    pictures = np.full((3, 28, 28, 3), 90, np.uint8)
    pictures[2] = 0
    box = Location("head", "cup", 0.25, 0.25, 0.75, 0.75)
    return Example(
        source="HL",
        where="bag <one>, row 3",
        prompt="Task: <script>alert(1)</script>",
        cameras=("head", "left_wrist", "right_wrist"),
        pictures=pictures,
        answer=AnswerExample("pick up the cup", "pick up the plate", (box,), ()),
        chunk=ChunkExample(
            ("j1", "j2"), ("rad", "m"), 50.0, np.zeros((5, 2)), None, np.arange(5) < 3
        ),
    )


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin(tiny_recipe(), {})
    return folder


def reporter(run, first=0):
    page = PageReporter(run, tiny_recipe(), SHARES)
    page.on_begin(first, 6)
    return page


def step(page, run, number, **values):
    run.append_metrics(record(number, **values).as_json())
    page.on_step(record(number, **values))


def cells(text, row):
    """Numbers of a table's row."""
    found = re.search(rf"{re.escape(row)}</td>(.*?)</tr>", text)
    return re.findall(r">([\d.]*)</td>", found[1])


def test_the_page_shows_the_run(run):
    page = reporter(run)
    for number in range(3):
        step(page, run, number, bad=("row 1",) if number == 1 else ())
    page.on_validation(3, figures(examples=(example(),)))
    page.on_saved(3, run.path, True)
    page.on_end()
    text = (run.path / "report.html").read_text()
    assert text.startswith("<!doctype html>")
    for part in ("step 3 of 6", "best checkpoint: step 3", "left out as unreadable: 1"):
        assert part in text
    assert "16 samples/s" in text and "10 % waiting" in text
    # Two horizons; the base has only the first.
    assert cells(text, "left arm [rad]") == ["0.25", "0.5"]
    assert cells(text, "base [m/s]") == ["0.125", ""]
    assert cells(text, "subtask right, letter by letter [%]") == ["87.5", "87.5"]
    assert "pick up the plate" in text and text.count("data:image/jpeg") == 2


def test_texts_are_escaped_and_nothing_is_fetched(run):
    page = reporter(run)
    step(page, run, 0)
    page.on_validation(1, figures(examples=(example(),)))
    page.on_end()
    text = (run.path / "report.html").read_text()
    assert "<script" not in text and "&lt;script&gt;alert(1)" in text
    assert "bag &lt;one&gt;" in text
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)


def test_a_resumed_run_has_its_whole_history(run, monkeypatch):
    monkeypatch.setattr(PageReporter, "_write", lambda page: None)  # Takes a second each time.
    page = reporter(run)
    for number in range(4):
        step(page, run, number, loss=float(number))
        page.on_validation(number + 1, figures(level=number + 1.0))
    # It was killed, and goes on from step 2.
    run.cut_metrics(2)
    again = reporter(run, first=2)
    history = History(run, 8)
    history.begin(2)
    assert history.figure("MM/loss") == ([1, 2], [1.0, 2.0])
    assert history.curve("loss")[1].tolist() == [0.0, 1.0]
    again.on_validation(3, figures(level=9.0))
    lines = (run.path / "validation.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_its_own_failure_does_not_end_the_run(run, caplog, monkeypatch):
    page = reporter(run)
    step(page, run, 0)

    def fails(example):
        raise OSError("disk full")

    monkeypatch.setattr("pi05_ros.training.reporting.page._shown", fails)
    with caplog.at_level(logging.WARNING):
        page.on_validation(1, figures(examples=(example(),)))
        page.on_saved(1, run.path, True)
    assert "could not be written" in caplog.text and "disk full" in caplog.text
    assert not (run.path / "report.html").exists()
    monkeypatch.undo()
    page.on_end()
    assert "step 1 of 6" in (run.path / "report.html").read_text()


def test_a_run_without_a_step_has_a_page(run):
    reporter(run).on_end()
    text = (run.path / "report.html").read_text()
    assert "No step was made" in text and "There was no validation yet" in text


def test_shares_and_tables(run):
    history = History(run, 8)
    for number in range(2):
        history.add_step(record(number).as_json())
    rows = share_rows(history, {**SHARES, "WD": 0.5})
    assert [(row.name, row.samples, row.realised) for row in rows] == [
        ("MM", 12, 0.75),
        ("HL", 4, 0.25),
        ("WD", 0, 0.0),
    ]
    history.add_validation(1, figures(level=4.0))
    history.add_validation(2, figures(level=1.0))
    robot, plans = source_tables(history)
    assert (robot.rows[0].first, robot.rows[0].latest) == (4.0, 1.0)
    assert robot.horizons == ("0.5", "1.0")
    assert robot.errors[0].name == "hand [cm]" and robot.errors[0].values == (3.25, None)
    assert plans.errors == () and plans.rows[1].latest == 87.5


def test_long_curves_are_means_of_stretches(run):
    history = History(run, 8)
    for number in range(1000):
        history.add_step(record(number, loss=float(number)).as_json())
    steps, values = history.curve("loss", points=10)
    assert values.tolist() == [100 * k + 49.5 for k in range(10)]
    assert steps[0] == 50.5
    assert history.last("loss", steps=2) == 998.5


def test_pictures_have_boxes_and_masked_cameras_are_left_out():
    shown = jpegs(example())
    assert [camera for camera, _ in shown] == ["head", "left_wrist"]
    data = np.frombuffer(base64.b64decode(shown[0][1]), np.uint8)
    rgb = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert rgb.shape == (224, 224, 3)
    # The left edge of the box, at a quarter of 223; and the untouched middle.
    assert np.abs(rgb[112, 56].astype(int) - RECORDED).max() < 40
    assert np.abs(rgb[112, 112].astype(int) - 90).max() < 6
