"""`./pi05` as a person types it, as far as no set-up is needed."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pi05_ros.cli.entry import exports, needs_tools

ROOT = Path(__file__).parents[2]


def bare(*command):
    """Runs a program with an empty environment and none of the suite's packages."""
    env = {"PATH": os.defpath, "HOME": "/nonexistent"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)


def script(*arguments):
    """Runs ./pi05 in an interpreter that has the standard library only."""
    return bare(sys.executable, "-S", "-B", str(ROOT / "pi05"), *arguments)


def test_help_needs_no_set_up():
    for arguments in ((), ("-h",), ("--help",)):
        done = script(*arguments)
        assert done.returncode == 0, done.stderr
        for verb in ("test", "env", "run", "setup"):
            assert f"\n  {verb} " in done.stdout
        assert done.stderr == ""


def test_a_wrong_verb_is_named_before_anything_is_installed():
    done = script("tset")
    assert done.returncode == 2
    assert "there is no verb 'tset'; did you mean 'test'?" in done.stderr
    assert "setting up" not in done.stderr


def test_the_script_is_readable_for_pythons_that_are_too_old():
    ast.parse((ROOT / "pi05").read_text(), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("test", True),
        ("test -k limiter", True),
        ("run pytest test/model", True),
        ("run python -m pytest test/model", True),
        ("run ruff format .", True),
        ("run python benchmarks/pictures.py", False),
        ("run", False),
        ("demo", False),
        ("say pytest", False),
        ("faults", False),
        ("setup", False),
    ],
)
def test_the_test_tools_come_with_what_needs_them(line, needs):
    assert needs_tools(line.split()) == needs


def test_exported_lines_survive_a_shell():
    settings = {"A": "plain", "B": 'it\'s a "$HOME" `x` \\ ', "C": ""}
    script = f'{exports(settings)}\nprintf "%s\\0" "$A" "$B" "$C"'
    done = bare("sh", "-c", script)
    assert done.stdout.split("\0")[:3] == list(settings.values())
