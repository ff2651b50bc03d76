"""Progress of long work: a bar that is redrawn on a terminal, a few lines in a pipe."""

import io

from pi05_ros.cli.common import progress as module
from pi05_ros.cli.common.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bytes_with_rate_and_time_left():
    progress = Progress("writing", 4_000_000_000, in_bytes=True, stream=io.StringIO())
    progress.advance(1_000_000_000)
    bar = "#######" + "." * 22
    assert progress.text(10.0) == f"writing [#{bar}]  25% of 4.00 GB, 100 MB/s, 30 s left"


def test_items_before_the_first_and_after_some():
    progress = Progress("reading bags", 8, stream=io.StringIO())
    assert progress.text(2.0) == f"reading bags [{'.' * 30}]   0% of 8, 2 s"
    progress.advance()
    progress.advance()
    assert progress.text(2.0).endswith(" 25% of 8, 6 s left")
    progress.describe("bag_3")
    progress.update(15, 20)
    assert progress.text(3.0) == f"bag_3 [{'#' * 22}{'.' * 8}]  75% of 20, 1 s left"


def test_without_a_total_the_time_is_shown():
    assert Progress("reading", stream=io.StringIO()).text(7.2) == "reading (7 s)"
    assert Progress("writing", 0, stream=io.StringIO()).text(0.0) == "writing (0 s)"
    assert (
        Progress("waiting", title="row 3", stream=io.StringIO()).text(1) == "row 3: waiting (1 s)"
    )


def test_on_a_terminal_the_line_is_removed_at_the_end():
    out = Terminal()
    with Progress("reading", 4, stream=out) as progress:
        progress.advance()
    assert "\n" not in out.getvalue() and out.getvalue().endswith("\r\x1b[2K")
    assert out.getvalue().startswith("\r\x1b[2Kreading [....")


def test_short_work_writes_nothing_into_a_pipe_and_long_work_some_lines(monkeypatch):
    out = io.StringIO()
    with Progress("reading", 4, stream=out) as progress:
        progress.advance()
    assert out.getvalue() == ""
    monkeypatch.setattr(module, "REPEAT_S", 0.0)
    with Progress("reading", 4, stream=out) as progress:
        progress.advance()
    assert out.getvalue().startswith("reading [....") and out.getvalue().endswith("\n")


def test_logged_steps_have_a_line_each_in_a_pipe():
    out = io.StringIO()
    with Progress("starting", title="  3  a fault", log_steps=True, stream=out) as progress:
        progress.describe("half way")
    assert out.getvalue() == "  3  a fault\n       half way\n"
