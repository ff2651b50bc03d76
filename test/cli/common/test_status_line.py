"""The status line, on a terminal and in a pipe."""

import io

from pi05_ros.cli.common.status_line import StatusLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_in_a_pipe_it_is_a_plain_line_every_five_seconds():
    stream, clock = io.StringIO(), Clock()
    line = StatusLine(stream, now=clock)
    for clock.now in (0.0, 0.1, 4.9, 5.0, 9.9, 10.0):
        line.show(f"at {clock.now}")
    line.log("over")
    assert stream.getvalue() == "at 0.0\nat 5.0\nat 10.0\nover\n"


def test_the_first_text_can_be_delayed():
    stream, clock = io.StringIO(), Clock()
    line = StatusLine(stream, first_s=3.0, now=clock)
    for clock.now in (0.0, 2.9, 3.0):
        line.show(f"at {clock.now}")
    assert stream.getvalue() == "at 3.0\n"


def test_on_a_terminal_it_is_rewritten_in_place(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream, clock = Terminal(), Clock()
    line = StatusLine(stream, now=clock)
    line.show("one")
    clock.now = 0.1
    line.show("too soon")
    clock.now = 0.3
    line.show("a text that is too long for it")
    line.log("over")
    line.log("again")
    assert stream.getvalue() == ("\r\x1b[2Kone\r\x1b[2Ka text that is too \r\x1b[2Kover\nagain\n")


def test_what_is_cleared_is_gone_and_nothing_is_cleared_twice():
    stream = Terminal()
    line = StatusLine(stream, now=Clock())
    line.show("one")
    line.clear()
    line.clear()
    assert stream.getvalue() == "\r\x1b[2Kone\r\x1b[2K"


def test_a_reader_that_went_away_is_no_error(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "write", lambda _: (_ for _ in ()).throw(BrokenPipeError()))
    StatusLine(stream).log("hello")
