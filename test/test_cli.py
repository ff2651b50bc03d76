"""The table of verbs: each leads to a module that can run it."""

import importlib

import pytest

from pi05_ros import cli


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
    monkeypatch.setattr("pi05_ros.up.main", lambda arguments: seen.append(arguments) or 7)
    assert cli.main(["up", "mobile_18dof", "--sim"]) == 7
    assert seen == [["mobile_18dof", "--sim"]]
