"""`pi05 demo`: its command line, and how a run ends when things go wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap

import pytest

from pi05_ros.bringup.default_brain import DEFAULT_TEXT
from pi05_ros.cli import demo
from pi05_ros.demo.out_folder import prepare_folder
from pi05_ros.recording.disk import DiskSpace

pytest.importorskip("rclpy")

from pi05_ros.demo.run import DemoResult


def test_help_names_the_options_and_their_defaults(capsys):
    with pytest.raises(SystemExit) as caught:
        demo.main(["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for option in ("platform", "task", "home", "brain", "seconds", "out", "seed"):
        assert f"--{option} " in text
    assert "[default: demo_out]" in text and f"[default: {DEFAULT_TEXT}]" in text
    assert "--brain model|expert|none Source of subtasks and actions:" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--platform", "mobile_18df"], "platform 'mobile_18df': there is none of that name"),
        (["--brain", "exprt"], "option 'brain': wanted one of model, expert"),
        (["--chunk-mode", "fast"], "option 'chunk_mode': wanted one of auto, sync, async, rtc"),
        (["--home", "x"], "option 'home': wanted a whole number, found 'x'"),
        (["--seconds", "soon"], "option 'seconds': wanted a number from 1 to 86400, found 'soon'"),
        (["--seconds", "0"], "option 'seconds': wanted a number from 1 to 86400, found '0'"),
        (["--task", ""], "option 'task': say what to do"),
        (["--task", "a\nb"], "option 'task': wanted one printable line"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_status_2(arguments, sentence, capsys, tmp_path):
    out = tmp_path / "out"
    assert demo.main(["--out", str(out), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"pi05 demo: {sentence}")
    assert captured.err.count("\n") == 1
    assert not out.exists()


@pytest.fixture
def runs(monkeypatch):
    """Options of the runs that are asked for; none takes place."""
    asked, requests = [], []

    class NoRun:
        def __init__(self, platform, options, request, *others):
            asked.append(options)
            requests.append(request)

        def run(self):
            return DemoResult("time", "", "", "")

    monkeypatch.setattr("pi05_ros.demo.run.DemoRun", NoRun)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(NoRun, "requests", requests, raising=False)
    return asked


@pytest.mark.parametrize(
    ("arguments", "brain", "named", "line"),
    [
        ([], "expert", "", "the scripted expert drives: no checkpoint is shipped\n"),
        (["--brain", "expert"], "expert", "", ""),
        (
            ["--checkpoint", "random:tiny"],
            "model",
            "random:tiny",
            "the model drives, with the checkpoint random:tiny\n",
        ),
        (
            ["--brain", "model"],
            "model",
            "random:nano",
            "the model drives, with the checkpoint random:nano\n",
        ),
    ],
)
def test_who_drives_is_said_and_kept(
    arguments, brain, named, line, tmp_path, runs, capsys, shipped_folder
):
    from pi05_ros.demo.run import DemoRun

    assert demo.main(["--out", str(tmp_path), *arguments]) == 0
    (options,), (request,) = runs, DemoRun.requests
    assert (options.brain, request.brain, request.checkpoint) == (brain, brain, named)
    assert capsys.readouterr().out == f"{line}\n"  # And the line of the end, which is empty.


def test_the_shipped_checkpoint_drives_robots_that_it_knows(
    tmp_path, runs, capsys, shipped_folder
):
    (shipped_folder / "nano").mkdir()
    (shipped_folder / "nano/manifest.json").write_text("{}")
    (shipped_folder / "nano/norm_stats.json").write_text('{"mobile_19dof": {}}')
    for platform in ("mobile_19dof", "mobile_18dof"):
        assert demo.main(["--out", str(tmp_path), "--platform", platform]) == 0
    assert [(o.brain, o.checkpoint) for o in runs] == [("model", "nano"), ("expert", "")]
    first, second = (line for line in capsys.readouterr().out.split("\n") if line)
    assert first == "the model drives, with the checkpoint nano"
    assert second == (
        "the scripted expert drives: the shipped checkpoint nano does not know mobile_18dof (it "
        "knows: mobile_19dof)"
    )


@pytest.mark.parametrize(
    ("arguments", "records"), [([], True), (["--record"], True), (["--no-record"], False)]
)
def test_a_run_is_recorded_unless_told_otherwise(arguments, records, tmp_path, runs):
    assert demo.main(["--out", str(tmp_path), *arguments]) == 0
    assert [(o.record, o.bags) for o in runs] == [(records, str(tmp_path / "bags"))]


@pytest.mark.parametrize(("arguments", "serves"), [([], False), (["--console"], True)])
def test_the_operators_page_is_served_on_demand_to_this_machine(arguments, serves, tmp_path, runs):
    assert demo.main(["--out", str(tmp_path), *arguments]) == 0
    (options,) = runs
    assert options.console == serves
    assert (options.console_host, options.console_port) == ("127.0.0.1", 0)


def test_a_disk_without_room_for_a_bag_is_told_before_anything_starts(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(demo, "disk_space", lambda folder: DiskSpace(10**9, 10**12))
    out = tmp_path / "out"
    assert demo.main(["--out", str(out)]) == 2
    assert capsys.readouterr().err == (
        f"pi05 demo: folder '{out}/bags': the disk is full: 1 GB are free, 3 GB are needed to "
        "start; make room, or take --no-record\n"
    )
    assert not out.exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert demo.main(["--out", str(tmp_path / "file")]) == 2
    assert "cannot be written to (Not a directory)" in capsys.readouterr().err


def test_results_of_an_earlier_run_are_gone_and_nothing_else(tmp_path):
    for name in ("summary.json", "video.mp4", "strip.png", "report.html", "mine.txt"):
        (tmp_path / name).touch()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "old.log").touch()
    prepare_folder(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["logs", "mine.txt"]


def test_the_planner_waits_for_the_monitor_and_nothing_is_started_again():
    from pi05_ros.bringup.graph import graph
    from pi05_ros.bringup.options import BringupOptions
    from pi05_ros.demo.run import demo_spec
    from pi05_ros.platforms.platform import load_platform

    options = BringupOptions(sim=True, brain="expert", task="make the bed")
    specs = {s.name: demo_spec(s) for s in graph(load_platform("mobile_18dof"), options)}
    assert specs["brain"].parameters["task"] == ""
    assert specs["mock_home"].parameters["task"] == "make the bed"
    assert {s.on_exit for s in specs.values()} == {"shutdown"}


def start(tmp_path, graph):
    """Starts a demo over shell commands in the place of nodes."""
    code = f"""
        import sys
        from pi05_ros.cli import demo
        from pi05_ros.demo import run
        from pi05_ros.bringup.supervisor import ProcessSpec as P
        run.process_specs = lambda specs: {graph}
        sys.exit(demo.main(["--out", {str(tmp_path)!r}]))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100)},
    )


def test_a_node_that_dies_is_one_sentence_with_its_last_words(tmp_path):
    brain = "P('brain', ('sh', '-c', 'echo no weights here; exit 3'), on_exit='shutdown')"
    process = start(tmp_path, f"[{brain}, P('other', ('sleep', '60'))]")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert re.sub(r"after \d s", "after 0 s", err) == (
        f"the last lines of {tmp_path}/logs/brain.log:\n  no weights here\n"
        "pi05 demo: brain ended (exit code 3) after 0 s; the graph stops without it\n"
    )
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["ended"] == "failed"
    assert summary["failure"].startswith("brain ended (exit code 3)")
    assert (tmp_path / "logs" / "brain.log").read_text().startswith("no weights here\n")
    assert (tmp_path / "logs" / "other.log").read_text() == "-- ended (killed by SIGINT)\n"


def test_ctrl_c_while_it_comes_up_still_writes_the_summary(tmp_path):
    process = start(tmp_path, "[P('brain', ('sleep', '60'))]")
    for line in process.stdout:
        if line.startswith("coming up"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (130, "")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["ended"], summary["failure"], summary["chunks"]) == ("interrupted", "", 0)
