"""Lines of the terminal where the output is no terminal."""

import io
from pathlib import Path

from pi05_ros.training.reporting import terminal
from pi05_ros.training.reporting.terminal import TerminalReporter
from pi05_ros.training.runs.records import SourceLosses, StepRecord


def test_texts_are_printed_as_they_are():
    """Brackets would be styles to rich, and "[/x]" an error that ends the run."""
    output = io.StringIO()
    reporter = TerminalReporter(8, output)
    reporter.on_begin(3, 10)
    losses = {"MM": SourceLosses(8, 0.0, 0.0, 0.5, 0.0, 5.0)}
    bad = ("MM, bags[/x], row 4: damaged",)
    reporter.on_step(StepRecord(3, 5.0, 1.0, 1e-4, 2.0, 0.5, losses, 2**30, bad))
    reporter.on_saved(4, Path("runs[a]/step_4"), True)
    assert output.getvalue().splitlines() == [
        "going on from step 3",
        "left out: MM, bags[/x], row 4: damaged",
        "step 4 of 10: loss 5.000 (MM 5.000), 4 samples/s, 25 % waiting, 1.0 GB, 1 left out",
        "saved runs[a]/step_4, the best so far",
    ]


def test_decoding_is_reported_now_and_then_and_at_its_end(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])
    output = io.StringIO()
    reporter = TerminalReporter(8, output)
    for second, done in ((10, 100), (31, 300), (40, 350), (62, 600), (65, 610)):
        clock[0] = float(second)
        reporter.on_decoded(done, 610)
    assert [line.split()[1] for line in output.getvalue().splitlines()] == ["300", "600", "610"]
