"""The live line, on a terminal and elsewhere."""

import io

from pi05_ros.cli.common.live_line import LiveLine, shorten
from pi05_ros.cli.demo.live import describe
from pi05_ros.control.modes import Mode
from pi05_ros.evaluation.run_record import Commands, RunRecord, Score


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_elsewhere_it_is_a_plain_line_every_five_seconds():
    stream, clock = io.StringIO(), Clock()
    line = LiveLine(stream, clock)
    for clock.now in (0.0, 0.1, 4.9, 5.0, 9.9, 10.0):
        line.show(f"at {clock.now}")
    line.say("over")
    assert stream.getvalue() == "at 0.0\nat 5.0\nat 10.0\nover\n"


def test_on_a_terminal_it_is_rewritten_in_place(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream, clock = Terminal(), Clock()
    line = LiveLine(stream, clock)
    line.show("one")
    clock.now = 0.1
    line.show("too soon")
    clock.now = 0.3
    line.show("a text that is too long for it")
    line.say("over")
    line.say("again")
    assert stream.getvalue() == ("\r\x1b[2Kone\r\x1b[2Ka text that is too \r\x1b[2Kover\nagain\n")


def test_a_reader_that_went_away_is_no_error(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "write", lambda _: (_ for _ in ()).throw(BrokenPipeError()))
    LiveLine(stream, Clock()).say("hello")


def test_a_long_subtask_is_cut():
    assert shorten("x" * 40) == "x" * 40
    assert shorten("x" * 41) == "x" * 39 + "…"


def test_the_state_of_a_run_in_one_line():
    record = RunRecord()
    assert describe(record) == "coming up: processes start"
    record.graph_message = "waiting: planner (no answer for 3 s)"
    assert describe(record) == "coming up: waiting: planner (no answer for 3 s)"
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
    assert describe(record) == (
        "   5.0 s | pick up the plate | 3/8 points | chunk 0.30 s old | "
        "50 commands/s, 0.2 chunks/s, 10 pictures/s | 0.50x real time"
    )
    record.robot_state(Mode.HOLDING, "the last chunk is over and no other came")
    assert describe(record).startswith(
        "   5.0 s | pick up the plate | "
        "robot holding: the last chunk is over and no other came | 3/8 points | chunk"
    )
    assert describe(record, "the robot holds: why").startswith(
        "   5.0 s | pick up the plate | the robot holds: why | 3/8 points | chunk"
    )


def test_while_it_comes_up_it_says_what_it_waits_for():
    record = RunRecord()
    record.graph_message = "all 4 nodes are active"
    notice = "all nodes are active, waiting for the recorder"
    assert describe(record, notice) == f"coming up: {notice}"
