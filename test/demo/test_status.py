"""The state of a run in one line."""

from pi05_ros.control.modes import Mode
from pi05_ros.demo.status import shorten, status_text
from pi05_ros.evaluation.run_record import Commands, RunRecord, Score


def test_a_long_subtask_is_cut():
    assert shorten("x" * 40) == "x" * 40
    assert shorten("x" * 41) == "x" * 39 + "…"


def test_the_state_of_a_run_in_one_line():
    record = RunRecord()
    assert status_text(record) == "coming up: processes start"
    record.graph_message = "waiting: planner (no answer for 3 s)"
    assert status_text(record) == "coming up: waiting: planner (no answer for 3 s)"
    record.clock(10.0, 1.0)
    record.begin()
    record.commanded(Commands(0))
    record.subtask("pick up the plate", "external")
    for i in range(1, 51):
        record.clock(10.0 + i / 10, 1.0 + i / 5)
        record.picture()
    record.chunk(14.7)
    record.commanded(Commands(250))
    record.robot_state(Mode.RUNNING, "")
    record.score = Score(3.0, 8.0)
    assert status_text(record) == (
        "   5.0 s | pick up the plate | 3/8 points | chunk 0.30 s old | "
        "50 commands/s, 0.2 chunks/s, 10 pictures/s | 0.50x real time"
    )
    record.robot_state(Mode.HOLDING, "the last chunk is over and no other came")
    assert status_text(record).startswith(
        "   5.0 s | pick up the plate | "
        "robot holding: the last chunk is over and no other came | 3/8 points | chunk"
    )
    assert status_text(record, "the robot holds: why").startswith(
        "   5.0 s | pick up the plate | the robot holds: why | 3/8 points | chunk"
    )


def test_while_it_comes_up_it_says_what_it_waits_for():
    record = RunRecord()
    record.graph_message = "all 4 nodes are active"
    notice = "all nodes are active, waiting for the recorder"
    assert status_text(record, notice) == f"coming up: {notice}"
