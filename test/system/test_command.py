"""`pi05 faults`: its command line, its table, and Ctrl-C, which leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from system import catalog, command
from system.catalog import ROWS, Row
from system.checks import Check, Checks
from system.operator import ScenarioError
from system.shims import RowSkipped
from system.table import RowResult, as_json, summary_table

GOOD = Check("base 0", "≤ 100 ms", "60 ms", True)
BAD = Check("drift", "≤ 0.02", "0.5", False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["4"], "row '4': there is none (valid: 1, 2, 3, 7,"),
        (["7", "--times", "0"], "option 'times': wanted 1 or more, found 0"),
        (["7", "--json", "/nowhere/at/all.json"], "/nowhere/at/all.json: cannot be written"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_status_2(arguments, sentence, capsys):
    assert command.main(arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""


def test_the_list_names_the_rows_that_were_asked_for(capsys):
    assert command.main(["--list", "26", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "26"]


def test_every_row_has_a_module_and_stands_once():
    numbers = [row.number for row in ROWS]
    assert numbers == sorted(set(numbers))
    folder = Path(catalog.__file__).with_name("rows")
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {row.module for row in ROWS} == modules


def row(number, run, monkeypatch):
    """Return a row whose scenario is a function."""
    made = Row(number, f"fault {number}", "nothing", "none", 1.0)
    monkeypatch.setattr(Row, "run", lambda self, trial: RUNS[self.number](trial))
    RUNS[number] = run
    return made


RUNS = {}


def test_a_row_that_fails_gives_status_1_and_the_others_still_run(monkeypatch, capsys, tmp_path):
    def stuck(trial):
        raise ScenarioError("waited 5 s for a robot state")

    def skipped(trial):
        raise RowSkipped("no C compiler")

    def broken(trial):
        raise ZeroDivisionError("in the harness")

    def passes(trial):
        trial.report("half way")
        return Checks([GOOD])

    runs = [lambda trial: Checks([GOOD, BAD]), stuck, skipped, broken, passes]
    rows = tuple(row(number, run, monkeypatch) for number, run in enumerate(runs, 1))
    monkeypatch.setattr(command, "rows_of", lambda numbers: rows)
    file = tmp_path / "all.json"
    assert command.main(["--json", str(file)]) == 1
    text = capsys.readouterr().out
    assert "half way" in text and "FAIL drift   0.5  (wanted ≤ 0.02)" in text
    assert "1 of 5 rows passed, 1 skipped" in text
    written = json.loads(file.read_text())
    assert [entry["passed"] for entry in written] == [False, False, False, False, True]
    assert written[1]["problem"] == "waited 5 s for a robot state"
    assert written[2]["skipped"] == "no C compiler"
    assert "ZeroDivisionError: in the harness" in written[3]["problem"]
    assert written[0]["checks"][1] == {
        "name": "drift",
        "wanted": "≤ 0.02",
        "measured": "0.5",
        "passed": False,
    }


def test_rows_that_are_skipped_alone_are_no_failure(monkeypatch, capsys):
    def skipped(trial):
        raise RowSkipped("no C compiler")

    monkeypatch.setattr(command, "rows_of", lambda numbers: (row(1, skipped, monkeypatch),))
    assert command.main([]) == 0
    assert "skipped" in capsys.readouterr().out


def test_the_table_shows_the_first_failure_and_how_many_more():
    result = RowResult(ROWS[0], (GOOD, BAD, BAD), "", "", 3.0)
    line = summary_table([result]).splitlines()[1]
    assert "drift: 0.5 (and 1 more)" in line and line.endswith("NO")
    assert as_json([result])[0]["row"] == 1
    # A row without a single check has shown nothing.
    assert not RowResult(ROWS[0], (), "", "", 0.0).passed


def marked(mark):
    """Return the ids of processes whose environment has the mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_process_and_shows_what_is_done(number):
    pytest.importorskip("rclpy")
    mark = f"PI05_TEST_MARK={uuid.uuid4()}"
    name, value = mark.split("=")
    process = subprocess.Popen(
        [sys.executable, "-m", "pi05_ros.cli", "faults", "7", "8"],
        env={**os.environ, name: value},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stdout:
            if "joint states are silent" in line and line.startswith("       "):
                break
        assert len(marked(mark)) == 2  # The command and a bridge.
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "interrupted; not run: 7, 8" in err
    assert "Traceback" not in err
    end = time.monotonic() + 5.0
    while marked(mark) and time.monotonic() < end:
        time.sleep(0.05)
    assert marked(mark) == []
