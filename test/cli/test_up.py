"""`pi05 up`: the command line, the log, and the exit status."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from pi05_ros.bringup.default_brain import DEFAULT_TEXT
from pi05_ros.bringup.options import option_table
from pi05_ros.bringup.terminal_log import TerminalLog
from pi05_ros.cli import up


def test_help_names_every_option_its_default_and_its_choices(capsys):
    with pytest.raises(SystemExit) as caught:
        up.main(["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "mobile_18dof, mobile_19dof" in text
    for option in option_table():
        assert f"--{option.name.replace('_', '-')}" in text
        if option.name != "brain":
            assert f"[default: {option.default or 'empty'}]" in text
        assert option.description in text
    assert "--brain model|expert" in text
    assert f"[default: model; with --sim: {DEFAULT_TEXT}]" in text


@pytest.mark.parametrize(
    ("arguments", "brain"),
    [
        (["--sim"], "expert"),
        (["--sim", "--checkpoint", "random:tiny"], "model"),
        ([], "model"),
    ],
)
def test_a_mock_home_is_driven_by_the_expert_where_nothing_is_shipped(
    arguments, brain, monkeypatch, shipped_folder, capsys
):
    asked = []
    monkeypatch.setattr(up, "graph", lambda platform, options: asked.append(options) or [])
    monkeypatch.setattr(up, "supervise", lambda specs: 0)
    assert up.main(["mobile_18dof", *arguments]) == 0
    assert [options.brain for options in asked] == [brain]
    said = "pi05 up: the scripted expert drives: no checkpoint is shipped\n"
    if not arguments:
        said = (
            "pi05 up: no checkpoint is named, so random:nano drives, which has never seen a real "
            "robot; name one with --checkpoint\n"
        )
    assert capsys.readouterr().out == ("" if "--checkpoint" in arguments else said)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["mobile_18df"], "pi05 up: platform 'mobile_18df': there is none of that name; did you"),
        (["mobile_18dof", "--brain", "exprt"], "option 'brain': wanted one of model, expert"),
        (["mobile_18dof", "--brain", "expert"], "option 'brain': the expert reads a mock home's"),
        (["mobile_18dof", "--sim=maybe"], "option 'sim': wanted true or false, found 'maybe'"),
        (["./no.yaml"], "pi05 up: no.yaml: cannot be read"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_status_2(arguments, sentence, capsys):
    assert up.main(arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ["mobile_18dof", "--sim"],
        ["mobile_18dof", "--sim", "True"],
        ["--sim", "mobile_18dof"],
        ["--sim=true", "--record", "false", "mobile_18dof"],
    ],
)
def test_a_switch_alone_means_true(words, monkeypatch):
    taken = []
    monkeypatch.setattr(up, "supervise", lambda specs: taken.extend(specs) or 0)
    assert up.main(["--brain", "expert", "--log-level", "warn", *words]) == 0
    assert [spec.name for spec in taken][0] == "mock_home"
    assert all("pi05:=warn" in spec.command for spec in taken)


def start(code):
    """Starts `supervise` over shell commands in a process of its own."""
    lines = [
        "from pi05_ros.bringup.supervisor import ProcessSpec as P",
        "from pi05_ros.cli.up import supervise",
    ]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join([*lines, textwrap.dedent(code)])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_stops_all_with_status_0():
    process = start("""
        deaf = "trap '' INT TERM; echo up; while true; do sleep 1; done"
        raise SystemExit(supervise([P("deaf", ("sh", "-c", deaf)), P("b", ("sleep", "60"))]))
    """)
    assert process.stdout.readline() == "deaf | up\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == ""
    assert "b    | -- ended (killed by SIGINT)\n" in out
    assert "deaf | -- has not ended; sending SIGTERM\n" in out
    assert out.endswith("deaf | -- ended (killed by SIGKILL)\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_to_end_it_are_as_good(number):
    process = start("""
        raise SystemExit(supervise([P("a", ("sh", "-c", "echo up; exec sleep 60"))]))
    """)
    assert process.stdout.readline() == "a | up\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "a | -- ended (killed by SIGINT)\n", "")


def test_a_graph_that_goes_down_is_one_sentence_and_status_1():
    process = start("""
        a = P("a", ("sh", "-c", "echo why; exit 7"), on_exit="shutdown")
        raise SystemExit(supervise([a, P("b", ("sleep", "60"))]))
    """)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == "pi05 up: a ended (exit code 7) after 0 s; the graph stops without it\n"
    assert "a | why\n" in out


def test_a_reader_that_goes_away_stops_nothing():
    process = start("""
        talk = "echo $$; while true; do echo on; sleep 0.1; done"
        raise SystemExit(supervise([P("a", ("sh", "-c", talk))]))
    """)
    pid = int(process.stdout.readline().split("|")[1])
    process.stdout.close()
    time.sleep(0.5)
    os.kill(pid, 0)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    process.stderr.close()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_log_is_plain_unless_it_goes_to_a_terminal():
    plain, coloured, asked_plain = io.StringIO(), Terminal(), Terminal()
    for stream, environ in ((plain, {}), (coloured, {}), (asked_plain, {"NO_COLOR": "1"})):
        log = TerminalLog(["brain", "a"], stream, environ)
        log.line("a", "hello")
        log.event("brain", "ended")
    assert plain.getvalue() == "a     | hello\nbrain | -- ended\n"
    assert asked_plain.getvalue() == plain.getvalue()
    assert coloured.getvalue().startswith("\x1b[32ma     | \x1b[0mhello")
    assert coloured.getvalue().count("\x1b[0m") == 4
