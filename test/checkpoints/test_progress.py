"""The bar: a line a tenth into a file, one line that is drawn over on a terminal."""

import io

from pi05_ros.checkpoints.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_file_gets_a_line_a_tenth():
    out = io.StringIO()
    progress = Progress(1000, "writing", out)
    for _ in range(100):
        progress(10)
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[4].startswith("writing [###############...............]  50% of 0.00 GB")
    assert "100%" in lines[-1]


def test_a_terminal_sees_one_line():
    out = Terminal()
    progress = Progress(2_000_000_000, "writing", out)
    progress(1_000_000_000)
    progress(1_000_000_000)
    assert out.getvalue().endswith("\n")
    assert out.getvalue().count("\n") == 1
    assert "\rwriting [##############################] 100% of 2.00 GB" in out.getvalue()


def test_the_line():
    progress = Progress(4_000_000_000, "writing", io.StringIO())
    progress(1_000_000_000)
    line = progress.line(10.0)
    assert line.endswith(" 25% of 4.00 GB, 100 MB/s, 30 s left")


def test_nothing_to_write():
    Progress(0, "writing", io.StringIO())(0)
