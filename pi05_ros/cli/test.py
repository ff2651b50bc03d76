"""`pi05 test`: style, types, then the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from pi05_ros.bootstrap.checkout import this_checkout
from pi05_ros.bootstrap.environment import DOMAINS
from pi05_ros.bootstrap.explain import SetupError

USAGE = """usage: pi05 test [argument of pytest ...]

Runs ruff (lint and format) and mypy over the checkout, then pytest over test/: what computes
in one process a processor, what runs graphs and pages in two, then what forks and what measures
faults, one after the other. One of the latter two groups that fails is run once more, and listed
as RERUN when it passes then.
Arguments go to pytest, which then runs once, in one process:
  pi05 test                     everything
  pi05 test -k limiter          tests whose name holds "limiter"
  pi05 test test/model -x       one folder, up to the first failure
  pi05 test -m "not slow"       without the slow ones"""

# Tests that fork. A child has the locks, but not the threads, of what its process has used before:
# these run first in theirs.
FORKING = (
    "test/data/lerobot/test_interrupted_export.py",
    "test/data/episodes/test_bag_episode.py",
    "test/data/episodes/test_dataset_samples.py",
)
# Tests of real nodes, processes and pages, of which two may run at once: each waits for most of
# its time, and two of them use less than one processor.
GRAPHS = (
    "test/bringup",
    "test/cli",
    "test/console",
    "test/demo",
    "test/launch",
    "test/nodes",
)
# Faults with limits of milliseconds: one at a time.
TIMED = ("test/system",)
RERUN = ("--reruns", "1", "-rR")


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Returns:
        0 when all pass, 1 when one fails.
    """
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    checkout = this_checkout()
    if checkout is None:
        raise SetupError("The tests are not installed with the suite", "run them in a checkout")
    # Tests command robots: they must reach neither a real one nor a demo that runs meanwhile.
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % DOMAINS)
    commands = {
        "ruff check": ["ruff", "check", "."],
        "ruff format --check": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        **tests(arguments),
    }
    failed = []
    for name, command in commands.items():
        start = time.monotonic()
        print(f"pi05 test: {name}", flush=True)
        status = subprocess.run([sys.executable, "-m", *command], cwd=checkout.root).returncode
        if status != 0:
            failed.append(name)
        print(f"pi05 test: {name}: {time.monotonic() - start:.1f} s", flush=True)
    if failed:
        print(f"pi05 test: failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    return 0


def tests(arguments: Sequence[str]) -> dict[str, list[str]]:
    """Return the calls of pytest by name.

    Args:
        arguments: Arguments for pytest; without any, all tests run, those of GRAPHS, FORKING and
            TIMED by themselves.
    """
    if arguments:
        return {"pytest": ["pytest", *arguments]}
    others = [f"--ignore={path}" for path in FORKING + GRAPHS + TIMED]
    return {
        "pytest, what computes": ["pytest", "-n", "auto", "--dist", "loadscope", "test", *others],
        "pytest, graphs and pages": ["pytest", "-n", "2", "--dist", "loadfile", *RERUN, *GRAPHS],
        "pytest, what forks and faults": ["pytest", *RERUN, *FORKING, *TIMED],
    }
