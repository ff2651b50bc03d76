"""The table of verbs: each leads to a module that can run it."""

import importlib
import subprocess
import sys

import pytest

from pi05_ros.cli import main as cli


@pytest.mark.parametrize("name", cli.VERBS)
def test_every_verb_has_a_main_and_a_summary(name):
    verb = cli.VERBS[name]
    assert callable(importlib.import_module(verb.module).main)
    assert verb.summary


def test_help_shows_all_verbs(capsys):
    assert cli.main(["--help"]) == 0
    shown = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:-2]]
    assert shown == [*cli.VERBS, *cli.SHELL_VERBS]


def test_an_unknown_verb_gets_a_hint_and_status_2(capsys):
    assert cli.main(["dmo"]) == 2
    assert "did you mean 'demo'?" in capsys.readouterr().err


def test_arguments_and_status_pass_through(monkeypatch):
    seen = []
    monkeypatch.setattr("pi05_ros.cli.up.main", lambda arguments: seen.append(arguments) or 7)
    assert cli.main(["up", "mobile_18dof", "--sim"]) == 7
    assert seen == [["mobile_18dof", "--sim"]]


def test_what_the_machine_refuses_is_a_sentence_with_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("pi05_ros.cli.up.main", lambda arguments: (tmp_path / "a/b").mkdir())
    assert cli.main(["up"]) == 1
    assert capsys.readouterr().err == f"pi05 up: {tmp_path}/a/b: No such file or directory\n"


def test_an_interrupt_is_no_traceback(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pi05_ros.cli.up.main", interrupted)
    assert cli.main(["up"]) == 130
    assert capsys.readouterr().err == "\npi05 up: interrupted\n"


def test_a_reader_that_has_enough_is_no_traceback():
    """`pi05 latency BAG | head`: the verb writes more than its reader takes."""
    program = (
        "import sys; from pi05_ros.cli import main, test\n"
        "test.main = lambda arguments: [print('x' * 1000) for _ in range(1000)] and 0\n"
        "sys.exit(main.main(['test']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 0
